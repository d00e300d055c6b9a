"""Localization tables in text: ThunderSTORM, and any other by a mapping of columns."""

import json
import re

from lusco.errors import Fault, InputError
from lusco.ingest.cells import Layout, layout, read_cells
from lusco.ingest.raw import CORNER, UNCHANGED, Raw, Source, missing, nm_per

_HEADING = re.compile(r"(\w+)\s*(?:[\[(]\s*([^\])]*?)\s*[\])])?")

_THUNDERSTORM = {
    "x": "x",
    "y": "y",
    "z": "z",
    "frame": "frame",
    "intensity": "photons",
    "uncertainty": "uncertainty",
    "uncertainty_xy": "uncertainty",
}
_LENGTHS = ("x", "y", "z", "uncertainty")
_UNITS = ("nm", "um", "mm", "m", "px")
_COUNTS = ("frame", "photons", "trace")
STANDARD = (*(f"{length}_nm" for length in _LENGTHS), *_COUNTS)

Wanted = dict[str, tuple[int, float]]  # standard name -> index of the column, factor to the standard unit


def heading(cell: str) -> tuple[str, str] | None:
    """Name and unit of `name [unit]` or `name (unit)`, in lower case; None for anything else."""
    match = _HEADING.fullmatch(cell.strip().lower())
    return (match[1], match[2] or "") if match else None


def read_thunderstorm(source: Source) -> Raw:
    """Read a ThunderSTORM CSV; units are those of its headings, the origin is the corner of the first pixel."""
    found = layout(source.path)
    wanted: Wanted = {}
    for index, cell in enumerate(found.header):
        name, unit = heading(cell) or ("", "")
        standard = _THUNDERSTORM.get(name)
        if standard in _LENGTHS:
            wanted[f"{standard}_nm"] = (index, nm_per(unit or "nm", source.path, cell, source.pixel_nm))
        elif standard:
            wanted[standard] = (index, 1.0)
    absent = [f"{axis} [nm]" for axis in "xy" if f"{axis}_nm" not in wanted]
    if absent:
        raise InputError(missing(source.path, absent, found.names, "export it, or map the columns with `columns`"))
    return _read(source, found, wanted, CORNER)


def read_csv(source: Source) -> Raw:
    """Read any text table, columns named by the mapping `columns` or by their standard names."""
    found = layout(source.path)
    mapping = column_mapping(source) or {name: name for name in STANDARD if name in found.header}
    wanted: Wanted = {}
    absent = []
    for name, column in mapping.items():
        index = _index(found, column)
        if index is None:
            absent.append(str(column))
            continue
        stem, _, unit = name.rpartition("_")
        factor = 1.0 if name in _COUNTS else nm_per(unit, source.path, str(column), source.pixel_nm)
        wanted[name if name in _COUNTS else f"{stem}_nm"] = (index, factor)
    if absent:
        raise InputError(missing(source.path, absent, found.names, "correct `columns`"))
    unnamed = [f"{axis}_nm" for axis in "xy" if f"{axis}_nm" not in wanted]
    if unnamed:
        mend = 'say which they are in `columns`, like {"x_nm": "X", "y_nm": "Y"}'
        raise InputError(missing(source.path, unnamed, found.names, mend))
    return _read(source, found, wanted, UNCHANGED)


def column_mapping(source: Source) -> dict[str, str | int]:
    """The mapping `columns`, standard name (with its unit) to the file's column or its number from 0.

    Raises
    ------
    InputError
        If it is not such a mapping.
    """
    if not source.columns:
        return {}
    example = 'write it like {"x_nm": "X", "y_nm": "Y", "frame": 2}'
    try:
        mapping = json.loads(source.columns)
    except json.JSONDecodeError:
        mapping = None
    if not isinstance(mapping, dict) or not all(type(value) in (str, int) for value in mapping.values()):
        raise InputError(Fault(source.path, "the mapping `columns` is not JSON of names or numbers", example))
    known = [*(f"{length}_{unit}" for length in _LENGTHS for unit in _UNITS), *_COUNTS]
    if unknown := [name for name in mapping if name not in known]:
        names = ", ".join(f"`{name}`" for name in unknown)
        mend = f"known names are {', '.join(known)}"
        raise InputError(Fault(source.path, f"the mapping `columns` has the unknown name {names}", mend))
    return mapping


def _read(source: Source, found: Layout, wanted: Wanted, origin: str) -> Raw:
    numbers = sorted({index for index, _ in wanted.values()})
    texts = []
    if source.truth_column:
        index = _index(found, source.truth_column)
        if index is None:
            raise InputError(missing(source.path, [source.truth_column], found.names, "correct `truth_column`"))
        texts = [index]
    cells = read_cells(source.path, found, numbers, texts)
    columns = {name: cells[index] * factor for name, (index, factor) in wanted.items()}
    if texts:
        columns["structure"] = cells[texts[0]]
    return Raw(columns, origin, first_row=found.skip + 1)


def _index(found: Layout, column: str | int) -> int | None:
    if isinstance(column, int):
        return column if 0 <= column < max(found.width, len(found.header)) else None
    return found.names.index(column) if column in found.names else None
