"""A training shared by several processes is the training of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from lines_and_dots import SETTINGS, write_material

from lusco.model import read_description

TOLERANCE = 1e-4  # sums are taken in another order


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    write_material(folder)
    return folder


def train(folder: Path, **settings) -> tuple[Path, str]:
    out = folder / f"trained_{len(list(folder.glob('trained_*')))}"
    how = json.dumps(SETTINGS | {"steps": 60, "threads": 1, "precision": "float32"} | settings)
    tables = sorted(folder.glob("*_[01].parquet"))
    command = [sys.executable, "-m", "lusco", "--log", out / "train.log", "train", *tables, "--settings", how]
    command += ["--validation", folder / "validation.arrow", "--smoothing-nm", "12", "--out", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return out, done.stderr


@pytest.mark.slow
def test_two_processes_give_the_loss_curve_of_one(material):
    alone, _ = train(material, devices=1)
    shared, said = train(material, devices=2)
    one, two = (pd.read_csv(folder / "history.csv") for folder in (alone, shared))
    assert one["step"].tolist() == two["step"].tolist()
    for curve in ("train_loss", "validation_loss"):
        assert two[curve].to_numpy() == pytest.approx(one[curve].to_numpy(), rel=TOLERANCE), curve
    assert one["validation_loss"].iloc[-1] < 0.8 * one["validation_loss"].iloc[0], "it learnt"
    assert read_description(shared).training["settings"]["devices"] == 2
    assert said.count("2 processes") == 1, "one of them speaks"
    assert not list(shared.glob(".*")), "nothing unfinished is left"


@pytest.mark.slow
def test_two_processes_give_the_same_bytes_twice(material):
    first, _ = train(material, devices=2, steps=20)
    second, _ = train(material, steps=20, devices=2)
    for file in ("weights.safetensors", "history.csv"):
        assert (first / file).read_bytes() == (second / file).read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_the_number_of_cores_that_the_machine_gives_changes_nothing(material):
    free, _ = train(material, threads=2, steps=20)
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})  # as on a smaller machine, or in a job of one core
        bound, _ = train(material, threads=2, steps=20)
    finally:
        os.sched_setaffinity(0, allowed)
    for file in ("weights.safetensors", "history.csv"):
        assert (free / file).read_bytes() == (bound / file).read_bytes()
