"""Sheets made up, and what is said of them."""

from pathlib import Path

import pytest

from lusco.errors import InputError
from lusco.sheet import Acquisition
from lusco.sheet_reader import read_sheet

STRUCTURES = ["pores", "tubes"]
FRACTIONS = {"validation": 0.2, "test": 0.2}
GOOD = [
    {"acquisition": f"{structure}_{number}", "structure": structure, "path": f"{structure}_{number}.csv"}
    for structure in STRUCTURES
    for number in range(3)
]


def sheet_of(folder: Path, *rows: dict[str, str]) -> Path:
    """A sheet with these rows after good ones (rows 2 to 7), whose files exist."""
    for row in GOOD:
        (folder / row["path"]).touch()
    header = list(dict.fromkeys(column for row in (*GOOD, *rows) for column in row))
    lines = [[row.get(column, "") for column in header] for row in (*GOOD, *rows)]
    return sheet_with(folder, "\n".join("\t".join(cells) for cells in [header, *lines]) + "\n")


def sheet_with(folder: Path, text: str) -> Path:
    path = folder / "sheet.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, **options) -> list[Acquisition]:
    return read_sheet(path, STRUCTURES, FRACTIONS, 1, **options)


def sentences(path: Path, **options) -> list[str]:
    """The faults of a sheet, without its folder."""
    with pytest.raises(InputError) as caught:
        read(path, **options)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()
