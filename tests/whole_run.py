"""The small experiment of tests/config/whole.yaml, run by Snakemake itself as `make` calls it, on two cores."""

import subprocess
import sys
from pathlib import Path

from dag import PROJECT, SNAKEFILE

CONFIG = Path("tests/config/whole.yaml")


def command(*more: str) -> list[str]:
    """Snakemake with the profile for one computer."""
    profile = PROJECT / "workflow" / "profiles" / "local"
    fixed = ["--snakefile", SNAKEFILE, "--workflow-profile", profile, "--configfile", CONFIG, "--cores", "2"]
    return [sys.executable, "-m", "snakemake", *map(str, fixed), *more]


def snakemake(folder: Path, *more: str) -> tuple[int, str]:
    """Exit status and all that was said."""
    done = subprocess.run(command(*more), cwd=folder, capture_output=True, text=True, timeout=400)
    return done.returncode, done.stdout + done.stderr


def run(folder: Path, *more: str) -> str:
    """A run that has to succeed."""
    status, said = snakemake(folder, *more)
    assert status == 0, said[-8000:]
    return said


def different(folder: Path, undisturbed: Path, under: str = "results") -> list[str]:
    """Results of an undisturbed run that are missing in another folder or have other bytes there, and the unfinished.

    Logs and the record of a run tell times.
    """
    unlike = [str(path) for path in (folder / under).rglob(".partial-*")]
    for path in (undisturbed / under).rglob("*"):
        if path.is_file() and path.suffix != ".log" and path.name != "run.json":
            other = folder / path.relative_to(undisturbed)
            if not other.is_file() or other.read_bytes() != path.read_bytes():
                unlike.append(str(other))
    return unlike
