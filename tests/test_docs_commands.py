"""The commands of the documentation run: those of the tutorial as a reader would, the others as far as their plan."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
MARKED = re.compile(r"<!-- (run|file: (?P<file>\S+)) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^ *```(?:console)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ *(?:\$ )?((?:make|\.venv/|\.venv-|apptainer|export)[^#\n]*)", re.MULTILINE)
PAGES = [PROJECT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(PROJECT.glob("resources/**/*.md"))]
# what a reader does elsewhere, or with what is not there
ELSEWHERE = {
    "apptainer build lusco.sif envs/lusco.def": "Apptainer is not installed",
    "apptainer run --nv lusco.sif --cores all --configfile my.yaml": "Apptainer is not installed",
    ".venv/bin/snakemake --cores all --sdm conda": "conda is not installed",
    ".venv/bin/lusco --install-completion": "writes to the home folder",
    "export SNAKEMAKE_OUTPUT_CACHE=/shared/lusco": "a folder of the reader's",
    ".venv/bin/snakemake --configfile my.yaml --report report.zip": "needs a finished run; the tutorial has it",
}


def follow(page: str, folder: Path) -> list[str]:
    """Write the files and run the commands of a page as a reader would; what each block of commands said."""
    said = []
    for match in MARKED.finditer((DOCS / page).read_text()):
        if match["file"]:
            (folder / match["file"]).write_text(match["text"])
            continue
        commands = "\n".join(line[2:] for line in match["text"].splitlines() if line.startswith("$ "))
        said.append(run(commands, folder))
    return said


def run(commands: str, folder: Path) -> str:
    """What commands say, which have to succeed."""
    environment = os.environ | {"SNAKEMAKE_OUTPUT_CACHE": str(folder)}
    done = subprocess.run(
        ["bash", "-ec", commands], cwd=folder, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path) -> Path:
    """The project as a reader has it, its environment the one that runs this test."""
    for name in ("Snakefile", "config.yaml", "Makefile", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    for name in ("workflow", "resources", "docs", "envs"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("data", "_build", "__pycache__"))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    os.utime(tmp_path / "pyproject.toml", (0, 0))  # make finds installed what this test runs in
    return tmp_path


@pytest.mark.slow
def test_the_tutorial_goes_all_the_way(copy):
    said = follow("tutorial.md", copy)
    assert len(said) >= 7
    assert (copy / "my_figure.pdf").stat().st_size > 10_000
    assert (copy / "my_study.zip").stat().st_size > 100_000
    results = copy / "results" / "mine"
    assert (results / "report.html").exists()
    recolored = next(text for text in said if "mix_cell2.csv" in text and "recolor_acquisition" in text)
    assert "rule train:" not in recolored, "a further mixture trains nothing"
    for named in re.findall(r"`(results/mine/[\w./]+)`", (DOCS / "tutorial.md").read_text()):
        assert (copy / named).exists(), named


def test_the_commands_on_the_workflow_run(copy):
    rules, completed = follow("workflow.md", copy)
    assert "recolor_acquisition" in rules
    assert "--dry-run" in completed.split()


def others() -> list[str]:
    """Commands in blocks that no other test executes."""
    texts = [MARKED.sub("", page.read_text()) for page in PAGES]
    found = [command for text in texts for block in FENCED.findall(text) for command in COMMAND.findall(block)]
    return sorted({command.split(" \\")[0].strip() for command in found} - set(ELSEWHERE))


@pytest.mark.parametrize("command", others())
def test_any_other_command_can_be_planned(copy, command):
    """Targets, profiles, options and configurations that are named are there."""
    shutil.copy(copy / "resources" / "experiments" / "two_structures.yaml", copy / "my.yaml")
    words = shlex.split(command)
    if words[0] == "make":
        run(f"{command} --dry-run", copy)
        given = [word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")]
        words = [".venv/bin/snakemake", *shlex.split(given[0])] if given else ["make"]
    if "resources/experiments" in command:  # whose plan `tests/workflow/test_plan.py` makes
        assert (PROJECT / words[words.index("--configfile") + 1]).is_file()
    elif words[0] == ".venv/bin/snakemake":
        said = run(shlex.join([*words, "--dry-run", "--quiet", "rules"]), copy)
        assert "--unlock" in words or "total" in said
    else:
        assert words[0] == "make" or words[0].startswith(".venv-") or (PROJECT / words[0]).exists(), command


def test_what_is_not_executed_stands_in_the_documentation():
    everything = "".join(page.read_text() for page in PAGES)
    assert [command for command in ELSEWHERE if command not in everything] == []
