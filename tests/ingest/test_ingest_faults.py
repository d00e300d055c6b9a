"""What a user can mend ends in a sentence that names file, place and mend; nothing is dropped unsaid."""

import zipfile
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from lusco.errors import InputError

HEADER = "frame,x [nm],y [nm],intensity [photon]"


@pytest.fixture
def make(tmp_path, thunderstorm, picasso, minflux, tiff):
    """What the writers below need."""

    def text(*lines, name="table.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def cut(path):
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        return path

    def zipped(**members):
        path = tmp_path / "archive.npy.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name.replace("_npy", ".npy"), content)
        return path

    def hdf5(name="data.h5", **datasets):
        with h5py.File(tmp_path / name, "w") as file:
            for key, values in datasets.items():
                file[key] = values
        return tmp_path / name

    def pickled():
        np.save(tmp_path / "objects.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
        return tmp_path / "objects.npy"

    return SimpleNamespace(
        folder=tmp_path,
        thunderstorm=thunderstorm,
        picasso=picasso,
        minflux=minflux,
        tiff=tiff,
        text=text,
        cut=cut,
        zipped=zipped,
        hdf5=hdf5,
        pickled=pickled,
    )


def locan_asdf(make):
    import pandas as pd
    from locan import LocData, save_asdf

    columns = {"position_x": np.arange(9.0), "position_y": np.arange(9.0)}
    save_asdf(LocData.from_dataframe(pd.DataFrame(columns)), make.folder / "t.asdf")
    return make.folder / "t.asdf"


FAULTS = {
    "missing file": (lambda m: m.folder / "none.csv", {}, ["does not exist", "check the path"]),
    "folder": (lambda m: m.folder, {}, ["is a folder"]),
    "unknown format": (lambda m: m.text(HEADER), {"format": "thunder"}, ["`format`", "thunder", "thunderstorm, elyra"]),
    "format cannot be told": (lambda m: m.text("a,b", "1,2"), {}, ["`a`, `b`", "one of thunderstorm", "`columns`"]),
    "no header and no mapping": (lambda m: m.text("1,2,3"), {}, ["without a header", "`columns`"]),
    "missing column": (
        lambda m: m.text("frame,x [nm],why [nm]", "1,2,3"),
        {"format": "thunderstorm"},
        ["`y [nm]` is missing", "`frame`, `x [nm]`, `why [nm]`"],
    ),
    "missing mapped column": (
        lambda m: m.text("a,b", "1,2"),
        {"columns": '{"x_nm": "a", "y_nm": "c"}'},
        ["`c` is missing", "`a`, `b`", "correct `columns`"],
    ),
    "mapped number out of the table": (
        lambda m: m.text("1,2"),
        {"columns": '{"x_nm": 0, "y_nm": 2}'},
        ["`2` is missing", "`0`, `1`"],
    ),
    "mapping without y": (lambda m: m.text("a,b", "1,2"), {"columns": '{"x_nm": "a"}'}, ["`y_nm` is missing"]),
    "mapping not JSON": (lambda m: m.text("a,b", "1,2"), {"columns": "x=a"}, ["not JSON", "write it like"]),
    "mapping of unknown names": (
        lambda m: m.text("a,b", "1,2"),
        {"columns": '{"X": "a"}'},
        ["unknown name `X`", "known names are x_nm"],
    ),
    "columns of one name": (
        lambda m: m.text("x,x,y", "1,2,3"),
        {"columns": '{"x_nm": "x", "y_nm": "y"}'},
        ["several columns are called `x`", "give the number"],
    ),
    "times for frames": (
        lambda m: m.text(HEADER, "1,2,3,4", "1.5,2,4,4"),
        {},
        ["row 3", "1 values of `frame` are not whole numbers", "not one of times"],
    ),
    "missing truth column": (
        lambda m: m.text(HEADER, "1,2,3,4"),
        {"truth_column": "label"},
        ["`label` is missing", "`truth_column`", "`frame`"],
    ),
    "unnamed truth": (
        lambda m: m.text(HEADER + ",label", "1,2,3,4,mt", "1,9,3,4,"),
        {"truth_column": "label"},
        ["row 3", "1 rows do not name their structure"],
    ),
    "columns of a format that has its own": (
        lambda m: m.picasso(1, 2),
        {"columns": '{"x_nm": "x"}'},
        ["picasso", "`columns` has no meaning with the format `picasso`; empty the cells, or correct `format`"],
    ),
    "truth without a structure": (
        lambda m: m.text(HEADER + ",label", "1,2,3,4,unspecific", "1,9,3,4,unspecific"),
        {"truth_column": "label"},
        ["`truth_column`", "no row names a structure", "correct `truth_column`, or empty the cell"],
    ),
    "NaN coordinate": (
        lambda m: m.text(HEADER, "1,2,3,4", "1,nan,3,4", "1,,3,4"),
        {},
        ["row 3", "2 values of `x_nm`", "remove these rows"],
    ),
    "infinite coordinate": (lambda m: m.text(HEADER, "1,2,inf,4"), {}, ["row 2", "1 values of `y_nm`"]),
    "missing frame": (lambda m: m.text(HEADER, "1,2,3,4", ",2,3,4"), {}, ["row 3", "`frame`"]),
    "header only": (lambda m: m.text(HEADER), {}, ["a header but no rows"]),
    "text in a number": (
        lambda m: m.text(HEADER, "1,2,3,4", "1,2,three,4"),
        {},
        ["row 3, column `y [nm]`", "`three` is not a number", "correct or remove the row"],
    ),
    "text in a number of an Elyra table": (
        lambda m: m.text("Index\tPosition X [nm]\tPosition Y [nm]", "1\t2\t3", "1\t2\tx"),
        {},
        ["row 3, column `Position Y [nm]`", "`x` is not a number"],
    ),
    "ragged row": (lambda m: m.text(HEADER, "1,2,3,4", "1,2", "1,2,3,4"), {}, ["row 3", "2 cells, the first one 4"]),
    "header of too few columns": (
        lambda m: m.text("x_nm,y_nm", "1,2,3"),
        {},
        ["row 2", "names 2 columns, the first row has 3 cells", "every column a name"],
    ),
    "damaged rapidSTORM header": (
        lambda m: m.text("# <localizations", "1 2 3"),
        {},
        ["as rapidstorm", "cut off, damaged"],
    ),
    "cut off table": (lambda m: m.text(HEADER, "1,2,3,4", "1,2"), {}, ["row 3", "seems cut off"]),
    "cut off Picasso": (lambda m: m.cut(m.picasso(1, 2)), {}, ["cannot be read", "cut off, damaged"]),
    "cut off npy": (lambda m: m.cut(m.minflux(np.ones((9, 3)))), {}, ["minflux_npy", "cut off, damaged"]),
    "cut off zip": (lambda m: m.cut(m.zipped(a_npy=b"1234" * 99)), {}, ["zip archive", "cut off, damaged"]),
    "cut off asdf": (lambda m: m.cut(locan_asdf(m)), {}, ["as asdf", "cut off, damaged"]),
    "cut off image": (lambda m: m.cut(m.tiff(np.ones((64, 64)), 20)), {}, ["cannot be read", "export it again"]),
    "damaged mat": (
        lambda m: m.text("MATLAB 5.0 MAT-file, nothing more", name="a.mat"),
        {},
        ["as minflux_mat", "cut off, damaged"],
    ),
    "no rows in npy": (lambda m: m.minflux(np.ones((0, 3))), {}, ["no localizations in it"]),
    "no valid rows": (lambda m: m.minflux(np.ones((3, 3)), valid=False), {}, ["no localizations in it"]),
    "pickled npy": (lambda m: m.pickled(), {}, ["pickled", "plain structured array"]),
    "zip without array": (lambda m: m.zipped(a=b"1"), {}, ["0 arrays", "inside is a", "one array per archive"]),
    "zip of two arrays": (lambda m: m.zipped(a_npy=b"1", b_npy=b"2"), {}, ["2 arrays", "a.npy, b.npy"]),
    "foreign HDF5": (lambda m: m.hdf5(cells=[1]), {}, ["HDF5 with cells in it", "name the format"]),
    "Picasso without a table": (lambda m: m.hdf5(locs=[1, 2]), {}, ["no table `locs`", "check `format`"]),
    "Picasso without pixel size": (lambda m: m.picasso(1, 2, None), {}, ["picasso.yaml", "`pixel_nm`"]),
    "Picasso with a strange pixel size": (
        lambda m: m.picasso(1, 2, Pixelsize="small"),
        {},
        ["picasso.yaml, key `Pixelsize`", "not a positive number"],
    ),
    "pixels without pixel size": (
        lambda m: m.text("frame,x [px],y [px]", "1,2,3"),
        {},
        ["column `x [px]`", "in pixels", "`pixel_nm`"],
    ),
    "unknown unit": (lambda m: m.text("frame,x [ft],y [ft]", "1,2,3"), {}, ["`ft` is unknown", "use one of nm"]),
    "metres taken for nm": (
        lambda m: m.text("x_nm,y_nm", "1e-6,2e-6", "3e-6,3e-6"),
        {},
        ["span 2e-06 nm", "metres, micrometres or pixels"],
    ),
    "field of centimetres": (lambda m: m.text("x_nm,y_nm", "0,0", "3e8,0"), {}, ["span 3e+08 nm", "check whether"]),
    "image without pixel size": (lambda m: m.tiff(np.ones((4, 4))), {}, ["in pixels", "`pixel_nm`"]),
    "image with NaN": (
        lambda m: m.tiff(np.array([[1, 1], [1, np.nan]]), 20),
        {},
        ["row 2, column 2", "1 pixels are NaN", "export counts"],
    ),
    "image with negative pixels": (lambda m: m.tiff([[1.0, -1.0]], 20), {}, ["row 1, column 2", "are negative"]),
    "image stack": (
        lambda m: m.tiff(np.ones((3, 8, 8), np.uint8), 20, photometric="minisblack"),
        {},
        ["dimensions", "(3, 8, 8)", "export one plane"],
    ),
    "image of two channels": (
        lambda m: m.tiff(np.ones((2, 8, 8)), 20, name="a.ome.tif", metadata={"axes": "CYX"}, photometric="minisblack"),
        {},
        ["2 channels", "the channel of the structure alone"],
    ),
    "black image": (lambda m: m.tiff(np.zeros((8, 8)), 20), {}, ["no localizations in it"]),
    "bad region": (lambda m: m.text(HEADER, "1,2,3,4"), {"region_nm": "5:1,0:9"}, ["`region_nm`", "empty region"]),
    "empty region": (
        lambda m: m.text(HEADER, "1,2,3,4", "1,22,3,4"),
        {"region_nm": "5:9,0:9"},
        ["`region_nm`", "contains nothing", "2:22,3:3"],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_names_file_place_and_mend(case, make, bring):
    write, options, said = FAULTS[case]
    path = write(make)
    with pytest.raises(InputError) as caught:
        bring(path, **options)
    for sentence in str(caught.value).splitlines():
        assert sentence.startswith(str(path.parent)) and sentence.endswith(".") and "; " in sentence
    for fragment in said:
        assert fragment in str(caught.value)


def test_an_empty_file_is_said_to_be_empty(tmp_path, bring):
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match=r"empty\.csv: the file is empty"):
        bring(tmp_path / "empty.csv")


def test_several_faults_of_a_file_are_shown_together(make, bring):
    with pytest.raises(InputError) as caught:
        bring(make.text(HEADER, "1,nan,3,4", ",2,inf,4"))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("setting", "column"), [("uncertainty_nm_max", "uncertainty_nm"), ("photons_min", "photons"), ("frames", "frame")]
)
def test_a_filter_on_a_column_that_the_file_lacks_is_a_fault(make, bring, setting, column):
    path = make.text("x_nm,y_nm", "1,2")
    with pytest.raises(InputError, match=f"ingest.{setting}`: it has no `{column}`"):
        bring(path, {setting: [1, 5] if setting == "frames" else 5})


def test_a_filter_that_leaves_nothing_is_a_fault(thunderstorm, bring):
    with pytest.raises(InputError, match=r"`ingest.photons_min`: no localization passes the filter; loosen it"):
        bring(thunderstorm([(1, 2, 3, 100, 10)]), {"photons_min": 500})


def test_merging_by_radius_needs_frames(make, bring):
    with pytest.raises(InputError, match=r"no frames.*`columns`"):
        bring(make.text("x_nm,y_nm", "1,2"), {"merge": "radius"})
