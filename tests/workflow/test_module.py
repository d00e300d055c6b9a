"""The workflow as a module of another one, in a folder of its own, under a prefix, with its own configuration."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dag import PROJECT, SNAKEFILE
from toy import EVERYTHING

OUTER = f"""
configfile: "study.yaml"

module lusco:
    snakefile: "{SNAKEFILE}"
    config: config["recolouring"]
    prefix: "recoloured"

use rule * from lusco as lusco_*

rule study:
    default_target: True
    input: rules.lusco_all.input
    output: "study.txt"
    shell: "wc -c {{input}} > {{output}}"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A folder with nothing of this project in it but a sheet and a simulation, as a person's own data would be."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "Snakefile").write_text(OUTER)
    (folder / "data").mkdir()
    for name in ("whole.tsv", "whole_field.yaml"):
        (folder / "data" / name).write_text((PROJECT / "tests" / "config" / name).read_text())
    config = yaml.safe_load((PROJECT / "tests" / "config" / "whole.yaml").read_text())
    (folder / "study.yaml").write_text(yaml.safe_dump({"recolouring": config | {"acquisitions": "data/whole.tsv"}}))
    return folder


def snakemake(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def test_all_of_it_is_planned_and_every_command_stays_under_the_prefix(study):
    said = snakemake(study, "--dry-run", "--printshellcmds")
    jobs = dict(re.findall(r"^lusco_(\w+) +(\d+)$", said, re.MULTILINE))
    of_one_kind = set(EVERYTHING) - {"ingest"}
    assert of_one_kind == set(jobs)
    commands = [line for line in said.splitlines() if "lusco --log" in line]
    assert len(commands) == sum(map(int, jobs.values()))
    for command in commands:
        assert not re.search(r"(?<!recoloured/)\bresults/", command), command
        assert "recoloured/data" not in command, command


@pytest.mark.slow
def test_it_runs_there_and_the_results_are_those_of_a_run_by_itself(study, whole):
    files = ["splits.tsv", "composites/test.arrow"]
    snakemake(study, *(f"recoloured/results/whole/{file}" for file in files))
    assert not (study / "results").exists()
    for file in files:
        assert (study / "recoloured/results/whole" / file).read_bytes() == (whole / "results/whole" / file).read_bytes()


def test_a_fault_of_its_configuration_is_a_sentence(study, tmp_path):
    (tmp_path / "Snakefile").write_text(OUTER)
    (tmp_path / "study.yaml").write_text("recolouring: {strutures: 1}")
    command = [sys.executable, "-m", "snakemake", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "study.yaml: unknown key `strutures`; did you mean `structures`." in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
