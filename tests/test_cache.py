"""A finished training is shared between working copies, and another training is not taken for it."""

import pytest
from dag import copy_project
from whole_run import run

pytestmark = pytest.mark.slow

WEIGHTS = "results/whole/models/unet/weights.safetensors"
LOG = "results/whole/logs/train_unet.log"


def test_a_second_working_copy_takes_the_training_of_the_first(whole, tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(tmp_path / "cache"))
    copies = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        copies.append(copy_project(tmp_path / name))
    first, second = copies

    run(first, "--cache", "train", "--", WEIGHTS)
    assert (first / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert "step 20 of 20" in (first / LOG).read_text(), "it was trained"

    run(second, "--cache", "train", "--", WEIGHTS)
    assert (second / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert (second / LOG).read_text() == "", "it was not trained again"

    stored = len(list((tmp_path / "cache").glob("*weights*")))
    run(second, "--config", "seed=2", "--cache", "train", "--", WEIGHTS)
    assert len(list((tmp_path / "cache").glob("*weights*"))) == stored + 1
    assert (second / WEIGHTS).read_bytes() != (whole / WEIGHTS).read_bytes()
