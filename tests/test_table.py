"""Localization tables are validated when built and come back as they were written."""

import csv
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from lusco import table
from lusco.errors import InputError

FIELD_NM = (0.0, 100.0, 0.0, 50.0)


@pytest.fixture
def acquisition():
    columns = {
        "x_nm": [0.0, 100.0, 33.3],
        "y_nm": [50.0, 0.0, 12.5],
        "frame": [1, 2, 2],
        "photons": [100, np.nan, 300],
        "structure": ["mt", "npc", "mt"],
    }
    return table.localizations(columns, FIELD_NM, {"acquisition": "a", "structure": "mixed"})


def test_what_is_unknown_is_filled_in(acquisition):
    built = table.localizations({"y_nm": [1.0], "x_nm": [2.0]}, FIELD_NM)
    assert list(built.table) == list(table.REQUIRED)
    assert built.table["frame"].tolist() == [0] and built.table["photons"].isna().all()
    assert list(acquisition.table) == [*table.REQUIRED, "structure"]


@pytest.mark.parametrize("x_nm", [-0.1, 100.1, np.nan, np.inf])
def test_localizations_outside_the_field_are_refused(x_nm):
    with pytest.raises(ValueError, match="1 localizations are not finite or lie outside"):
        table.localizations({"x_nm": [5.0, x_nm], "y_nm": [1.0, 1.0]}, FIELD_NM)


def test_columns_with_an_index_of_their_own_are_taken_by_position():
    rows = pd.DataFrame({"x_nm": [1.0, 2.0, 3.0], "y_nm": [4.0, 5.0, 6.0]}).iloc[1:]
    built = table.localizations({"x_nm": rows["x_nm"], "y_nm": rows["y_nm"]}, FIELD_NM)
    assert built.table["x_nm"].tolist() == [2, 3] and list(built.table.index) == [0, 1]


def test_the_area_is_in_square_micrometres(acquisition):
    assert acquisition.area_um2 == pytest.approx(0.005)


def test_a_table_comes_back_as_it_was_written(tmp_path, acquisition):
    table.write(acquisition, tmp_path / "a.parquet")
    back = table.read(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(back.table, acquisition.table)
    assert back.field_nm == acquisition.field_nm and back.source == acquisition.source


def test_the_same_table_gives_the_same_bytes(tmp_path, acquisition):
    for name in ("a.parquet", "b.parquet"):
        table.write(acquisition, tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_table_without_rows_keeps_its_types(tmp_path):
    empty = table.localizations({"x_nm": [], "y_nm": []}, FIELD_NM)
    table.write(empty, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(table.read(tmp_path / "a.parquet").table, empty.table)


def test_a_missing_damaged_or_foreign_table_is_a_fault(tmp_path, acquisition):
    path = tmp_path / "a.parquet"
    with pytest.raises(InputError, match="does not exist"):
        table.read(path)
    table.write(acquisition, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cannot be read .* run again"):
        table.read(path)
    acquisition.table.to_parquet(path)
    with pytest.raises(InputError, match="not written by LUSCo; bring it in with `lusco ingest`"):
        table.read(path)


def test_thunderstorm_finds_its_columns_and_empty_cells_where_nothing_is_known(tmp_path, acquisition):
    path = tmp_path / "a.csv"
    table.write_thunderstorm(acquisition.table.assign(p_mt=[0.9, 0.1, 0.8], rejected=[False, True, False]), path)
    text = path.read_text()
    assert text.startswith('"id","frame","x [nm]"') or text.startswith('"id","x [nm]"')
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert [row["intensity [photon]"] for row in rows] == ["100", "", "300"]
    assert {"uncertainty_xy [nm]", "structure", "p_mt", "rejected"} <= set(rows[0])


CHANGES = {
    "a row outside": ({"x_nm": pd.Series([0.0, 100.0, 1e9])}, {}),
    "a row nowhere": ({"x_nm": pd.Series([0.0, 100.0, np.nan])}, {}),
    "words for numbers": ({"x_nm": ["a", "b", "c"]}, {}),
    "a strange column": ({"colour": [1, 2, 3]}, {}),
    "no field": ({}, {"field_nm": None}),
    "a field of no width": ({"x_nm": [0.0] * 3}, {"field_nm": [0, 0, 0, 50]}),
    "a field without end": ({}, {"field_nm": [0, float("inf"), 0, 50]}),
    "no source": ({}, {"source": 5}),
}


@pytest.mark.parametrize(("columns", "metadata"), CHANGES.values(), ids=CHANGES)
def test_a_table_that_cannot_be_used_is_a_fault(tmp_path, acquisition, columns, metadata):
    changed = pa.Table.from_pandas(acquisition.table.assign(**columns), preserve_index=False)
    said = json.dumps({"field_nm": FIELD_NM, "source": {}} | metadata)
    pa.parquet.write_table(changed.replace_schema_metadata({b"lusco": said}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"the table is damaged.* run again"):
        table.read(tmp_path / "a.parquet")


def test_the_summary_of_a_table_is_that_of_its_rows(acquisition, tmp_path):
    table.write(acquisition, tmp_path / "a.parquet")
    assert table.read_summary(tmp_path / "a.parquet") == (3, FIELD_NM, {"acquisition": "a", "structure": "mixed"})
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cannot be read .* delete it and run again"):
        table.read_summary(tmp_path / "a.parquet")


def test_a_table_written_in_parts_is_that_written_at_once(acquisition, tmp_path, monkeypatch):
    table.write_thunderstorm(acquisition.table, tmp_path / "once.csv")
    monkeypatch.setattr(table, "_ROWS_AT_A_TIME", 2)
    table.write_thunderstorm(acquisition.table, tmp_path / "parts.csv")
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()
    assert pd.read_csv(tmp_path / "parts.csv")["id"].tolist() == [1, 2, 3]


def test_text_may_be_of_any_type_and_unknown(acquisition, tmp_path):
    objects = np.array(["mt", None, "npc"], dtype=object)
    table.write_thunderstorm(acquisition.table.assign(structure=pd.Series(objects, dtype=object)), tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["structure"] for row in rows] == ["mt", "", "npc"]


def test_a_thunderstorm_table_without_rows_has_its_header(acquisition, tmp_path):
    none = acquisition.table.iloc[:0].astype({"structure": object})
    table.write_thunderstorm(none, tmp_path / "a.csv")
    written = (tmp_path / "a.csv").read_text().splitlines()
    assert len(written) == 1 and written[0].endswith('"structure"')
