"""What an acquisition sheet says of training, validation and test: nothing serves twice."""

from pathlib import Path

import pytest
from sheets import read, sentences, sheet_of

from lusco.sheet import Acquisition, parse_region
from lusco.sheet_faults import half_tested

REGIONS = {
    "the same file": ("", "", True),
    "a part of it": ("", "0:10,0:10", True),
    "overlapping parts": ("0:10,0:10", "9:20,0:10", True),
    "a part within a part": ("0:10,0:10", "2:3,2:3", True),
    "parts side by side": ("0:10,0:10", "10:20,0:10", False),
    "parts above each other": ("0:10,0:10", "0:10,10:20", False),
}


@pytest.mark.parametrize(("a", "b", "leak"), REGIONS.values(), ids=REGIONS)
def test_no_part_of_a_file_serves_for_training_and_for_test(tmp_path, a, b, leak):
    (tmp_path / "large.csv").touch()
    (tmp_path / "alias.csv").symlink_to(tmp_path / "large.csv")
    rows = [
        {"acquisition": "a", "structure": "pores", "path": "large.csv", "split": "train", "region_nm": a},
        {"acquisition": "b", "structure": "pores", "path": "alias.csv", "split": "test", "region_nm": b},
    ]
    if leak:
        assert sentences(sheet_of(tmp_path, *rows)) == [
            "sheet.tsv: `a` (train) and `b` (test) share a part of large.csv;"
            " give them disjoint regions in `region_nm`, or the same split."
        ]
    else:
        read(sheet_of(tmp_path, *rows))


def test_what_a_model_was_trained_on_is_for_training_only(tmp_path):
    rows = [
        {"acquisition": f"pores_{split}", "structure": "pores", "path": f"{split}.csv", "split": split}
        for split in ("train", "validation", "test")
    ]
    for row in rows:
        (tmp_path / row["path"]).touch()
    path = sheet_of(tmp_path, *rows)
    read(path, models={"models/five": {"pores_train", "pores_of_others"}})
    assert sentences(path, models={"models/five": {"pores_train", "pores_test"}}) == [
        "sheet.tsv: the model models/five was trained on `pores_test`, which test must not share with training;"
        " give them the split `train`, or other names if they are other acquisitions."
    ]
    read(path, validated={"models/five": {"pores_train", "pores_validation"}})
    assert sentences(path, validated={"models/five": {"pores_validation", "pores_test"}}) == [
        "sheet.tsv: the model models/five was chosen by `pores_test`, which test must not share with validation;"
        " give them the split `validation`, or other names if they are other acquisitions."
    ]


def test_a_model_is_tested_on_all_of_its_structures_or_on_none():
    tested, other = (Acquisition("a", "pores", Path("a.csv"), split=split) for split in ("test", "apply"))
    assert list(half_tested(Path("s.tsv"), [tested], ["pores"])) == []
    assert list(half_tested(Path("s.tsv"), [other], ["pores", "tubes"])) == []
    assert [str(fault) for fault in half_tested(Path("s.tsv"), [tested, other], ["pores", "tubes", "discs"])] == [
        "s.tsv: the model cannot be tested, because there is no acquisition for test of `tubes`, `discs`;"
        " give one of each structure, or of none."
    ]


def test_a_part_of_a_file_may_serve_twice_within_a_split(tmp_path):
    (tmp_path / "large.csv").touch()
    rows = [{"acquisition": name, "structure": "pores", "path": "large.csv", "split": "train"} for name in "ab"]
    assert [a.split for a in read(sheet_of(tmp_path, *rows))][-2:] == ["train", "train"]


def test_a_region_has_x_then_y_in_nm():
    assert parse_region("-1:2.5,3:4e2") == (-1.0, 2.5, 3.0, 400.0)
    for text in ("nan:1,0:1", "0:inf,0:1", "0:1", "1:0,0:1", "0:1,0:1,0:1"):
        with pytest.raises(ValueError, match="`"):
            parse_region(text)
