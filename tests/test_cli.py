"""Stages that are run by hand: what cannot be meant gets a sentence."""

from typing import get_args

import pytest
from typer.testing import CliRunner

from lusco.cli import app
from lusco.cli.options import Sweep
from lusco.sweep import SWEEPS

WRONG = {
    "a split that there is not": (
        "superpose t --split tset --structures a,b --pixel-nm 20 --out c",
        "'tset' is not one of",
    ),
    "a sweep that there is not": (
        "sweep t --kind foo --levels 1 --composites 1 --structures a,b --pixel-nm 20 --out c",
        "'foo' is not one of",
    ),
    "pixels without a size": ("superpose t --split test --structures a,b --pixel-nm 0 --out c", "'--pixel-nm'"),
    "a model without its folders": (
        "evaluate c --model unet --chosen unet --out e",
        "`unet` is not a name, a model and",
    ),
}


@pytest.mark.parametrize(("words", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_told_without_a_traceback(words, sentence):
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, words.split())
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit)
    assert sentence in " ".join(result.output.replace("│", " ").split())


def test_every_sweep_can_be_asked_for():
    assert set(get_args(Sweep)) == set(SWEEPS)
