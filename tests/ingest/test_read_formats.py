"""Every format puts the same localization at the same place."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import numpy.lib.recfunctions
import pandas as pd
import pytest
from measured import WRITERS, X_NM, Y_NM, decode, locdata, rapidstorm, write_text
from scipy.io import savemat

from lusco import table


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_format_puts_a_localization_at_the_same_place(make, bring, write):
    path, options = write(make)
    acquisition, record = bring(path, **options)
    row = acquisition.table.iloc[0]
    assert len(acquisition) == record["rows_read"] == record["rows_kept"] == 1
    assert (row["x_nm"], row["y_nm"]) == pytest.approx((X_NM, Y_NM), abs=1e-4)
    if "minflux" not in write.__name__:  # MINFLUX has times, not frames
        assert row["frame"] == 3
    assert write.__name__.startswith(record["format"].split("_")[0])


def test_an_image_becomes_its_pixels_at_their_centres(tiff, bring):
    pixels = np.zeros((4, 6), dtype=np.float32)
    pixels[3, 1], pixels[0, 5] = 7, 2.5
    acquisition, record = bring(tiff(pixels, pixel_nm=20))
    rows = acquisition.table.sort_values("x_nm")
    assert acquisition.is_image
    assert rows[["x_nm", "y_nm", "weight"]].to_numpy() == pytest.approx(np.array([[30, 70, 7], [110, 10, 2.5]]))
    assert acquisition.field_nm == pytest.approx((0, 120, 0, 80))
    assert record["format"] == "image" and acquisition.source["pixel_nm"] == pytest.approx(20)


def test_the_pixel_size_of_the_sheet_goes_before_the_images_and_is_noted(tiff, bring):
    acquisition, record = bring(tiff(np.ones((2, 2)), pixel_nm=20), pixel_nm=10.0)
    assert acquisition.field_nm == (0, 20, 0, 20)
    assert "10 nm as given" in record["notes"][0]


def test_our_own_thunderstorm_table_comes_back_unchanged(tmp_path, bring):
    columns = {"x_nm": [10.5, 20.25], "y_nm": [1.0, 2.0], "frame": [1, 4], "photons": [5, 6], "uncertainty_nm": [7, 8]}
    written = table.localizations(columns | {"structure": ["mt", "npc"]}, (0, 30, 0, 30))
    table.write_thunderstorm(written.table, tmp_path / "own.csv")
    acquisition, _ = bring(tmp_path / "own.csv", truth_column="structure")
    pd.testing.assert_frame_equal(acquisition.table, written.table)


def test_the_provenance_names_acquisition_structure_file_and_checksum(thunderstorm, bring):
    path = thunderstorm([(1, 5, 5, 1, 1)])
    source = bring(path)[0].source
    assert source["acquisition"] == "cell_1" and source["structure"] == "pores"
    assert source["format"] == "thunderstorm" and source["path"] == str(path) and len(source["sha256"]) == 64


def test_invalid_minflux_localizations_are_left_out_and_counted(minflux, bring):
    path = minflux([[1e-6, 0, 0], [np.nan, 0, 0], [1.2e-6, 0, 0]], trace=[4, 5, 6], valid=[True, False, True])
    acquisition, record = bring(path)
    assert acquisition.table["trace"].tolist() == [4, 6]
    assert record["rows_read"] == 3 and record["rows_dropped"] == {"not valid (vld)": 1}


@pytest.mark.parametrize("ending", ["npy", "mat"])
@pytest.mark.parametrize("lacking", ["itr", "fnl"])
def test_of_a_row_for_each_iteration_only_the_last_is_a_localization(tmp_path, bring, ending, lacking):
    """Two localizations of three iterations, the second of which is not valid."""
    rows = np.zeros(6, [("loc", "f8", 3), ("itr", "i4"), ("fnl", "?"), ("vld", "?"), ("tid", "i4")])
    rows["loc"][:, 0] = [9e-6, 8e-6, 1e-6, 9e-6, 8e-6, 2e-6]
    rows["itr"], rows["fnl"], rows["tid"] = [0, 1, 2] * 2, [False, False, True] * 2, [4, 4, 4, 5, 5, 5]
    rows["vld"] = [True] * 5 + [False]
    names = [name for name in rows.dtype.names if name != lacking]
    path = tmp_path / f"minflux.{ending}"
    if ending == "npy":
        np.save(path, np.lib.recfunctions.repack_fields(rows[names]))
    else:
        savemat(path, {name: rows[name] for name in names})
    acquisition, record = bring(path)
    assert acquisition.table["x_nm"].tolist() == pytest.approx([1000])
    assert record["rows_dropped"] == {"an earlier iteration": 4, "not valid (vld)": 1}


def test_minflux_z_is_left_out_with_a_note(minflux, bring):
    acquisition, record = bring(minflux([[1e-6, 0, 5e-8]]))
    assert "z_nm" not in acquisition.table and any("refractive index" in note for note in record["notes"])


def test_smlm_units_are_those_of_its_manifest(tmp_path, bring):
    from locan import save_SMLM
    from locan.locan_io.locdata.smlm_io import manifest_from_locdata

    manifest = manifest_from_locdata(locdata(), return_json_string=True)
    save_SMLM(
        locdata(),
        tmp_path / "t.smlm",
        manifest.replace('"units": [\n        "",\n        ""', '"units": [\n        "um",\n        "um"'),
    )
    acquisition, _ = bring(tmp_path / "t.smlm")
    assert acquisition.table["x_nm"][0] == pytest.approx(X_NM * 1e3)


def changed_smlm(path, **changes):
    """An .smlm file whose columns or manifest are changed."""
    from locan import LocData, save_SMLM
    from locan.locan_io.locdata.smlm_io import manifest_from_locdata

    locdata = LocData.from_dataframe(pd.DataFrame(changes.pop("columns")))
    manifest = json.loads(manifest_from_locdata(locdata, return_json_string=True))
    for form in manifest["formats"].values():
        form["units"] = changes.get("units", form["units"])
    for file in manifest["files"]:
        file["offset"] |= changes.get("offset", {})
    save_SMLM(locdata, path, json.dumps(manifest))
    return path


@pytest.mark.parametrize(
    "names",
    [["uncertainty"], ["uncertainty_xy [nm]"], ["x_precision", "y_precision"], ["uncertainty_x", "uncertainty_y"]],
)
def test_smlm_uncertainties_have_their_unit_and_positions_their_offset(tmp_path, bring, names):
    columns = {"x": [1.0, 2.0], "y": [3.0, 4.0], **{name: [0.01, 0.02] for name in names}}
    path = changed_smlm(tmp_path / "t.smlm", columns=columns, units=["um"] * len(columns), offset={"x": 5.0})
    rows = bring(path)[0].table
    assert rows["x_nm"].tolist() == pytest.approx([6000, 7000])
    assert rows["y_nm"].tolist() == pytest.approx([3000, 4000])
    assert rows["uncertainty_nm"].tolist() == pytest.approx([10, 20])


def test_a_full_table_of_the_nanoimager_is_read_in_nm(tmp_path, bring):
    (tmp_path / "t.csv").write_text(
        "Channel,Frame,X (pix),Y (pix),X (nm),Y (nm),X precision (nm),Y precision (nm),X precision (pix),Photons\n"
        "0,3,11,12,1170,1234,6,8,0.05,900\n"
    )
    acquisition, record = bring(tmp_path / "t.csv")
    assert record["format"] == "nanoimager"
    row = acquisition.table.iloc[0]
    assert (row["x_nm"], row["y_nm"], row["photons"]) == (1170, 1234, 900)
    assert row["uncertainty_nm"] == pytest.approx(np.sqrt((6**2 + 8**2) / 2))


def test_picasso_uncertainties_are_in_nm_and_the_field_is_the_cameras(picasso, bring):
    acquisition, _ = bring(picasso(1.75, 3.0))
    assert acquisition.table["uncertainty_nm"][0] == pytest.approx(10)
    assert acquisition.field_nm == (0, 800, 0, 1600)


def test_an_acquisition_knows_what_lay_beside_it(picasso, bring):
    path = picasso(1.75, 3.0)
    beside = path.with_suffix(".yaml")
    checksum = hashlib.sha256(beside.read_bytes()).hexdigest()
    assert bring(path)[0].source["beside"] == {"path": str(beside), "sha256": checksum}
    beside.unlink()
    assert "beside" not in bring(path, pixel_nm=100.0)[0].source


def test_the_pixel_size_of_the_sheet_goes_before_that_of_a_table_and_is_noted(picasso, make, bring):
    for path in (picasso(1.75, 3.0), decode(make)[0]):
        acquisition, record = bring(path, pixel_nm=50.0)
        assert acquisition.table["x_nm"][0] == pytest.approx(X_NM / 2)
        assert record["notes"] == ["the pixel size is 50 nm as given; the file says 100 nm"]
        assert bring(path, pixel_nm=100.0)[1]["notes"] == []


def test_a_column_of_text_does_not_make_the_first_row_a_header(make, bring):
    """Nor do names that are numbers, as pandas gives them, make the header a row."""
    columns = '{"x_nm": 0, "y_nm": 1}'
    labelled = write_text(make.folder / "labelled.csv", "10,20,mito", "30,40,tub")
    assert bring(labelled, columns=columns, truth_column="2")[0].table["x_nm"].tolist() == [10, 30]
    counted = write_text(make.folder / "counted.csv", "0,1,2", "500,600,1", "700,800,2")
    assert bring(counted, columns=columns)[0].table["x_nm"].tolist() == [500, 700]
    named = write_text(make.folder / "named.csv", "x,y,z", "500,600,1")
    assert bring(named, columns=columns)[0].table["x_nm"].tolist() == [500]


def test_what_was_picked_in_picasso_is_not_taken_for_a_molecule(picasso, bring):
    acquisition, _ = bring(picasso(1.75, 3.0))
    assert "trace" not in acquisition.table


def test_rapidstorm_counts_are_not_taken_for_photons(make, bring):
    acquisition, record = bring(rapidstorm(make)[0])
    assert acquisition.table["photons"].isna().all() and "not photons" in record["notes"][0]


@pytest.mark.parametrize(
    ("file", "format", "rows", "traces", "options"),
    [
        ("colicoords/01_storm.csv", "thunderstorm", 29995, None, {}),
        ("npc_drift/NPCdata_meanshift_example.csv", "csv", 18454, None, {"columns": '{"x_nm":0,"y_nm":1,"frame":2}'}),
        ("pyminflux/2D_ValidOnly.npy.zip", "minflux_npy", 12580, 1250, {}),
        ("pyminflux/3D_ValidOnly.npy.zip", "minflux_npy", 5812, 527, {}),
        ("embl_microtubules/sample_data.mat", "minflux_mat", 15739, 774, {}),
        ("locan/clathrin_3d.asdf", "asdf", 23517, None, {}),
        ("locan/npc_gp210.asdf", "asdf", 202, None, {}),
        ("locan/SMLM_dstorm_data.smlm", "smlm", 10, None, {}),
        ("locan/rapidSTORM_dstorm_data.txt", "rapidstorm", 14, None, {}),
        ("locan/Elyra_dstorm_data.txt", "elyra", 15, None, {}),
        ("locan/Nanoimager_dstorm_data.csv", "nanoimager", 14, None, {}),
        ("locan/Thunderstorm_dstorm_data.csv", "thunderstorm", 19, None, {}),
        ("locan/smap_dstorm_data.mat", "smap", 4884, None, {}),
        ("locan/decode_dstorm_data.h5", "decode", 96, None, {}),
    ],
)
def test_public_files_are_read_whole(data_folder, bring, file, format, rows, traces, options):
    if not (data_folder / file).is_file():
        pytest.skip(f"{file} is not here")
    acquisition, record = bring(data_folder / file, **options)
    assert (record["format"], len(acquisition)) == (format, rows)
    if traces:
        assert acquisition.table["trace"].nunique() == traces


def test_bringing_in_a_table_imports_neither_torch_nor_locan():
    code = "import sys, lusco.ingest; print({'torch', 'locan'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
