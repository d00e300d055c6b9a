"""Images keep their pixels, their size and the names of their channels."""

import numpy as np
import pytest
import tifffile

from lusco import image
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
