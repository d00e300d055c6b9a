"""The record of a run: what went in, what came out, with which code, on which machine."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from lusco import table
from lusco.files import read_csv, write_json
from lusco.model import ModelDescription

RECOLORED = ("{}.ome.tiff", "{}.csv", "regions/{}.csv", "mixtures/{}.json")  # of an acquisition, in their folder


def write_record(
    config: Mapping[str, Any],
    sheet: Path,
    acquisitions: Sequence[Path],
    model: ModelDescription,
    results: Sequence[Path],
    splits: Path,
    recolored: Path,
    out: str | Path,
) -> None:
    """Write the record of a run as JSON.

    Parameters
    ----------
    config : mapping
        The whole configuration; it holds the seed.
    sheet : Path
        Sheet of the acquisitions, which says how each was brought in.
    acquisitions : sequence of Path
        Localizations of every acquisition; each knows its source.
    model : ModelDescription
        The chosen model; it knows how it was trained, on which device and in which arithmetic.
    results : sequence of Path
        Files whose checksums are to be kept.
    splits : Path
        Table of the splits, which says to what the model is applied.
    recolored : Path
        Folder of the recoloured acquisitions, whose checksums are kept too; it may hold those of another time.
    out : str or Path
        File to write.
    """
    described = [_acquisition(path) for path in acquisitions]
    applied = read_csv(splits, sep="\t").query("split == 'apply'")["acquisition"]
    files = [recolored / kind.format(name) for name in applied for kind in RECOLORED]
    files = [*results, *(file for file in files if file.is_file())]
    write_json(
        out,
        {
            "experiment": config["experiment"],
            "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
            "git": git(Path(__file__).parent),
            "versions": versions(),
            "recorded_on": machine(),
            "seed": config["seed"],
            "config": config,
            "sheet": {"path": str(sheet), "sha256": _sha256(sheet)},
            "acquisitions": described,
            "model": {
                "weights_sha256": model.weights_sha256,
                **{key: model.training.get(key) for key in ("device", "precision", "seed", "steps", "settings")},
            },
            "results_sha256": {str(path): _sha256(path) for path in files},
        },
    )


def git(folder: Path) -> dict[str, Any] | None:
    """Revision of a folder under git, and whether tracked files differ from it; None where git does not keep it."""
    said = [
        subprocess.run(["git", "-C", folder, *question], capture_output=True, text=True)
        for question in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"], ["ls-files", "."])
        if shutil.which("git")
    ]
    if not said or any(answer.returncode for answer in said):
        return None
    revision, changes, kept = (answer.stdout.strip() for answer in said)
    if not kept:  # it lies untracked in the repository of something else
        return None
    return {"revision": revision, "changed": bool(changes)}


def versions() -> dict[str, str]:
    """Of Python and of every package that LUSCo asks for, where it is installed."""
    wanted = [text for text in requires("lusco") or [] if "extra ==" not in text]
    names = sorted(re.match(r"[\w.-]+", text).group() for text in wanted)
    found = {"python": platform.python_version()}
    for name in ("lusco", *names):
        with suppress(PackageNotFoundError):  # this stage's environment need not have them all
            found[name] = version(name)
    return found


def machine() -> dict[str, Any]:
    """The computer that this runs on."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "gpus": _gpus(),
    }


def _processor() -> str:
    """Name of the processor; Linux alone knows more than its family."""
    known = Path("/proc/cpuinfo")
    lines: Iterable[str] = known.read_text().splitlines() if known.is_file() else ()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _gpus() -> list[str]:
    if not shutil.which("nvidia-smi"):
        return []
    said = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
    return said.stdout.splitlines() if said.returncode == 0 else []


def _acquisition(path: Path) -> dict[str, Any]:
    """Name, structure, source and its checksum, and of a file read with it; a simulation is what describes it."""
    rows, _, source = table.read_summary(path)
    known = {key: source[key] for key in ("acquisition", "structure", "format", "path", "beside") if key in source}
    return known | {"sha256": source.get("sha256") or _sha256(Path(source["path"])), "localizations": rows}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
