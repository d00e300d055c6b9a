"""What runs where nothing was run: asked of Snakemake without running anything."""

import subprocess
import sys
from collections import Counter

import pytest
import yaml
from dag import PROJECT, SNAKEFILE, commands, planned, planned_files, resources
from snakemake.exceptions import WorkflowError
from toy import CONFIG, EVERYTHING, STRUCTURES

EXPERIMENTS = sorted((PROJECT / "resources" / "experiments").glob("*.yaml"))


def test_a_fresh_run_goes_all_the_way(fresh):
    assert planned(fresh, CONFIG) == EVERYTHING


def test_the_contract_is_what_is_made(fresh):
    files = planned_files(fresh, CONFIG)
    for name in (
        *(
            f"recolored/{acquisition}{ending}"
            for acquisition in ("cell_1", "mixture")
            for ending in (".ome.tiff", ".csv", ".hdf5", ".yaml", ".smlm")
        ),
        *(f"model/{file}" for file in ("model.json", "weights.safetensors")),
        *(f"evaluation/{table}.csv" for table in ("distances", "overlap", "assignment", "summary")),
        "report.html",
    ):
        assert f"results/toy/{name}" in files
    assert any(name.startswith("results/toy/figures/") for name in files)


@pytest.mark.parametrize(
    ("change", "asking"),
    [
        ({}, {"train": 1}),
        ({"train": {"devices": 4}}, {"train": 4}),
        ({"train": {"device": "cpu"}}, {}),
        (
            {"train": {"device": "cpu"}, "recolor": {"device": "cuda"}},
            {"recolor_acquisition": 1, "recolor_composites": 1},
        ),
    ],
)
def test_jobs_ask_for_gpus_where_they_compute_on_them(fresh, change, asking):
    asked = resources(fresh, CONFIG | change, "gpu")
    assert {rule: number for rule, number in asked.items() if number} == asking


def test_a_model_that_starts_from_another_waits_for_it(fresh):
    config = CONFIG | {"models": {"first": {}, "second": {"start_from": "first"}, "other": {}}, "model": "second"}
    assert planned(fresh, config, ["results/toy/models/other/model.json"])["train"] == 1
    assert planned(fresh, config, ["results/toy/models/second/model.json"])["train"] == 2


def test_a_model_that_is_only_a_start_is_trained_and_neither_chosen_nor_tested(fresh):
    own = {"first": {"scored": False}, "second": {"start_from": "first"}}
    alone, chain = CONFIG | {"models": {"second": {}}}, CONFIG | {"models": own}
    assert planned(fresh, chain) - planned(fresh, alone) == Counter(train=1)
    (unscored,) = (command for command in commands(fresh, chain, ["train"]) if "--no-scored" in command)
    assert "--out results/toy/models/first" in unscored
    assert not any(
        "first" in command for command in commands(fresh, chain, ["evaluate", "recolor_composites", "model"])
    )


EVERY_RULE = CONFIG | {
    "models": {"unet": {}, "forest": {"peer": "trees", "minutes": 1}},
    "sweeps": {"density": [0.5]},
    "train": {"devices": 2},
}


def test_a_second_attempt_gets_twice_the_memory(fresh):
    """By the rule itself, or by the profile for Slurm where a rule does not say how much."""
    first, second = (resources(fresh, EVERY_RULE, "mem_mb", attempt) for attempt in (1, 2))
    silent = {"simulate", "split", "model", "report_page", "record"}
    assert {rule for rule, asked in first.items() if not asked} == silent
    assert {rule: 2 * asked for rule, asked in first.items()} == second
    assert first["train"] == 16_000, "8 GB a process"
    profile = yaml.safe_load((PROJECT / "workflow" / "profiles" / "slurm" / "profile.yaml").read_text())
    assert profile["default-resources"]["mem_mb"] == "4000 * attempt" and profile["retries"] == 1


def test_figures_stop_before_the_report(fresh):
    assert planned(fresh, CONFIG, ["figures"])["draw"] == 1
    assert planned(fresh, CONFIG, ["figures"])["report_page"] == 0


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_shipped_experiment_can_be_planned(fresh, experiment):
    config = yaml.safe_load(experiment.read_text())
    jobs = planned(fresh, config)
    if "pretrained" in config:
        assert jobs["recolor_acquisition"] == 1
        assert jobs["train"] == 0
    else:
        assert jobs["report_page"] == jobs["evaluate"] == 1
        assert jobs["train"] >= 1


def test_the_default_experiment_can_be_planned(fresh):
    assert planned(fresh, {})["report_page"] == 1


# faults


FAULTS = {
    "unknown key": ({"strutures": 1}, "config.yaml: unknown key `strutures`; did you mean `structures`."),
    "no sheet": ({"acquisitions": "no.tsv"}, "no.tsv: the sheet of acquisitions does not exist; check the key"),
    "structure without acquisitions": (
        {"structures": [*STRUCTURES, "actin"]},
        "resources/toy.tsv: the structure `actin` has 0 acquisitions to learn from and none for train and",
    ),
    "no pretrained model": (
        {"pretrained": "no"},
        "config.yaml, key `pretrained`: there is no model in the folder `no`;",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_a_sentence(fresh, change, sentence):
    with pytest.raises(WorkflowError) as caught:
        planned(fresh, CONFIG | change)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_fault_ends_snakemake_without_a_traceback(fresh):
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", SNAKEFILE, "--config", "strutures=1"]
    run = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "config.yaml: unknown key `strutures`; did you mean `structures`." in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
