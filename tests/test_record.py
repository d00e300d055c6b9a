"""The record of a run: sources, results, code and machine."""

import hashlib
import json
import subprocess
from types import SimpleNamespace

import pytest

from lusco import table
from lusco.record import git, versions, write_record

CONFIG = {"experiment": "demo", "seed": 3}


TRAINING = {"device": "cpu", "precision": "float32", "seed": 3, "steps": 7, "settings": {"threads": 2}}
MODEL = SimpleNamespace(weights_sha256="abc", training=TRAINING)  # what a record asks of a model


@pytest.fixture
def tables(tmp_path):
    simulation = tmp_path / "simulation.yaml"
    simulation.write_text("field_um: [1, 1]")
    sources = {
        "a": {"structure": "tubes", "format": "simulation", "path": str(simulation)},
        "b": {
            "structure": "mixed",
            "format": "picasso",
            "path": "gone.hdf5",
            "sha256": "of when it was read",
            "beside": {"path": "gone.yaml", "sha256": "of that beside it"},
        },
    }
    for name, source in sources.items():
        rows = {"x_nm": [1.0, 2.0], "y_nm": [1.0, 2.0]}
        acquisition = table.localizations(rows, (0, 9, 0, 9), {"acquisition": name} | source)
        table.write(acquisition, tmp_path / f"{name}.parquet")
    return [tmp_path / f"{name}.parquet" for name in sources]


def test_it_names_what_went_in_and_what_came_out(tmp_path, tables):
    result = tmp_path / "summary.csv"
    result.write_text("model,value\n")
    recolored = tmp_path / "recolored"
    for name in ("b.csv", "mixtures/b.json", "b.hdf5", "gone_since.csv"):
        (recolored / name).parent.mkdir(parents=True, exist_ok=True)
        (recolored / name).write_text("model,value\n")
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text("acquisition\tstructure\tpath\n")
    (recolored / "a.csv").write_text("of another time, when it was applied to, too\n")
    splits = tmp_path / "splits.tsv"
    splits.write_text("acquisition\tsplit\na\ttrain\nb\tapply\n")
    write_record(CONFIG, sheet, tables, MODEL, [result], splits, recolored, tmp_path / "run.json")
    record = json.loads((tmp_path / "run.json").read_text())
    sums = {each["acquisition"]: each["sha256"] for each in record["acquisitions"]}
    assert sums == {"a": hashlib.sha256(b"field_um: [1, 1]").hexdigest(), "b": "of when it was read"}
    assert record["acquisitions"][1]["beside"] == {"path": "gone.yaml", "sha256": "of that beside it"}
    known = {"path": str(sheet), "sha256": hashlib.sha256(b"acquisition\tstructure\tpath\n").hexdigest()}
    assert record["sheet"] == known
    assert [each["localizations"] for each in record["acquisitions"]] == [2, 2]
    files = (result, recolored / "b.csv", recolored / "mixtures" / "b.json")
    assert record["results_sha256"] == dict.fromkeys(map(str, files), hashlib.sha256(b"model,value\n").hexdigest())
    assert record["seed"] == 3 and record["model"]["settings"] == {"threads": 2}
    assert record["recorded_on"]["cores"] >= 1 and record["recorded_on"]["processor"]


def test_every_pinned_package_has_its_version():
    known = versions()
    assert {"python", "torch", "numpy", "snakemake"} <= set(known)
    assert known["torch"].startswith("2.13.0")
    assert "pytest" not in known, "what only developers need is left out"


def test_the_revision_tells_whether_the_code_was_changed(tmp_path):
    assert git(tmp_path) is None
    name = ["-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "file").write_text("0")
    for command in (["init", "-q"], ["add", "file"], [*name, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    assert len(git(tmp_path)["revision"]) == 40 and not git(tmp_path)["changed"]
    (tmp_path / "file").write_text("1")
    subprocess.run(["git", "-C", tmp_path, "add", "file"], check=True)
    assert git(tmp_path)["changed"]


def test_the_revision_of_a_repository_that_does_not_hold_the_code_is_not_its_revision(tmp_path):
    (tmp_path / "notes").write_text("what I did")
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "Snakefile").touch()
    name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "notes"], [*name, "commit", "-q", "-m", "notes"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    assert git(tmp_path) and git(tmp_path / "unpacked") is None
