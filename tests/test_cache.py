"""A finished training is shared between working copies, and another training is not taken for it."""

import shutil

import pytest
from whole_run import CONFIG, run

pytestmark = pytest.mark.slow

UNET = "results/whole/models/unet"
WEIGHTS = f"{UNET}/weights.safetensors"
LOG = "results/whole/logs/train_unet.log"


def test_a_second_working_copy_takes_the_training_of_the_first(whole, tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(tmp_path / "cache"))
    first, second = (shutil.copytree(whole, tmp_path / name) for name in ("first", "second"))
    for copy in (first, second):
        shutil.rmtree(copy / UNET)

    run(first, "--cache", "train", "--", WEIGHTS)
    assert (first / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert "step 20 of 20" in (first / LOG).read_text(), "it was trained"

    run(second, "--cache", "train", "--", WEIGHTS)
    assert (second / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert (second / LOG).read_text() == "", "it was not trained again"

    stored = len(list((tmp_path / "cache").glob("*weights*")))
    (second / "other.yaml").write_text("train: {steps: 10}\n")
    run(second, "--configfile", str(CONFIG), "other.yaml", "--cache", "train", "--", WEIGHTS)
    assert len(list((tmp_path / "cache").glob("*weights*"))) == stored + 1
    assert (second / WEIGHTS).read_bytes() != (whole / WEIGHTS).read_bytes()

    sheet = second / "tests" / "config" / "whole.tsv"
    sheet.write_text(sheet.read_text().replace("microtubules_1\t", "microtubules_9\t"))  # simulated from its name
    run(second, "--cache", "train", "--", WEIGHTS)
    assert len(list((tmp_path / "cache").glob("*weights*"))) == stored + 2
