"""What is exported for other programs is what was recoloured: every localization, at its place, with its structure."""

import json
import re
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from recolored import NUMBER, PIXEL_NM, STRUCTURES, recolored_table

from lusco import table
from lusco.errors import InputError
from lusco.export import export


@pytest.fixture
def exported(tmp_path):
    """Recolour a table, export it, and give its rows, with what is in Picasso's table and its YAML."""

    def run(**changes):
        rows = recolored_table(tmp_path / "a.csv", **changes)
        export(tmp_path / "a.csv", "a", PIXEL_NM, tmp_path / "a.hdf5", tmp_path / "a.smlm")
        with h5py.File(tmp_path / "a.hdf5") as file:
            locs = file["locs"][()]
        return rows, locs, yaml.safe_load((tmp_path / "a.yaml").read_text())

    return run


def smlm(path):
    """The manifest, and the tables by channel as ShareLoc's viewer reads them: rows of 32-bit numbers."""
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        tables = {}
        for file in manifest["files"]:
            form = manifest["formats"][file["format"]]
            numbers = np.frombuffer(archive.read(file["name"]), "<f4").reshape(file["rows"], form["columns"])
            tables[file["channel"]] = pd.DataFrame(numbers, columns=form["headers"])
    return manifest, tables


# Picasso


def test_picasso_counts_from_the_centre_of_a_pixel_and_frames_keep_their_numbers(exported):
    """Moved by a pixel, as some lie before the first centre: at 0 nm is pixel -0.5 + 1."""
    rows, locs, described = exported()
    assert described["Offset (px)"] == [1, 1]
    np.testing.assert_allclose(locs["x"], rows["x_nm"] / PIXEL_NM - 0.5 + 1, atol=1e-5)
    np.testing.assert_allclose(locs["y"], rows["y_nm"] / PIXEL_NM - 0.5 + 1, atol=1e-5)
    np.testing.assert_array_equal(locs["frame"], rows["frame"])
    np.testing.assert_allclose(locs["lpx"] * PIXEL_NM, rows["uncertainty_nm"], rtol=1e-5)
    assert described["Pixelsize"] == PIXEL_NM and described["Frames"] == rows["frame"].max() + 1


def test_nothing_is_moved_where_nothing_need_be(exported):
    rows, locs, described = exported(x_nm=lambda rows: rows["x_nm"] + 10, y_nm=lambda rows: rows["y_nm"] - 500)
    assert described["Offset (px)"] == [0, 26]
    np.testing.assert_allclose(locs["x"], rows["x_nm"] / PIXEL_NM - 0.5, atol=1e-5)


def test_negative_frames_are_counted_from_0(exported):
    rows, locs, described = exported(frame=lambda rows: rows["frame"] - rows["frame"].min() - 7)
    np.testing.assert_array_equal(locs["frame"], rows["frame"] + 7)
    assert described["Frames"] == rows["frame"].max() + 8


def test_frames_of_any_length_keep_their_numbers(exported):
    rows, locs, described = exported(
        frame=lambda rows: rows["frame"] - rows["frame"].min() + (1 << 33) * (rows.index > 3)
    )
    np.testing.assert_array_equal(locs["frame"], rows["frame"])
    assert described["Frames"] == rows["frame"].max() + 1 > 1 << 33


@pytest.mark.parametrize("shift_nm", [0, -1234.5, 1e5])
def test_picasso_drops_no_localization(exported, shift_nm):
    """It keeps rows that are finite throughout, from 0 and below width and height."""
    unknown = np.where(np.arange(NUMBER) % 2, np.nan, 10)
    unknown[3] = 0
    rows, locs, described = exported(
        x_nm=lambda rows: rows["x_nm"] + shift_nm,
        photons=unknown,
        uncertainty_nm=unknown,
        z_nm=unknown,
        true_structure="tubes",
    )
    assert len(locs) == len(rows)
    assert all(np.isfinite(locs[name]).all() for name in locs.dtype.names), "every column is of numbers"
    assert (locs["lpx"] > 0).all() and (locs["lpx"][1::2] == 0.5).all() and (locs["lpy"] == locs["lpx"]).all()
    for axis, side in (("x", "Width"), ("y", "Height")):
        assert (locs[axis] >= 0).all() and (locs[axis] < described[side]).all()
        assert described[side] < locs[axis].max() + 2


def test_groups_are_the_structures_that_the_yaml_names(exported):
    rows, locs, described = exported()
    assert described["Structures"] == dict(enumerate(STRUCTURES))
    assert [described["Structures"][group] for group in locs["group"]] == rows["structure"].tolist()
    np.testing.assert_allclose(locs["p_tubes"], rows["p_tubes"], atol=1e-5)
    np.testing.assert_array_equal(locs["rejected"], rows["rejected"])


# .smlm


def test_smlm_has_a_channel_per_structure_that_was_found(exported, tmp_path):
    rows, _, _ = exported()
    manifest, tables = smlm(tmp_path / "a.smlm")
    assert manifest["format_version"] == "0.2" and list(tables) == ["tubes", "pores"]
    for structure, found in tables.items():
        own = rows[rows["structure"] == structure]
        np.testing.assert_allclose(found[["x", "y"]], own[["x_nm", "y_nm"]], atol=1e-3)
        np.testing.assert_array_equal(found["frame"], own["frame"])
        np.testing.assert_allclose(found["intensity"], own["photons"], rtol=1e-6)
        np.testing.assert_allclose(found[f"p_{structure}"], own[f"p_{structure}"], atol=1e-5)
        np.testing.assert_array_equal(found["rejected"], own["rejected"])


def test_smlm_says_its_units(exported, tmp_path):
    exported(z_nm=5.0)
    (form,) = smlm(tmp_path / "a.smlm")[0]["formats"].values()
    units = dict(zip(form["headers"], form["units"], strict=True))
    assert units["x"] == units["y"] == units["z"] == units["uncertainty [nm]"] == "nm"
    assert (units["frame"], units["intensity"], units["rejected"]) == ("frame", "photon", "1")
    assert set(form["dtype"]) == {"float32"} and len(form["shape"]) == form["columns"]


# both


def test_our_readers_find_every_localization_at_its_place(exported, tmp_path, bring):
    rows, _, _ = exported(z_nm=np.linspace(-100, 100, NUMBER))
    for file, order in (("a.hdf5", rows), ("a.smlm", rows.sort_values("structure", ascending=False, kind="stable"))):
        options = {"truth_column": "channel"} if file == "a.smlm" else {}
        found = bring(tmp_path / file, **options)[0].table
        for name in ("x_nm", "y_nm", "z_nm", "photons", "uncertainty_nm"):
            np.testing.assert_allclose(found[name], order[name], atol=1e-3, err_msg=f"{file} {name}")
        assert "trace" not in found, "a structure is no molecule, whose localizations might be merged"
    assert found["structure"].tolist() == order["structure"].tolist()


def test_the_channels_of_an_smlm_file_are_not_thrown_together_unasked(exported, tmp_path, bring):
    exported()
    with pytest.raises(InputError, match="holds 2 tables"):
        bring(tmp_path / "a.smlm")


def test_locan_reads_thunderstorm_and_smlm(exported, tmp_path):
    from locan import load_SMLM_file, load_thunderstorm_file

    rows, _, _ = exported()
    whole = load_thunderstorm_file(tmp_path / "a.csv").data
    np.testing.assert_allclose(whole[["position_x", "position_y"]], rows[["x_nm", "y_nm"]])
    assert whole["structure"].tolist() == rows["structure"].tolist()
    for structure, found in zip(STRUCTURES, load_SMLM_file(tmp_path / "a.smlm"), strict=False):
        own = rows[rows["structure"] == structure]
        np.testing.assert_allclose(found.data[["position_x", "position_y"]], own[["x_nm", "y_nm"]], atol=1e-3)
        np.testing.assert_allclose(found.data["uncertainty"], own["uncertainty_nm"], atol=1e-4)
        np.testing.assert_array_equal(found.data["frame"], own["frame"])


def test_what_is_not_known_is_left_out(exported, tmp_path):
    _, locs, _ = exported(photons=np.nan, uncertainty_nm=np.nan)
    _, tables = smlm(tmp_path / "a.smlm")
    assert "photons" not in locs.dtype.names and (locs["lpx"] == locs["lpy"]).all()
    assert not {"intensity", "uncertainty [nm]"} & set(tables["tubes"])


def test_the_pixels_of_an_image_keep_their_weight(exported, tmp_path):
    rows, locs, _ = exported(weight=np.arange(1.0, NUMBER + 1))
    np.testing.assert_allclose(locs["weight"], rows["weight"])
    assert smlm(tmp_path / "a.smlm")[1]["tubes"]["weight"].sum() == rows.query("structure == 'tubes'")["weight"].sum()


def test_the_same_table_gives_the_same_bytes_at_any_time(exported, tmp_path):
    files = [tmp_path / f"a.{ending}" for ending in ("hdf5", "yaml", "smlm")]
    exported()
    before = [file.read_bytes() for file in files]
    time.sleep(2.1)  # dates in a zip count every second one
    exported()
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize(("tubes", "pores"), [("NA", "1"), ("488", "561"), ("True", "False"), ("01", "1e3")])
def test_structures_may_have_any_name_of_the_configuration(exported, tmp_path, tubes, pores):
    names = np.where(np.arange(NUMBER) % 2, tubes, pores)
    new = {"p_tubes": f"p_{tubes}", "p_pores": f"p_{pores}"}
    rows = recolored_table(tmp_path / "a.csv", structure=names).rename(columns=new)
    table.write_thunderstorm(rows, tmp_path / "a.csv")
    export(tmp_path / "a.csv", "a", PIXEL_NM, tmp_path / "a.hdf5", tmp_path / "a.smlm")
    assert list(smlm(tmp_path / "a.smlm")[1]) == [tubes, pores]


@pytest.mark.parametrize("absent", ["p_tubes", "rejected", "structure", "x_nm"])
def test_another_table_is_a_fault(tmp_path, absent):
    table.write_thunderstorm(recolored_table(tmp_path / "a.csv").drop(columns=absent), tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"a\.csv: .*not written by `lusco recolor`"):
        export(tmp_path / "a.csv", "a", PIXEL_NM, tmp_path / "a.hdf5", tmp_path / "a.smlm")


@pytest.mark.parametrize("offset", ["5", "[1]", "[1, .nan]", "[a, b]", "[1.0e+300, 0]"])
def test_a_damaged_offset_is_a_fault(exported, tmp_path, bring, offset):
    exported()
    beside = tmp_path / "a.yaml"
    damaged = re.sub(r"Offset \(px\):\n- 1\n- 1", f"Offset (px): {offset}", beside.read_text())
    assert damaged != beside.read_text()
    beside.write_text(damaged)
    with pytest.raises(InputError, match=r"a\.yaml, key `Offset \(px\)`: .* is not two numbers"):
        bring(tmp_path / "a.hdf5")


@pytest.mark.parametrize(("most", "file"), [(10_000, "a.smlm"), (20_000, "a.hdf5")])
def test_a_disk_without_room_is_a_sentence_and_leaves_nothing_unfinished(tmp_path, most, file):
    """Files may not grow beyond some bytes in the process that writes, which to it is a full disk."""
    recolored_table(tmp_path / "a.csv")
    code = "\n".join(
        [
            "import resource, signal",
            "from lusco.export import export",
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)",
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))",
            "export('a.csv', 'a', 20.0, 'out/a.hdf5', 'out/a.smlm')",
        ]
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert f"{file}: the disk is full, so the file could not be written; free some space and run again." in run.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == (["a.smlm"] if file == "a.hdf5" else [])
