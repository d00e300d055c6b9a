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

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    write_material(folder)
    return folder


def train(folder: Path, **settings) -> tuple[Path, str]:
    """The folder of a model, and what was said."""
    out = folder / f"trained_{len(list(folder.glob('trained_*')))}"
    how = json.dumps(SETTINGS | {"steps": 60, "threads": 2, "precision": "float32"} | settings)
    tables = sorted(folder.glob("*_[01].parquet"))
    command = [sys.executable, "-m", "lusco", "--log", out / "train.log", "train", *tables, "--settings", how]
    command += ["--validation", folder / "validation.arrow", "--smoothing-nm", "12", "--out", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return out, done.stderr


@pytest.fixture(scope="module")
def alone(material) -> Path:
    return train(material)[0]


@pytest.fixture(scope="module")
def shared(material) -> tuple[Path, str]:
    return train(material, devices=2)


def same(one: Path, other: Path) -> bool:
    files = ("weights.safetensors", "history.csv")
    return all((one / file).read_bytes() == (other / file).read_bytes() for file in files)


def test_two_processes_give_the_loss_curve_of_one(alone, shared):
    folder, said = shared
    one, two = (pd.read_csv(place / "history.csv") for place in (alone, folder))
    assert one["step"].tolist() == two["step"].tolist()
    for curve in ("train_loss", "validation_loss"):
        assert two[curve].to_numpy() == pytest.approx(one[curve].to_numpy(), rel=TOLERANCE), curve
    assert one["validation_loss"].iloc[-1] < 0.8 * one["validation_loss"].iloc[0], "it learnt"
    assert read_description(folder).training["settings"]["devices"] == 2
    assert said.count("2 processes") == 1, "one of them speaks"
    assert not list(folder.glob(".*")), "nothing unfinished is left"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_two_processes_give_the_same_bytes_again_on_fewer_cores(material, alone, shared):
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})  # as on a smaller machine, or in a job of one core
        again, _ = train(material, devices=2)
    finally:
        os.sched_setaffinity(0, allowed)
    assert same(shared[0], again) and not same(shared[0], alone)
