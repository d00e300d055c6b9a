"""What runs when: asked of Snakemake without running anything."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dag import PROJECT, SNAKEFILE, copy_project, planned, planned_files, pretend
from snakemake.exceptions import WorkflowError

import lusco

EXPERIMENTS = sorted((PROJECT / "resources" / "experiments").glob("*.yaml"))
STRUCTURES = ["microtubules", "nuclear_pores"]
CONFIG = {
    "experiment": "toy",
    "structures": STRUCTURES,
    "acquisitions": "resources/toy.tsv",
    "pixel_nm": 20,
}
HEADER = "acquisition\tstructure\tpath\tformat\tsplit\ttruth_column"
LEARNT = [
    f"{structure}_{split}\t{structure}\tsimulations/{structure}.yaml\tsimulation\t{split}\t"
    for structure in STRUCTURES
    for split in ("train", "validation", "test")
]
MEASURED = "cell_1\tmixed\tcell_1.csv\t\t\t"
SCORED = "mixture\tmixed\tsimulations/mixed_three.yaml\tsimulation\t\tstructure"

TESTING = {"recolor_composites": 1, "evaluate": 1, "draw": 1, "report_page": 1}
AFTER_TRAINING = TESTING | {"model": 1, "recolor_acquisition": 2}
AFTER_EVALUATION = {"draw": 1, "report_page": 1}
EVERYTHING = {
    "simulate": 7,
    "ingest": 1,
    "render": 8,
    "split": 1,
    "superpose": 2,
    "train": 1,
    **AFTER_TRAINING,
}


def write_sheet(folder: Path, rows: list[str], name: str = "toy.tsv") -> None:
    (folder / "resources" / name).write_text("\n".join([HEADER, *rows]) + "\n")


def edit(path: Path) -> None:
    path.write_text(path.read_text() + ("<!-- -->" if path.suffix == ".html" else "\n# edited\n"))


@pytest.fixture(scope="module")
def fresh_folder(tmp_path_factory) -> Path:
    """A folder with the project's configuration and a small sheet, where nothing was run."""
    folder = tmp_path_factory.mktemp("fresh")
    copy_project(folder)
    library = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "workflow" / "lusco", folder / "library" / "lusco", ignore=library)
    for name in ("cell_1", "cell_2"):
        (folder / "resources" / f"{name}.csv").touch()
    write_sheet(folder, [*LEARNT, MEASURED, SCORED])
    return folder


@pytest.fixture(scope="module")
def done_folder(fresh_folder, tmp_path_factory) -> Path:
    """The same, where everything is taken for done."""
    folder = tmp_path_factory.mktemp("done") / "project"
    shutil.copytree(fresh_folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lusco, "__file__", str(folder / "library" / "lusco" / "__init__.py"))
        pretend(folder, CONFIG)
    return folder


@pytest.fixture
def fresh(fresh_folder, tmp_path) -> Path:
    return Path(shutil.copytree(fresh_folder, tmp_path / "project"))


@pytest.fixture
def done(done_folder, tmp_path, monkeypatch) -> Path:
    """A folder of its own for each test, with its own copy of the library's code to edit."""
    folder = Path(shutil.copytree(done_folder, tmp_path / "project"))
    monkeypatch.setattr(lusco, "__file__", str(folder / "library" / "lusco" / "__init__.py"))
    return folder


def put_model(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.json", "weights.safetensors"):
        (folder / name).touch()


def test_a_fresh_run_goes_all_the_way(fresh):
    assert planned(fresh, CONFIG) == EVERYTHING


def test_the_contract_is_what_is_made(fresh):
    files = planned_files(fresh, CONFIG)
    for name in (
        *(
            f"recolored/{acquisition}{ending}"
            for acquisition in ("cell_1", "mixture")
            for ending in (".ome.tiff", ".csv")
        ),
        *(f"model/{file}" for file in ("model.json", "weights.safetensors")),
        *(f"evaluation/{table}.csv" for table in ("distances", "overlap", "assignment", "summary")),
        "report.html",
    ):
        assert f"results/toy/{name}" in files
    assert any(name.startswith("results/toy/figures/") for name in files)


def test_figures_stop_before_the_report(fresh):
    assert planned(fresh, CONFIG, ["figures"])["draw"] == 1
    assert planned(fresh, CONFIG, ["figures"])["report_page"] == 0


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_shipped_experiment_can_be_planned(fresh, experiment):
    config = yaml.safe_load(experiment.read_text())
    for how in config.get("models", {}).values():
        if "start_from" in how:
            put_model(fresh / how["start_from"])
    jobs = planned(fresh, config)
    assert jobs["report_page"] == jobs["evaluate"] == 1
    assert jobs["train"] >= 1


def test_the_default_experiment_can_be_planned(fresh):
    assert planned(fresh, {})["report_page"] == 1


# nothing more than needed


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
    expected = {"ingest": 1, "render": 1, "recolor_acquisition": 1, "split": 1, "draw": 1, "report_page": 1}
    assert planned(done, CONFIG) == expected
    assert not {name for name in planned_files(done, CONFIG) if "cell_1" in name and "figures" not in name}


def test_a_new_mixed_acquisition_with_a_truth_is_scored_too(done):
    write_sheet(done, [*LEARNT, MEASURED, SCORED, SCORED.replace("mixture", "mixture_2")])
    jobs = planned(done, CONFIG)
    assert jobs == {
        "simulate": 1,
        "render": 1,
        "recolor_acquisition": 1,
        "split": 1,
        "evaluate": 1,
        "draw": 1,
        "report_page": 1,
    }


def test_a_new_training_acquisition_retrains_and_leaves_the_composites(done):
    write_sheet(done, [*LEARNT, LEARNT[0].replace("s_train", "s_train_2"), MEASURED, SCORED])
    assert planned(done, CONFIG) == {"simulate": 1, "render": 1, "split": 1, "train": 1, **AFTER_TRAINING}


def test_a_changed_source_runs_what_follows_from_it(done):
    (done / "resources" / "cell_1.csv").write_text("x")
    expected = {"ingest": 1, "render": 1, "recolor_acquisition": 1, "split": 1, "draw": 1, "report_page": 1}
    assert planned(done, CONFIG) == expected


def test_the_pixel_size_that_picasso_keeps_beside_its_table_belongs_to_the_source(done):
    write_sheet(done, [*LEARNT, "cell_1\tmixed\tcell_1.hdf5\t\t\t"])
    (done / "resources" / "cell_1.hdf5").touch()
    (done / "resources" / "cell_1.yaml").write_text("Pixelsize: 100")
    pretend(done, CONFIG)
    assert planned(done, CONFIG) == {}
    (done / "resources" / "cell_1.yaml").write_text("Pixelsize: 130")
    assert planned(done, CONFIG)["ingest"] == 1


def test_an_edited_sweep_costs_no_training(done):
    edit(done / "library" / "lusco" / "sweep" / "__init__.py")
    assert planned(done, CONFIG) == {}
    jobs = planned(done, CONFIG | {"sweeps": {"density": [0.1, 1]}})
    assert jobs["train"] == jobs["superpose"] == 0


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
        {"recolor_acquisition": 2, "evaluate": 1, **AFTER_EVALUATION},
    ),
    "sweeps.density": (
        {"sweeps": {"density": [0.5, 1]}},
        {"sweep": 1, "recolor_composites": 1, "sweep_scores": 1, **AFTER_EVALUATION},
    ),
    "train.steps": ({"train": {"steps": 7}}, {"train": 1, **AFTER_TRAINING}),
    "another model": ({"models": {"unet": {}, "second": {"head": "regression"}}, "model": "unet"}, None),
    "ingest.photons_min": (
        {"ingest": {"photons_min": 100}},
        {"ingest": 1, "render": 1, "split": 1, "recolor_acquisition": 1, "draw": 1, "report_page": 1},
    ),
}


@pytest.mark.parametrize(("change", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_a_changed_setting_runs_its_own_stages(done, change, expected):
    jobs = planned(done, CONFIG | change)
    if expected is None:
        assert jobs == {"train": 1, **TESTING}
        assert not {name for name in planned_files(done, CONFIG | change) if "models/unet/" in name}
    else:
        assert jobs == expected


EVERYTHING_SIMULATED = {"simulate": 7, "render": 7, "split": 1, "superpose": 2, "train": 1, **AFTER_TRAINING}
EDITS = {
    "report/template.html": {"report_page": 1},
    "figures/overlap.py": AFTER_EVALUATION,
    "evaluate/overlap.py": {"evaluate": 1, **AFTER_EVALUATION},
    "recolor/__init__.py": {"recolor_acquisition": 2, **TESTING},
    "network.py": {"train": 1, **AFTER_TRAINING},
    "train/loop.py": {"train": 1, **AFTER_TRAINING},
    "superpose/composites.py": {"superpose": 2, "train": 1, **AFTER_TRAINING},
    "simulate/microtubules.py": EVERYTHING_SIMULATED,
    "ingest/text.py": {"ingest": 1, "render": 1, "split": 1, "recolor_acquisition": 1, "draw": 1, "report_page": 1},
    "schema.py": EVERYTHING,  # which each stage imports through another module
    "sheet_reader.py": {},
    "sheet_faults.py": {},
    "cli.py": {},
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
        "evaluate": "evaluate/__init__.py",
        "draw": "figures/__init__.py",
        "report_page": "report/__init__.py",
    }.items():
        path = done / "library" / "lusco" / module
        before = path.read_text()
        edit(path)
        assert planned(done, CONFIG)[rule] > 0, module
        path.write_text(before)


# models by others

PEERS = {
    "models": {"unet": {}, "forest": {"peer": "trees", "minutes": 1}, "split": {"peer": "microsplit", "minutes": 2}}
}
TRAINING_OF_PEERS = {"superpose": 1, "train_peer": 2, "apply_peer": 2}


def test_peers_are_trained_on_composites_of_their_own_and_compared(fresh):
    jobs = planned(fresh, CONFIG | PEERS)
    assert jobs == EVERYTHING | {"train_peer": 2, "apply_peer": 2, "superpose": 3}
    files = planned_files(fresh, CONFIG | PEERS)
    assert {f"results/toy/figures/peers.{ending}" for ending in ("png", "svg", "csv")} <= files
    assert "results/toy/models/unet/history.csv" in files
    assert "results/toy/models/forest/history.csv" not in files


def test_peers_beside_a_model_that_is_there_train_nothing_else(done):
    assert planned(done, CONFIG | PEERS) == {**TRAINING_OF_PEERS, "evaluate": 1, **AFTER_EVALUATION}


def test_only_the_chosen_model_is_swept(fresh):
    jobs = planned(fresh, CONFIG | PEERS | {"sweeps": {"density": [0.5, 1]}})
    assert jobs["recolor_composites"] == 2, "the test composites and those of the sweep"
    assert jobs["apply_peer"] == 2


def test_a_peer_given_more_time_is_trained_alone(done):
    pretend(done, CONFIG | PEERS)
    assert planned(done, CONFIG | PEERS) == {}
    models = PEERS["models"] | {"forest": {"peer": "trees", "minutes": 3}}
    expected = {"train_peer": 1, "apply_peer": 1, "evaluate": 1, **AFTER_EVALUATION}
    assert planned(done, CONFIG | {"models": models}) == expected


def test_an_edited_peer_does_not_touch_our_own_models(done):
    pretend(done, CONFIG | PEERS)
    edit(done / "library" / "lusco" / "peers" / "features.py")
    expected = {"train_peer": 2, "apply_peer": 2, "evaluate": 1, **AFTER_EVALUATION}
    assert planned(done, CONFIG | PEERS) == expected


def test_more_training_composites_concern_peers_only(done):
    more = {"superpose": {"training_composites": 7}}
    assert planned(done, CONFIG | more) == {"report_page": 1}, "which shows the whole configuration"
    pretend(done, CONFIG | PEERS)
    assert planned(done, CONFIG | PEERS | more) == {**TRAINING_OF_PEERS, "evaluate": 1, **AFTER_EVALUATION}


# a model that is there already


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
    assert planned(fresh, pretrained, ["recolor"]) == {"ingest": 1, "model": 1, "recolor_acquisition": 1}
    assert planned(fresh, pretrained) == {"ingest": 1, "render": 1, "model": 1, "recolor_acquisition": 1}


def test_recolor_makes_nothing_but_recoloured_acquisitions(fresh, pretrained):
    assert planned(fresh, pretrained, ["recolor"]) == {"simulate": 1, "ingest": 1, "model": 1, "recolor_acquisition": 2}


def test_an_own_model_used_as_pretrained_is_not_trained_again(done):
    config = CONFIG | {"pretrained": "results/toy/models/unet"}
    edit(done / "library" / "lusco" / "train" / "loop.py")
    assert "train" not in planned(done, config)


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
