"""Nothing more runs than a change asks for."""

import re
import subprocess
import sys

import pytest
import yaml
from dag import SNAKEFILE, planned, planned_files, pretend
from toy import (
    AFTER_EVALUATION,
    AFTER_TRAINING,
    CONFIG,
    EVERYTHING,
    LEARNT,
    MEASURED,
    SCORED,
    TESTING,
    edit,
    write_sheet,
)

# the first of the mixed acquisitions is an example in a figure of its own
APPLIED_ANEW = {"recolor_acquisition": 1, "export_acquisition": 1, "draw_mixed": 1}
NEW = {"ingest": 1, "render": 1, **APPLIED_ANEW, "split": 1, "report_page": 1, "record": 1}
CELL_1_ANEW = NEW | {"draw": 1}


def test_when_all_is_done_there_is_nothing_to_do(done):
    assert planned(done, CONFIG) == {}


def test_touching_inputs_and_code_runs_nothing(done):
    for path in [*(done / "resources").rglob("*"), *(done / "library").rglob("*.py")]:
        path.touch()
    assert planned(done, CONFIG) == {}


def test_another_experiment_shares_the_acquisitions(done):
    jobs = planned(done, CONFIG | {"experiment": "second"})
    assert jobs["simulate"] == jobs["ingest"] == jobs["render"] == 0
    assert jobs["train"] == 1


def test_a_new_mixed_acquisition_runs_only_what_shows_it(done):
    write_sheet(done, [*LEARNT, MEASURED, SCORED, "cell_2\tmixed\tcell_2.csv\t\t\t"])
    assert planned(done, CONFIG) == NEW
    assert not {name for name in planned_files(done, CONFIG) if "cell_1" in name}


def test_a_new_mixed_acquisition_with_a_truth_is_scored_too(done):
    write_sheet(done, [*LEARNT, MEASURED, SCORED, SCORED.replace("mixture", "mixture_2")])
    jobs = planned(done, CONFIG)
    assert jobs == {
        "simulate": 1,
        "render": 1,
        **APPLIED_ANEW,
        "split": 1,
        "evaluate": 1,
        "draw": 1,
        "report_page": 1,
        "record": 1,
    }


def test_a_new_training_acquisition_retrains_and_leaves_the_composites(done):
    write_sheet(done, [*LEARNT, LEARNT[0].replace("s_train", "s_train_2"), MEASURED, SCORED])
    assert planned(done, CONFIG) == {"simulate": 1, "render": 1, "split": 1, "train": 1, **AFTER_TRAINING}


def test_a_dry_run_says_that_a_new_training_acquisition_costs_a_training_and_why(done):
    """The command of docs/cluster.md."""
    write_sheet(done, [*LEARNT, LEARNT[0].replace("s_train", "s_train_2"), MEASURED, SCORED])
    (done / "toy.yaml").write_text(yaml.safe_dump(CONFIG))
    words = [sys.executable, "-m", "snakemake", "--snakefile", SNAKEFILE, "--configfile", "toy.yaml"]
    asked = [*map(str, words), "-n", "--quiet", "rules"]
    said = subprocess.run(asked, cwd=done, capture_output=True, text=True, timeout=120)
    told = said.stdout + said.stderr
    assert re.search(r"^train +1$", told, re.MULTILINE), told
    reasons = told.partition("Reasons:")[2]
    assert re.search(r"input files has changed since last execution:\n +.*\btrain\b", reasons), told


def test_another_split_is_written_down(done):
    more = [row.replace("_train\t", "_train_2\t") for row in LEARNT if "_train\t" in row]
    write_sheet(done, [*LEARNT, *more, MEASURED, SCORED])
    pretend(done, CONFIG)
    assert planned(done, CONFIG) == {}
    write_sheet(done, [*LEARNT, more[0], more[1].replace("\ttrain\t", "\ttest\t"), MEASURED, SCORED])
    assert planned(done, CONFIG)["split"] == 1


def test_a_model_of_few_acquisitions_is_trained_anew_for_other_ones_only(done):
    config = CONFIG | {"train": {"acquisitions": 1}}
    first, rest = LEARNT[0], LEARNT[1:]
    second = first.replace("_train\t", "_train_2\t")
    write_sheet(done, [first, *rest, MEASURED, SCORED])
    pretend(done, config)
    write_sheet(done, [first, second, *rest, MEASURED, SCORED])
    assert planned(done, config)["train"] == 0
    write_sheet(done, [second, first, *rest, MEASURED, SCORED])
    assert planned(done, config)["train"] == 1


def test_a_changed_source_runs_what_follows_from_it(done):
    (done / "resources" / "cell_1.csv").write_text("x")
    assert planned(done, CONFIG) == CELL_1_ANEW


@pytest.mark.parametrize("file", ["cell_1.hdf5", "cell_1.hdf"])
def test_the_pixel_size_that_picasso_keeps_beside_its_table_belongs_to_the_source(done, file):
    write_sheet(done, [*LEARNT, f"cell_1\tmixed\t{file}\t\t\t"])
    (done / "resources" / file).write_bytes(b"\x89HDF")
    (done / "resources" / "cell_1.yaml").write_text("Pixelsize: 100")
    pretend(done, CONFIG)
    assert planned(done, CONFIG) == {}
    (done / "resources" / "cell_1.yaml").write_text("Pixelsize: 130")
    assert planned(done, CONFIG)["ingest"] == 1


def test_a_key_that_nothing_depends_on_is_recorded_and_runs_nothing_else(done):
    write_sheet(done, [*LEARNT, SCORED])
    pretend(done, CONFIG)
    assert planned(done, CONFIG | {"ingest": {"photons_min": 100}}) == {"record": 1}


def test_a_default_that_is_written_out_and_another_order_run_nothing(done):
    written_out = {
        "train": {"steps": 3000, "depth": 2},
        "superpose": {"test_composites": 48},
        "recolor": {"threads": 2},
    }
    assert planned(done, dict(reversed((CONFIG | written_out).items()))) == {}


def test_an_edited_sweep_costs_no_training(done):
    edit(done / "library" / "lusco" / "sweep" / "__init__.py")
    assert planned(done, CONFIG) == {}
    swept = CONFIG | {"sweeps": {"density": [0.1, 1]}}
    jobs = planned(done, swept)
    assert jobs["train"] == jobs["superpose"] == 0
    pretend(done, swept)
    edit(done / "library" / "lusco" / "sweep" / "__init__.py")
    assert planned(done, swept) == {"sweep": 1, "recolor_composites": 1, "sweep_scores": 1, **AFTER_EVALUATION}


SETTINGS = {
    "evaluate.overlap_threshold": ({"evaluate": {"overlap_threshold": 0.2}}, {"evaluate": 1, **AFTER_EVALUATION}),
    "evaluate.smoothing_nm": (
        {"evaluate": {"smoothing_nm": 20}},  # the scale of a model's structures depends on it
        {"train": 1, **AFTER_TRAINING},
    ),
    "superpose.test_composites": ({"superpose": {"test_composites": 3}}, {"superpose": 1, **TESTING}),
    "superpose.validation_composites": (
        {"superpose": {"validation_composites": 3}},
        {"superpose": 1, "train": 1, **AFTER_TRAINING},
    ),
    "recolor.crosstalk": (
        {"recolor": {"crosstalk": 0.02}},
        {"recolor_acquisition": 2, "export_acquisition": 2, "draw_mixed": 2, "evaluate": 1, **AFTER_EVALUATION},
    ),
    "sweeps.density": (
        {"sweeps": {"density": [0.5, 1]}},
        {"sweep": 1, "recolor_composites": 1, "sweep_scores": 1, **AFTER_EVALUATION},
    ),
    "sweeps.composites without a sweep": ({"sweeps": {"composites": 7}}, {"record": 1}),
    "train.steps": ({"train": {"steps": 7}}, {"train": 1, **AFTER_TRAINING}),
    "another model": ({"models": {"unet": {}, "second": {"head": "regression"}}, "model": "unet"}, None),
    "ingest.photons_min": (
        {"ingest": {"photons_min": 100}},
        CELL_1_ANEW,
    ),
}


@pytest.mark.parametrize(("change", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_a_changed_setting_runs_its_own_stages(done, change, expected):
    jobs = planned(done, CONFIG | change)
    if expected is None:
        assert jobs == {"split": 1, "train": 1, **TESTING}, "whether it can be shown all alike is checked anew"
        assert not {name for name in planned_files(done, CONFIG | change) if "models/unet/" in name}
    else:
        assert jobs == expected


EVERYTHING_SIMULATED = {"simulate": 7, "render": 7, "split": 1, "superpose": 2, "train": 1, **AFTER_TRAINING}
EDITS = {
    "report/template.html": {"report_page": 1, "record": 1},
    "figures/overlap.py": {"draw_mixed": 2, **AFTER_EVALUATION},
    "evaluate/overlap.py": {"evaluate": 1, **AFTER_EVALUATION},
    "recolor/__init__.py": {"recolor_acquisition": 2, "export_acquisition": 2, "draw_mixed": 2, **TESTING},
    "export.py": {"export_acquisition": 2},
    "image.py": CELL_1_ANEW
    | {"render": 8, "recolor_acquisition": 2, "export_acquisition": 2, "draw_mixed": 2, **TESTING},
    "network.py": {"train": 1, **AFTER_TRAINING},
    "train/loop.py": {"train": 1, **AFTER_TRAINING},
    "superpose/composites.py": {"superpose": 2, "train": 1, **AFTER_TRAINING},
    "simulate/microtubules.py": EVERYTHING_SIMULATED,
    "ingest/text.py": CELL_1_ANEW,
    "schema.py": EVERYTHING,  # which each stage imports through another module
    "config.py": {},
    "sheet_reader.py": {},
    "sheet_faults.py": {},
    "cli/models.py": {},
    "../../workflow/report/overlap.rst": {"report_page": 1, "record": 1},
    "../../workflow/schemas/simulation.schema.yaml": EVERYTHING_SIMULATED,
}


@pytest.mark.parametrize(("module", "expected"), EDITS.items(), ids=EDITS)
def test_an_edited_module_runs_its_own_stages(done, module, expected):
    edit(done / "library" / "lusco" / module)
    assert planned(done, CONFIG) == expected


def test_every_stage_depends_on_its_own_code(done):
    """A stage whose module is edited runs again, whichever it is."""
    for rule, module in {
        "simulate": "simulate/acquisition.py",
        "ingest": "ingest/__init__.py",
        "render": "render.py",
        "split": "split.py",
        "superpose": "superpose/__init__.py",
        "train": "train/__init__.py",
        "model": "model.py",
        "recolor_composites": "recolor/__init__.py",
        "recolor_acquisition": "recolor/__init__.py",
        "export_acquisition": "export.py",
        "evaluate": "evaluate/__init__.py",
        "draw": "figures/__init__.py",
        "draw_mixed": "figures/draw_mixed.py",
        "report_page": "report/__init__.py",
        "record": "record.py",
    }.items():
        path = done / "library" / "lusco" / module
        before = path.read_text()
        edit(path)
        assert planned(done, CONFIG)[rule] > 0, module
        path.write_text(before)
