"""Files that no program wrote: damaged or made up, each once ended in a traceback, or in a table of nonsense."""

import zipfile

import h5py
import measured
import numpy as np
import pytest
from scipy.io import savemat

from lusco.errors import InputError

HEADER = "frame,x [nm],y [nm],intensity [photon]"
ROW = "1,2,3,4"


def text(*lines):
    return lambda make: measured.write_text(make.folder / "table.csv", *lines)


def locs(**fields):
    """A Picasso table of one row; each field a value and its type."""

    def write(make):
        types = [(name, *([type] if isinstance(type, str) else type)) for name, (_, type) in fields.items()]
        with h5py.File(make.folder / "t.hdf5", "w") as file:
            file["locs"] = np.array([tuple(value for value, _ in fields.values())], dtype=types)
        return make.folder / "t.hdf5"

    return write


def decode(**meta):
    def write(make):
        path, _ = measured.decode(make)
        with h5py.File(path, "a") as file:
            file["meta"].attrs.update(meta)
        return path

    return write


def minflux(iterations, shape):
    def write(make):
        np.save(make.folder / "t.npy", np.zeros(shape, [("itr", measured.ITERATION, (iterations,)), ("vld", "?")]))
        return make.folder / "t.npy"

    return write


def smap(shape):
    def write(make):
        with h5py.File(make.folder / "t.mat", "w") as file:
            for name in ("xnm", "ynm"):
                file[f"saveloc/loc/{name}"] = np.ones(shape)
        return make.folder / "t.mat"

    return write


def mat(**variables):
    def write(make):
        savemat(make.folder / "t.mat", variables)
        return make.folder / "t.mat"

    return write


def archive_in_an_archive(make):
    inner, outer = make.folder / "inner.npy", make.folder / "outer.zip"
    for path, content in ((inner, b"1"), (outer, None)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.npy", content or inner.read_bytes())
    return outer


def camera(**changes):
    return lambda make: make.picasso(1, 2, **changes)


def ome(**metadata):
    return lambda make: make.tiff(np.ones((2, 3)), name="t.ome.tif", metadata={"axes": "YX"} | metadata)


PIXEL = {"pixel_nm": 100.0}
LOC = np.ones((2, 5, 3))
FAULTS = {
    "a cell longer than any": (text(HEADER, "1,2," + "9" * 200_000 + ",4x"), {}, "row 2"),
    "an endless heading": (text(f"x{' ' * 100_000}y,y [nm]", "1,2"), {}, "belong to no format"),
    "nothing before a zero byte": (text("\0" + HEADER, ROW), {"format": "thunderstorm"}, "cannot be read"),
    "a position beyond all": (text(HEADER, "1,1e300,3,4"), {}, "`x_nm` are missing, NaN, infinite or over 1e+12"),
    "a frame beyond all": (text(HEADER, "1e300,2,3,4"), {}, "`frame` are missing, NaN, infinite or over 9e+15"),
    "frames as the truth": (text(HEADER, ROW), {"truth_column": "frame"}, "`frame` holds numbers"),
    "deep JSON": (text("a,b", "1,2"), {"columns": "[" * 100_000}, "is not JSON"),
    "a negative pixel size": (text(HEADER, ROW), {"pixel_nm": -1.0}, "`pixel_nm`: the pixel size -1 is not"),
    "an endless region": (text(HEADER, ROW), {"region_nm": "0:1e300,0:9"}, "reaches beyond 1e+12 nm"),
    "a region of no width": (text(HEADER, ROW), {"region_nm": "2:2.0001,0:9"}, "is narrower than 1 nm"),
    "a name longer than any": (lambda make: make.folder / ("x" * 300), {}, "File name too long"),
    "letters for positions": (locs(x=(b"a", "S1"), y=(1, "f4")), PIXEL, "`x` does not hold numbers"),
    "two frames of a row": (
        locs(x=(1, "f4"), y=(1, "f4"), frame=((1, 2), ("i4", (2,)))),
        PIXEL,
        "`frame` is not one number per localization",
    ),
    "two uncertainties of a row": (
        locs(x=(1, "f4"), y=(1, "f4"), lpx=((1, 2), ("f4", (2,))), lpy=(1, "f4")),
        PIXEL,
        "not equally many",
    ),
    "a camera of a million pixels": (camera(Width=10**7), {}, "key `Width`"),
    "a field of no size": (camera(Pixelsize=0.001), {}, "its field of view is 0.008 x 0.016 nm"),
    "a unit of no length": (decode(xy_unit="furlong"), {}, "`furlong` is neither px nor nm"),
    "three pixel sizes": (decode(px_size=[1.0, 2.0, 3.0]), {}, "`px_size` the shape (3,)"),
    "a pixel size in words": (decode(px_size="small"), {}, "`px_size` does not hold numbers"),
    "a list instead of a table": (smap((3,)), {}, "`x_nm` is not one number per localization"),
    "no iterations": (minflux(0, (2,)), {}, "`loc` has the shape (2, 0, 3)"),
    "rows of rows": (minflux(5, (2, 2)), {}, "`loc` has the shape (2, 2, 5, 3)"),
    "an archive in an archive": (archive_in_an_archive, {}, "cannot be read as minflux_npy"),
    "positions in words": (mat(loc="abc"), {}, "`loc` "),
    "a validity of other length": (mat(loc=LOC, vld=[[1, 1]] * 3, eco=[[1], [2], [3]]), {}, "`eco` is not one number"),
    "a row of 400 kB": (text(HEADER, ROW, ROW, "1," * 200_000), {}, "row 4: the row is longer than 256 kB"),
    "a bad row before the last": (
        text(HEADER, ROW, "1,2", ROW),
        {},
        "row 3: the row has 2 cells, the first one 4; ch",
    ),
    "a bad row at the end": (text(HEADER, ROW, ROW, "1,2", ""), {}, "row 4: the row has 2 cells, the first one 4; th"),
    "several structures": (mat(itr=np.zeros((1, 2), [("loc", "O")])), {}, "cannot be read as minflux_mat"),
    "a negative pixel size of an image": (ome(PhysicalSizeX=-0.02), {}, "is not positive"),
    "an image of complex numbers": (lambda make: make.tiff(np.ones((2, 2), complex), 20), {}, "type complex128"),
    "too bright": (
        lambda make: make.tiff(np.full((2, 2), 1e300), 20),
        {},
        "4 pixels are NaN or infinite",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_an_odd_file_ends_in_a_sentence(case, make, bring):
    write, options, said = FAULTS[case]
    with pytest.raises(InputError) as caught:
        bring(write(make), **options)
    assert said in str(caught.value) and str(make.folder) in str(caught.value)


def test_a_matlab_file_that_ends_its_reader_ends_in_a_sentence(make, bring):
    """Two bytes that a coverage-guided search found: SciPy reads beyond its memory, and the process is killed."""
    path, _ = measured.minflux_mat(make)
    content = bytearray(path.read_bytes())
    content[292], content[329] = 251, 8
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"minflux\.mat: the MATLAB file is damaged"):
        bring(path)


def test_no_row_is_lost_to_an_ellipsis_of_windows(make, bring):
    path = make.folder / "table.csv"
    path.write_bytes(b"# and so on\x85\n" + f"{HEADER}\n{ROW}\n1,9,3,4\n".encode())
    assert len(bring(path)[0]) == 2


def test_smap_may_have_no_frames(make, bring):
    path, _ = measured.smap(make)
    with h5py.File(path, "a") as file:
        del file["saveloc/loc/frame"]
    assert bring(path)[0].table["frame"].tolist() == [0]
