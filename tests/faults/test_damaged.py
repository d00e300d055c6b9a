"""A file that was cut off after it was written: the next stage names it, and without it the run makes it anew."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from dag import planned
from whole_run import CONFIG, different, run, snakemake

pytestmark = pytest.mark.slow

HERE = "results/whole"
UNET = f"{HERE}/models/unet"
APPLIED = f"{HERE}/models_applied/unet/test"
COMPOSITES = f"{HERE}/composites/test.arrow"
MIXTURE = "results/acquisitions/mixture/*/localizations.parquet"
SCORED = f"{HERE}/recolored/mixture.csv"
MIXED = f"{HERE}/recolored/mixtures/mixture.json"

RENDER = ["render", MIXTURE, "--pixel-nm", "20", "--out", "new.ome.tiff"]
RECOLOR = ["recolor-composites", UNET, COMPOSITES, "--out", "new"]
EVALUATE = ["evaluate", COMPOSITES, "--model", f"unet={UNET}={APPLIED}", "--chosen", "unet", "--out", "new"]
DRAW = ["figures", COMPOSITES, "--applied", APPLIED, "--model", f"{HERE}/model", "--evaluation", f"{HERE}/evaluation"]
DRAW += ["--chosen", "unet", "--crosstalk", "0.01", "--out", "new"]

SHOWN = {"experiment": "whole", "model": "unet", "sweeps": {}, "recolor": {"crosstalk": 0.01}}
REPORT = ["report", "--config", json.dumps(SHOWN)]
REPORT += ["--model", f"{HERE}/model", "--evaluation", f"{HERE}/evaluation", "--figures", f"{HERE}/figures"]
REPORT += [
    "--drawn",
    "loss",
    "--splits",
    f"{HERE}/splits.tsv",
    "--mixture",
    MIXED,
    "--viewer",
    f"{HERE}/viewer",
    "--out",
    "new",
]

# a file, the next stage, and the rule that makes the file again
CASES = {
    MIXTURE: (RENDER, "simulate"),
    COMPOSITES: (RECOLOR, "superpose"),
    f"{UNET}/weights.safetensors": (RECOLOR, "train"),
    f"{UNET}/model.json": (RECOLOR, "train"),
    f"{APPLIED}/channels.npy": (EVALUATE, "recolor_composites"),
    f"{APPLIED}/probabilities.npy": (EVALUATE, "recolor_composites"),
    f"{APPLIED}/regions.csv": (EVALUATE, "recolor_composites"),
    SCORED: ([*EVALUATE, "--scored", f"mixture={SCORED}"], "recolor_acquisition"),
    f"{HERE}/evaluation/distances.csv": (DRAW, "evaluate"),
    MIXED: (REPORT, "recolor_acquisition"),
    f"{HERE}/figures/loss.svg": (REPORT, "draw"),
    f"{HERE}/figures/loss.csv": (REPORT, "draw"),
    f"{HERE}/figures/mixed_mixture.svg": (REPORT, "draw_mixed"),
    f"{HERE}/viewer/composites.js": (REPORT, "draw"),
    f"{HERE}/viewer/mixed/mixture.js": (REPORT, "draw_mixed"),
}


def found(folder: Path, pattern: str) -> str:
    """A path whose folder is named by a hash; others as they are."""
    return str(next(folder.glob(pattern)).relative_to(folder)) if "*" in pattern else pattern


@pytest.mark.parametrize("left", [0.0, 0.6])
@pytest.mark.parametrize("pattern", CASES)
def test_the_next_stage_names_a_file_that_was_cut_off(done, last_words, pattern, left):
    words, rule = CASES[pattern]
    file = found(done, pattern)
    rest = Path(file).read_bytes()[: int(Path(file).stat().st_size * left)]
    # where a line ends, a table that is cut off cannot be told from a short one
    os.truncate(file, len(rest.rstrip(b"\n")))
    said = last_words(*(found(done, word) for word in words))
    assert said.startswith(f"{file}: ") and "\n" not in said
    assert "delete it and run again" in said
    assert not Path("new").exists()
    Path(file).unlink()
    assert rule in planned(done, yaml.safe_load(CONFIG.read_text()), [file])


def test_without_the_damaged_files_the_run_comes_to_the_same_bytes(done, whole):
    targets = (f"{APPLIED}/channels.npy", SCORED)
    damaged = {found(done, pattern) for pattern in (MIXTURE, COMPOSITES)}
    for file in damaged:
        os.truncate(file, Path(file).stat().st_size // 2)
    status, said = snakemake(done, *targets)
    assert status and "Traceback" not in said
    assert set(re.findall(r"^(\S+): .*delete it and run again", said, re.MULTILINE)) == damaged
    for file in damaged:
        Path(file).unlink()
    run(done, *targets)
    assert not different(done, whole)
