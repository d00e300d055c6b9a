"""What runs where there is a model already."""

import json
import shlex

import pytest
from dag import commands, planned
from snakemake.settings.types import Batch
from toy import AFTER_TRAINING, CONFIG, MEASURED, edit, put_model, write_sheet

APPLIED = {"recolor_acquisition": 1, "export_acquisition": 1}


@pytest.fixture
def pretrained(fresh) -> dict:
    """A configuration that names a model, in a folder where nothing was run."""
    put_model(fresh / "models" / "published")
    return CONFIG | {"pretrained": "models/published"}


def test_with_a_pretrained_model_nothing_is_trained(fresh, pretrained):
    jobs = planned(fresh, pretrained)
    assert "train" not in jobs
    assert jobs["superpose"] == 1, "only the test composites"
    assert {rule: jobs[rule] for rule in AFTER_TRAINING} == AFTER_TRAINING


def test_a_pretrained_model_only_recolors_where_there_are_only_mixed_acquisitions(fresh, pretrained):
    write_sheet(fresh, [MEASURED])
    assert planned(fresh, pretrained, ["recolor"]) == {"ingest": 1, "model": 1, **APPLIED}
    shown = {"draw_mixed": 1, "split": 1, "report_page": 1, "record": 1}
    assert planned(fresh, pretrained) == {"ingest": 1, "render": 1, "model": 1, **APPLIED, **shown}


def test_what_a_training_would_tell_is_left_out_of_the_command_of_the_split(fresh, pretrained):
    """An option without its value stopped every run that had a pretrained model and a report."""
    (words,) = (shlex.split(command) for command in commands(fresh, pretrained, ["split"]))
    assert "--training" not in words
    assert words[-2] == "--out"
    (words,) = (shlex.split(command) for command in commands(fresh, CONFIG, ["split"]))
    assert set(json.loads(words[words.index("--training") + 1])) == {"head", "settle", "subpixels", "acquisitions"}


def test_sweeps_need_test_acquisitions(fresh, pretrained):
    swept = pretrained | {"sweeps": {"density": [0.5, 1], "composites": 2}}
    assert planned(fresh, swept)["sweep_scores"] == 1
    write_sheet(fresh, [MEASURED])
    assert "sweep_scores" not in planned(fresh, swept)


def test_recolor_makes_nothing_but_recoloured_acquisitions(fresh, pretrained):
    assert planned(fresh, pretrained, ["recolor"]) == {
        "simulate": 1,
        "ingest": 1,
        "model": 1,
        "recolor_acquisition": 2,
        "export_acquisition": 2,
    }


def test_a_part_of_many_acquisitions_can_be_planned_by_itself(fresh, pretrained):
    """All but the last, for which Snakemake wants the others to be done."""
    write_sheet(fresh, [MEASURED.replace("cell_1\t", f"many_{index}\t") for index in range(6)])
    parts = [planned(fresh, pretrained, ["recolor"], batch=Batch("recolor", part, 3)) for part in (1, 2)]
    assert parts == 2 * [{"ingest": 2, "model": 1, "recolor_acquisition": 2, "export_acquisition": 2}]


def test_an_own_model_used_as_pretrained_is_not_trained_again(done):
    config = CONFIG | {"pretrained": "results/toy/models/unet"}
    edit(done / "library" / "lusco" / "train" / "loop.py")
    assert "train" not in planned(done, config)
