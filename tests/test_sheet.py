"""The acquisition sheet: every fault is a sentence."""

import pytest
from sheets import GOOD, read, sentences, sheet_of, sheet_with

from lusco.ingest.formats import FORMATS as READERS
from lusco.sheet import FORMATS, Acquisition


def test_the_formats_that_a_sheet_may_name_are_those_that_can_be_read():
    assert set(FORMATS) == set(READERS)


def test_what_only_tests_a_model_is_all_that_it_does_not_know(tmp_path):
    """Of the model, one was learned from and one chosen by; another is of the same cell as the first."""
    rows = [{"acquisition": "x", "structure": "pores", "path": "x.csv", "group": "pores_0"}]
    rows += [{"acquisition": "y", "structure": "tubes", "path": "y.csv", "split": "apply"}]
    for row in rows:
        (tmp_path / row["path"]).touch()
    sheet = sheet_of(tmp_path, *rows)
    read_for_test = read(sheet, learn=False, models={"m": {"pores_0"}}, validated={"m": {"tubes_1"}})
    splits = {a.name: a.split for a in read_for_test}
    assert splits == {
        "pores_0": "train",
        "pores_1": "test",
        "pores_2": "test",
        "tubes_0": "test",
        "tubes_1": "validation",
        "tubes_2": "test",
        "x": "train",
        "y": "apply",
    }


def test_a_good_sheet_is_read_row_by_row(tmp_path):
    (tmp_path / "x.csv").touch()
    mixed = {
        "acquisition": "x",
        "structure": "mixed",
        "path": "x.csv",
        "format": "csv",
        "pixel_nm": "100",
        "group": "day 1",
        "region_nm": "0:1e3, -5:20.5",
        "columns": '{"x_nm": "X"}',
        "truth_column": "label",
    }
    *learnt, last = read(sheet_of(tmp_path, mixed))
    assert [a.name for a in learnt] == [row["acquisition"] for row in GOOD]
    assert all(a.group == a.name and a.region_nm is None and a.pixel_nm is None for a in learnt)
    assert last == Acquisition(
        name="x",
        structure="mixed",
        path=tmp_path / "x.csv",
        format="csv",
        pixel_nm=100.0,
        split="apply",
        group="day 1",
        region_nm=(0.0, 1000.0, -5.0, 20.5),
        columns='{"x_nm": "X"}',
        truth_column="label",
    )


def test_comments_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path):
    path = sheet_of(tmp_path)
    header, *rows = path.read_text().splitlines()
    path.write_text("\ufeff# a comment\n\n" + "\n\n".join([header, "# another", *rows]), encoding="utf-8")
    assert len(read(path)) == len(GOOD)


def test_a_cell_in_the_quotation_marks_of_a_spreadsheet_means_the_same(tmp_path):
    row = GOOD[0] | {"acquisition": "quoted", "columns": '"{""x_nm"": ""X""}"', "region_nm": '"0:1,0:1"'}
    last = read(sheet_of(tmp_path, row | {"structure": "mixed"}))[-1]
    assert (last.columns, last.region_nm) == ('{"x_nm": "X"}', (0, 1, 0, 1))


ROW_FAULTS = {
    "name": (
        {"acquisition": "a b"},
        "the name of the acquisition is not usable; use letters, digits, `_`, `.` and `-` only",
    ),
    "dots": (
        {"acquisition": ".."},
        "the name of the acquisition is not usable; use letters, digits, `_`, `.` and `-` only",
    ),
    "long name": ({"acquisition": "a" * 101}, "the name of the acquisition is too long for a file; use at most 100"),
    "structure": (
        {"structure": "pore"},
        "unknown structure `pore`; use one of pores, tubes, mixed, or add it to `structures`",
    ),
    "split": (
        {"split": "training"},
        "unknown split `training`; use one of train, validation, test, apply, or leave it empty",
    ),
    "format": ({"format": "tunderstorm"}, "unknown format `tunderstorm`; use one of thunderstorm, elyra,"),
    "region of a simulation": (
        {"format": "simulation", "region_nm": "0:1,0:1", "pixel_nm": "5"},
        "`pixel_nm`, `region_nm` have no meaning with the format `simulation`; empty the cells",
    ),
    "columns of a format that has its own": (
        {"format": "thunderstorm", "columns": '{"x_nm": "X"}'},
        "`columns` has no meaning with the format `thunderstorm`; empty the cells",
    ),
    "pixels of positions in nm": (
        {"format": "minflux_npy", "pixel_nm": "100"},
        "`pixel_nm` has no meaning with the format `minflux_npy`; empty the cells",
    ),
    "truth of an image": (
        {"structure": "mixed", "format": "image", "truth_column": "label"},
        "`truth_column` has no meaning with the format `image`; empty the cells",
    ),
    "mixed split": (
        {"structure": "mixed", "split": "train"},
        "a mixed acquisition cannot be used to learn from; set its split to `apply`, or leave it empty",
    ),
    "pixel size": ({"pixel_nm": "0"}, "the pixel size `0` is not a positive number; give it in nm"),
    "pixel size nan": ({"pixel_nm": "nan"}, "the pixel size `nan` is not a positive number; give it in nm"),
    "pixel size text": ({"pixel_nm": "20 nm"}, "the pixel size `20 nm` is not a positive number; give it in nm"),
    "columns": (
        {"columns": "x_nm=X"},
        'the mapping `columns` is not JSON of names or numbers; write it like {"x_nm": "X", "y_nm": "Y", "frame": 2}',
    ),
    "deep columns": ({"columns": "[" * 99_999}, "the mapping `columns` is not JSON of names or numbers"),
    "columns list": ({"columns": '["X"]'}, "the mapping `columns` is not JSON of names or numbers"),
    "columns of truths": ({"columns": '{"x_nm": true}'}, "the mapping `columns` is not JSON of names or numbers"),
    "columns unknown": ({"columns": '{"why": "X"}'}, "the mapping `columns` has the unknown name `why`; known names"),
    "columns of two units": (
        {"columns": '{"x_nm": "X", "y_nm": "Y", "x_um": "Z"}'},
        "the mapping `columns` says twice which column is `x`; name each once",
    ),
    "columns twice": (
        {"columns": '{"x_nm": "X", "y_nm": "X"}'},
        "the mapping `columns` names the column `X` twice; name a column for each",
    ),
    "truth": ({"truth_column": "label"}, "`truth_column` is for mixed acquisitions only; empty the cell"),
    "region": (
        {"region_nm": "0-1,0-1"},
        "`0-1,0-1` is not of the form x0:x1,y0:y1; give the region in nm as x0:x1,y0:y1",
    ),
    "empty region": ({"region_nm": "5:5,0:1"}, "`5:5,0:1` is an empty region; give the region in nm as x0:x1,y0:y1"),
    "no path": ({"path": ""}, "the path is empty; give the path of the file, relative to the sheet or absolute"),
    "missing file": (
        {"path": "no.csv"},
        "the file `no.csv` does not exist; check the path; it is looked for at no.csv",
    ),
    "braces": (
        {"path": "{x}.csv"},
        "the path `{x}.csv` holds braces, which Snakemake takes for wildcards; rename the file or folder",
    ),
    "long path": ({"path": "x" * 300}, "the file `xxx"),
    "endless region": ({"region_nm": "0:1e300,0:1"}, "`0:1e300,0:1` reaches beyond 1e+12 nm; give the region in nm as"),
    "folder": ({"path": "."}, "the file `.` does not exist; check the path; it is looked for at"),
    "path outside": (
        {"path": "a/../../x.csv"},
        "the path `a/../../x.csv` leaves the folder of the sheet; move the file there, or give an absolute path",
    ),
}


@pytest.mark.parametrize(("cells", "sentence"), ROW_FAULTS.values(), ids=ROW_FAULTS)
def test_a_fault_of_a_row_names_file_row_and_mend(tmp_path, cells, sentence):
    row = {"acquisition": "odd", "structure": "pores", "path": "pores_0.csv"} | cells
    (found,) = sentences(sheet_of(tmp_path, row))
    assert found.startswith(f"sheet.tsv, row 8 ({row['acquisition']}): {sentence}")


SHEET_FAULTS = {
    "no column": (
        "acquisition\tstructure\na\tpores",
        "sheet.tsv, header: the column `path` is missing; add it; columns are separated by tabs, not blanks or commas.",
    ),
    "commas": (
        "acquisition,structure,path\na,pores,x.csv",
        "sheet.tsv, header: the column `acquisition`, `structure`, `path` is missing; add it;",
    ),
    "repeated column": (
        "acquisition\tstructure\tpath\tpath\na\tpores\tx\tx",
        "sheet.tsv, header: the column `path` stands 2 times; keep one of them.",
    ),
    "only a header": (
        "acquisition\tstructure\tpath\n",
        "sheet.tsv: the sheet has a header but no acquisitions; write a row per acquisition.",
    ),
    "empty": ("\n# nothing\n", "sheet.tsv: the sheet is empty; write a header and a row per acquisition."),
    "long cell": (
        f"acquisition\tstructure\tpath\na\tpores\t{'x' * 200_000}",
        "sheet.tsv, row 2: the sheet cannot be read (field larger than field limit (131072)); save it as tab-separated",
    ),
    "long row": (
        "acquisition\tstructure\tpath\na\tpores\tx\ty",
        "sheet.tsv, row 2: the row has 4 cells, the header 3; check its tabs.",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), SHEET_FAULTS.values(), ids=SHEET_FAULTS)
def test_a_fault_of_the_sheet_names_file_place_and_mend(tmp_path, text, sentence):
    assert sentences(sheet_with(tmp_path, text))[0].startswith(sentence)


def test_an_unknown_column_is_named_with_the_known_ones(tmp_path):
    (found,) = sentences(sheet_of(tmp_path, GOOD[0] | {"colour": "red"}))
    assert found.startswith("sheet.tsv, header: unknown column `colour`; known columns are acquisition, structure,")


def test_a_sheet_that_cannot_be_read_is_one_sentence(tmp_path):
    path = tmp_path / "sheet.tsv"
    assert sentences(path) == ["sheet.tsv: the sheet of acquisitions does not exist; check the key `acquisitions`."]
    path.write_bytes("acquisition\tµ".encode("utf-16"))
    assert sentences(path) == ["sheet.tsv: the sheet is not UTF-8 text; save it as tab-separated text in UTF-8."]
    path.unlink()
    path.mkdir()
    assert sentences(path) == ["sheet.tsv: the sheet cannot be read (Is a directory); check the key `acquisitions`."]


def test_an_acquisition_may_stand_only_once(tmp_path):
    path = sheet_of(tmp_path, GOOD[0], GOOD[0], GOOD[1] | {"acquisition": "Pores_1"})
    assert sentences(path) == [
        "sheet.tsv, rows 2, 8, 9: the acquisition `pores_0` stands 3 times; give each its own name.",
        "sheet.tsv, rows 3, 10: the acquisitions `Pores_1`, `pores_1` differ only in upper and lower case;"
        " give each its own name.",
    ]


def test_all_faults_of_a_sheet_are_told_together(tmp_path):
    found = sentences(
        sheet_of(
            tmp_path,
            {"acquisition": "a", "structure": "pore", "path": "no.csv", "pixel_nm": "-1"},
            {"acquisition": "b", "structure": "pores", "path": "pores_0.csv", "split": "train", "group": "cell"},
            {"acquisition": "c", "structure": "pores", "path": "pores_0.csv", "split": "test", "group": "cell"},
            GOOD[0],
        )
    )
    assert len(found) == 5
    assert found[-1] == (
        "sheet.tsv, column `split`: the group `cell` stands in several splits (test, train);"
        " give all its acquisitions the same split."
    )


def test_a_file_that_a_rule_fetches_need_not_exist_yet(tmp_path):
    row = {"acquisition": "later", "structure": "pores", "path": "data/later.csv"}
    path = sheet_of(tmp_path, row)
    assert len(sentences(path)) == 1
    assert read(path, fetchable=[tmp_path / "data" / "later.csv"])[-1].name == "later"


def test_a_structure_with_too_few_acquisitions_is_told(tmp_path):
    path = sheet_of(tmp_path)
    path.write_text("\n".join(path.read_text().splitlines()[:6]))
    assert sentences(path) == [
        "sheet.tsv: the structure `tubes` has 2 acquisitions to learn from and none for train; training, validation and"
        " test need one each; add acquisitions (or cut a large field by `region_nm`) and check `split` and `group`."
    ]
    assert len(read(path, learn=False)) == 5
