"""Images keep their pixels, their size and the names of their channels."""

import tracemalloc

import numpy as np
import pytest
import tifffile

from lusco import files, image
from lusco.errors import InputError


@pytest.fixture
def two_channels():
    pixels = np.random.default_rng(1).poisson(1, (2, 300, 270)).astype(np.float32)
    return image.Image(pixels, 12.5, ("microtubules", "µ & pores"))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_image_comes_back_as_it_was_written(tmp_path, dtype, channels):
    pixels = np.arange(channels * 30 * 20).reshape(channels, 30, 20).astype(dtype)
    names = tuple(f"structure {index}" for index in range(channels))
    image.write(image.Image(pixels, 6.5, names), tmp_path / "a.ome.tiff")
    back = image.read(tmp_path / "a.ome.tiff")
    np.testing.assert_array_equal(back.pixels, pixels)
    assert back.pixels.dtype == dtype
    assert (back.pixel_nm, back.channels) == (6.5, names)


def test_the_same_image_gives_the_same_bytes(tmp_path, two_channels):
    for name in ("a.ome.tiff", "b.ome.tiff"):
        image.write(two_channels, tmp_path / name)
    assert (tmp_path / "a.ome.tiff").read_bytes() == (tmp_path / "b.ome.tiff").read_bytes()


def test_other_programs_find_the_physical_size(tmp_path, two_channels):
    image.write(two_channels, tmp_path / "a.ome.tiff")
    with tifffile.TiffFile(tmp_path / "a.ome.tiff") as tiff:
        assert tiff.is_ome and tiff.series[0].axes == "CYX"
        assert 'PhysicalSizeX="12.5" PhysicalSizeXUnit="nm"' in tiff.ome_metadata
        numerator, denominator = tiff.pages[0].tags["XResolution"].value
        assert 1e7 * denominator / numerator == pytest.approx(12.5)


def described(path):
    """The levels of the only image of a file, and what its OME-XML says of the pixels."""
    with tifffile.TiffFile(path) as tiff:
        (series,) = tiff.series
        said = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        return [level.asarray() for level in series.levels], said


def test_colours_are_written_as_ome_defines_them(tmp_path, two_channels):
    """Red, green, blue and opacity are the bytes of one signed number, the first the highest."""
    for first, second, numbers in [("#FF0000", "#FFFFFF", [-16776961, -1]), ("#00FF00", "#0000FF", [16711935, 65535])]:
        image.write(two_channels, tmp_path / "a.ome.tiff", (first, second))
        _, pixels = described(tmp_path / "a.ome.tiff")
        assert [channel["Color"] for channel in pixels["Channel"]] == numbers
        assert [channel["Name"] for channel in pixels["Channel"]] == ["microtubules", "µ & pores"]


def test_a_small_image_has_no_coarser_copies(tmp_path):
    image.write(image.Image(np.ones((1, 3, 2048), np.float32), 20, ("a",)), tmp_path / "a.ome.tiff")
    assert len(described(tmp_path / "a.ome.tiff")[0]) == 1


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((2, 40, 2049), [(40, 2049), (20, 1024)]),
        ((1, 4100, 30), [(4100, 30), (2050, 15), (1025, 7)]),
        ((3, 9000, 2), [(9000, 2), (4500, 1)]),
    ],
)
def test_a_large_image_has_copies_of_half_the_size_that_are_means(tmp_path, shape, sides):
    pixels = np.random.default_rng(1).poisson(3, shape).astype(np.float32)
    names = tuple("abc"[: shape[0]])
    image.write(image.Image(pixels, 10.0, names), tmp_path / "a.ome.tiff")
    levels, said = described(tmp_path / "a.ome.tiff")
    assert [level.shape[-2:] for level in levels] == sides
    assert (said["SizeX"], said["SizeY"], said["PhysicalSizeX"]) == (shape[2], shape[1], 10)
    rows, columns = (2 * side for side in sides[1])
    blocks = pixels[:, :rows, :columns].reshape(shape[0], sides[1][0], 2, sides[1][1], 2)
    np.testing.assert_allclose(levels[1].reshape(shape[0], *sides[1]), blocks.mean((2, 4)), rtol=1e-6)
    back = image.read(tmp_path / "a.ome.tiff")
    np.testing.assert_array_equal(back.pixels, pixels)
    assert (back.pixel_nm, back.channels) == (10, names)


def test_a_large_image_gives_the_same_bytes_and_is_tiled(tmp_path):
    pixels = np.random.default_rng(1).random((2, 300, 2100)).astype(np.float32)
    for name in ("a.ome.tiff", "b.ome.tiff"):
        image.write(image.Image(pixels, 20, ("a", "b")), tmp_path / name)
    assert (tmp_path / "a.ome.tiff").read_bytes() == (tmp_path / "b.ome.tiff").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.ome.tiff") as tiff:
        assert all(page.is_tiled for page in (*tiff.pages, *(p for page in tiff.pages for p in page.pages)))


def test_writing_a_large_image_takes_no_more_memory_than_its_copies(tmp_path):
    """All of them together: 1/4 + 1/16 + ... of the image, and a megabyte for the rest."""
    pixels = np.zeros((3, 3000, 2500), np.float32)
    tracemalloc.start()
    image.write(image.Image(pixels, 20, ("a", "b", "c")), tmp_path / "a.ome.tiff")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < pixels.nbytes / 3 + 1e6


def test_an_image_beyond_4_gb_is_written_as_bigtiff(tmp_path, two_channels, monkeypatch):
    """Pretended of a small one: classic TIFF counts bytes with 32 bits, for the coarser copies too."""
    monkeypatch.setattr(image, "_CLASSIC_BYTES", two_channels.pixels.nbytes - 1)
    image.write(two_channels, tmp_path / "a.ome.tiff")
    with tifffile.TiffFile(tmp_path / "a.ome.tiff") as tiff:
        assert tiff.is_bigtiff
    np.testing.assert_array_equal(image.read(tmp_path / "a.ome.tiff").pixels, two_channels.pixels)


def test_only_an_image_of_our_own_may_be_of_any_size(tmp_path, two_channels, monkeypatch):
    image.write(two_channels, tmp_path / "a.ome.tiff")
    monkeypatch.setattr(files, "MAX_BYTES", two_channels.pixels.nbytes - 1)
    with pytest.raises(InputError, match="claims to hold"):
        image.read(tmp_path / "a.ome.tiff")
    np.testing.assert_array_equal(image.read(tmp_path / "a.ome.tiff", own=True).pixels, two_channels.pixels)


@pytest.mark.parametrize(
    ("options", "pixel_nm"),
    [
        ({"resolution": (5e5, 5e5), "resolutionunit": "CENTIMETER"}, 20),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        ({"imagej": True, "resolution": (50, 50), "metadata": {"unit": "um"}}, 20),
        ({"imagej": True, "resolution": (50, 50), "metadata": {"unit": "\\u00B5m"}}, 20),
        ({"imagej": True, "resolution": (0.05, 0.05), "metadata": {"unit": "nm"}}, 20),
        ({"imagej": True, "resolution": (1, 1), "metadata": {"unit": "pixel"}}, None),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.02, "PhysicalSizeY": 0.02}}, 20),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 20, "PhysicalSizeXUnit": "nm"}}, 20),
        ({"ome": True, "metadata": {"axes": "YX"}}, None),
        ({}, None),
    ],
)
def test_the_pixel_size_is_found_where_programs_leave_it(tmp_path, options, pixel_nm):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((8, 9), np.float32), **options)
    assert image.read(path).pixel_nm == (pixel_nm and pytest.approx(pixel_nm))


def test_a_missing_image_is_a_fault(tmp_path):
    with pytest.raises(InputError, match="does not exist; check the path"):
        image.read(tmp_path / "none.tif")


def test_what_is_no_image_is_a_fault(tmp_path):
    (tmp_path / "a.tif").write_text("not a tiff")
    with pytest.raises(InputError, match=r"cannot be read .* no TIFF"):
        image.read(tmp_path / "a.tif")


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99, 0.999])
def test_a_cut_off_image_is_a_fault_wherever_it_is_cut(tmp_path, two_channels, kept):
    path = tmp_path / "a.ome.tiff"
    image.write(two_channels, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InputError, match=r"cut off|damaged"):
        image.read(path)


@pytest.mark.parametrize("shape", [(5, 8, 9), (2, 3, 8, 9)])
def test_stacks_are_a_fault(tmp_path, shape):
    tifffile.imwrite(tmp_path / "a.tif", np.ones(shape, np.uint8), photometric="minisblack")
    with pytest.raises(InputError, match=r"dimensions .* export one plane"):
        image.read(tmp_path / "a.tif")


def test_several_images_in_a_file_are_a_fault(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.ones((8, 9)))
        tiff.write(np.ones((4, 5)))
    with pytest.raises(InputError, match="holds 2 images; export one image per file"):
        image.read(tmp_path / "a.tif")


def test_pixels_that_are_not_square_are_a_fault(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 9)), resolution=(5e5, 4e5), resolutionunit="CENTIMETER")
    with pytest.raises(InputError, match="not square \\(20 x 25 nm\\)"):
        image.read(tmp_path / "a.tif")


def test_names_of_channels_are_read_as_they_stand(tmp_path):
    names = ("01", "1e3", "1_0", "True")
    image.write(image.Image(np.zeros((4, 8, 8), np.float32), 20.0, names), tmp_path / "a.ome.tiff")
    assert image.read(tmp_path / "a.ome.tiff").channels == names
