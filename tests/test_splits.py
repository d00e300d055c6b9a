"""Splits are assigned by group, reproducibly and as asked for: on many random sheets."""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lusco import table
from lusco.cli import main
from lusco.sheet import LEARNING, SPLITS, Acquisition
from lusco.sheet_reader import assign_splits

STRUCTURES = ["pores", "tubes"]
FRACTIONS = {"validation": 0.2, "test": 0.2}


def random_acquisitions(rng: np.random.Generator) -> list[Acquisition]:
    """Acquisitions in groups, some of them with a split; each structure has at least three free groups of its own."""
    found = []
    for structure in STRUCTURES:
        for group in range(rng.integers(3, 12)):
            found += [(structure, f"{structure}_{group}", "") for _ in range(rng.integers(1, 4))]
        for group in range(rng.integers(0, 3)):
            split = str(rng.choice(SPLITS))
            found += [(structure, f"{structure}_{split}_{group}", given) for given in (split, "")]
    found += [("mixed", group, "") for _, group, _ in found[:2]]
    return [
        Acquisition(f"a{number}", structure, Path("x"), split=split, group=group)
        for number, (structure, group, split) in enumerate(found)
    ]


def random_fractions(rng: np.random.Generator) -> dict[str, float]:
    return {"validation": rng.uniform(0.01, 0.5), "test": rng.uniform(0.01, 0.49)}


SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_splits_are_assigned_by_group_and_none_is_left_out(seed):
    rng = np.random.default_rng(seed)
    given = random_acquisitions(rng)
    assigned = assign_splits(given, random_fractions(rng), seed)

    groups = defaultdict(set)
    for a in assigned:
        if a.structure != "mixed":
            groups[a.group].add(a.split)
    assert all(len(splits) == 1 for splits in groups.values()), "a group straddles splits"
    for structure in STRUCTURES:
        assert {a.split for a in assigned if a.structure == structure} >= set(LEARNING)
    assert all(b.split == a.split for a, b in zip(given, assigned, strict=True) if a.split), "an explicit split changed"
    assert all(a.split == "apply" for a in assigned if a.structure == "mixed")
    assert [a.name for a in assigned] == [a.name for a in given]


def test_the_assignment_follows_from_the_seed_and_not_from_the_order_of_rows():
    given = random_acquisitions(np.random.default_rng(5))
    splits = {a.name: a.split for a in assign_splits(given, FRACTIONS, 1)}
    assert {a.name: a.split for a in assign_splits(given[::-1], FRACTIONS, 1)} == splits
    others = [{a.name: a.split for a in assign_splits(given, FRACTIONS, seed)} for seed in range(2, 8)]
    assert any(other != splits for other in others)


def test_the_fractions_are_those_asked_for():
    given = [Acquisition(f"a{number}", "pores", Path("x"), group=f"a{number}") for number in range(100)]
    splits = [a.split for a in assign_splits(given, {"validation": 0.1, "test": 0.25}, 1)]
    assert [splits.count(split) for split in LEARNING] == [65, 10, 25]


@pytest.mark.parametrize("few", STRUCTURES)
def test_a_structure_with_few_groups_gets_each_split_of_those_that_it_shares(few):
    """As where a group is a day, on some of which only one structure was imaged."""
    days = {structure: range(3 if structure == few else 6) for structure in STRUCTURES}
    given = [
        Acquisition(f"{structure}_{day}", structure, Path("x"), group=f"day_{day}")
        for structure in STRUCTURES
        for day in days[structure]
    ]
    for seed in SEEDS:
        assigned = assign_splits(given, FRACTIONS, seed)
        for structure in STRUCTURES:
            assert {a.split for a in assigned if a.structure == structure} == set(LEARNING), seed


def test_a_group_may_hold_an_equals_sign(tmp_path, monkeypatch):
    source = {"acquisition": "a", "structure": "pores"}
    made = table.localizations({"x_nm": [1.0], "y_nm": [1.0]}, (0, 10, 0, 10), source)
    table.write(made, tmp_path / "a.parquet")
    words = ["lusco", "split", f"train=day=1={tmp_path / 'a.parquet'}", "--out", str(tmp_path / "splits.tsv")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert pd.read_csv(tmp_path / "splits.tsv", sep="\t").loc[0, ["split", "group"]].tolist() == ["train", "day=1"]
