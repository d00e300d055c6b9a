"""Splits are assigned by group, reproducibly and as asked for: on many random sheets."""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lusco import table
from lusco.cli import main
from lusco.errors import InputError
from lusco.settings import stage_settings
from lusco.sheet import LEARNING, SPLITS, Acquisition
from lusco.sheet_reader import assign_splits
from lusco.split import check_alike

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
    source = {"acquisition": "a", "structure": "pores", "format": "csv", "path": "a.csv"}
    made = table.localizations({"x_nm": [1.0], "y_nm": [1.0]}, (0, 10, 0, 10), source)
    table.write(made, tmp_path / "a.parquet")
    words = ["lusco", "split", f"train=day=1={tmp_path / 'a.parquet'}", "--out", str(tmp_path / "splits.tsv")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert pd.read_csv(tmp_path / "splits.tsv", sep="\t").loc[0, ["split", "group", "file"]].tolist() == [
        "train",
        "day=1",
        "a.csv",
    ]


def blinking(rng: np.random.Generator, repeats: int) -> dict[str, np.ndarray]:
    """Localizations of 400 molecules in 8 um, each found again within ten frames so many times."""
    shape = (400, repeats)
    place = {axis: rng.uniform(0, 8000, (400, 1)) + rng.normal(0, 8, shape) for axis in ("x_nm", "y_nm")}
    frame = rng.integers(1, 10_000, (400, 1)) + rng.integers(0, 10, shape)
    columns = {axis: np.clip(values, 0, 8000) for axis, values in place.items()}
    columns |= {"frame": frame, "uncertainty_nm": np.full(shape, 8.0)}
    return {name: values.ravel() for name, values in columns.items()}


def assigned(folder: Path, changes: dict[str, dict[str, np.ndarray]], repeats: int = 4) -> list[tuple[str, str, Path]]:
    """An acquisition for each split, and two mixtures; some lack columns (None), or have others."""
    rng, found = np.random.default_rng(0), []
    for name in ("train", "validation", "test", "apply_1", "apply_2"):
        changed = blinking(rng, repeats) | changes.get(name, {})
        columns = {key: values for key, values in changed.items() if values is not None}
        path = folder / f"{name}.parquet"
        source = {"acquisition": name, "structure": "mixed" if name.startswith("apply") else "pores"}
        table.write(table.localizations(columns, (0, 8000, 0, 8000), source), path)
        found.append((name.split("_")[0], "", path))
    return found


def faults(given: list[tuple[str, str, Path]], **settings: object) -> list[str]:
    try:
        check_alike(given, [stage_settings("train", settings)])
    except InputError as error:
        return [str(fault) for fault in error.faults]
    return []


NO_FRAMES, NO_PRECISION = {"frame": None}, {"uncertainty_nm": None}
IMAGE, MASK = ({"weight": np.full(1600, count, dtype=np.float32)} for count in (2, 1))
TRACES = {"trace": np.arange(1600) // 4}


def test_what_lacks_the_frames_or_uncertainties_of_what_is_learned_from_is_told_before_the_training(tmp_path):
    assert faults(assigned(tmp_path, {})) == []
    lacking = assigned(tmp_path, {"test": NO_PRECISION, "apply_2": NO_FRAMES})
    test, mixture = faults(lacking)
    assert test.startswith("test: 1600 of its 1600 localizations lack an uncertainty")
    assert mixture.startswith("apply_2: it has no frames, by which")
    assert faults(lacking, settle=False) == faults(lacking, head="regression") == []


@pytest.mark.parametrize(
    ("changes", "repeats"),
    [({"train": NO_FRAMES, "apply_1": NO_FRAMES}, 4), ({"validation": NO_PRECISION}, 4), ({"apply_1": NO_FRAMES}, 1)],
)
def test_a_model_that_cannot_tell_repeats_asks_none_of_what_it_is_applied_to(tmp_path, changes, repeats):
    assert faults(assigned(tmp_path, changes, repeats)) == []


def test_only_the_acquisitions_that_a_model_learns_from_are_asked(tmp_path):
    """Of two to train on, the model learns from the first."""
    first, *others = assigned(tmp_path, {"apply_1": NO_FRAMES})
    (tmp_path / "more").mkdir()
    (unused, *_) = assigned(tmp_path / "more", {"train": NO_FRAMES})
    given = [first, unused, *others]
    assert faults(given) == [], "it lacks frames itself"
    (fault,) = faults(given, acquisitions=1)
    assert fault.startswith("apply_1: it has no frames")


def test_every_model_is_tested_and_the_first_recolours_mixtures(tmp_path):
    given = assigned(tmp_path, {"test": NO_FRAMES, "apply_1": NO_FRAMES})
    settling, other = (stage_settings("train", {"settle": settle}) for settle in (True, False))
    for models, said in (([other], []), ([other, settling], ["test"]), ([settling, other], ["test", "apply_1"])):
        try:
            check_alike(given, models)
            named = []
        except InputError as error:
            named = [fault.file for fault in error.faults]
        assert named == said


def test_mixtures_need_traces_where_these_are_learned_from_and_so_do_acquisitions_of_the_same_structure(tmp_path):
    traced = dict.fromkeys(("train", "validation", "apply_1"), TRACES)
    test, mixture = faults(assigned(tmp_path, traced))
    assert test.startswith("test: it names no traces")
    assert mixture.startswith("apply_2: it names no traces")
    assert faults(assigned(tmp_path, traced | {"test": TRACES, "apply_2": TRACES})) == []
    (validation,) = faults(assigned(tmp_path, traced | {"validation": {}, "test": TRACES, "apply_2": TRACES}))
    assert validation.startswith("validation: it names no traces")


def test_an_image_is_refused_where_localizations_are_learned_from_and_told_once(tmp_path):
    images = assigned(tmp_path, {"apply_1": IMAGE})
    assert [fault[:24] for fault in faults(images, settle=False)] == ["apply_1: it is an image,"]
    mask = assigned(tmp_path, {"apply_1": MASK})
    assert [fault[:24] for fault in faults(mask, settle=False)] == ["apply_1: it is an image,"]
    assert faults(assigned(tmp_path, {"train": MASK, "apply_1": IMAGE}), settle=False) == []
    images = assigned(tmp_path, {"apply_1": IMAGE})
    assert len(faults(assigned(tmp_path, {"apply_1": IMAGE | NO_FRAMES}))) == 1
    assert faults(images, settle=False, subpixels=1) == []
    assert faults(assigned(tmp_path, {"train": IMAGE | NO_FRAMES, "apply_1": IMAGE | NO_FRAMES})) == []
