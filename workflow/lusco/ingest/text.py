"""Localization tables in text: those of known programs by their headings, any other by a mapping of columns."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from xml.etree import ElementTree

from lusco.errors import Fault, InputError
from lusco.ingest.cells import LONGEST_LINE, Layout, layout, read_cells
from lusco.ingest.raw import CORNER, UNCHANGED, Raw, Source, missing, nm_per, reading, rms
from lusco.sheet import COUNTS, LENGTHS, mapping_fault

_HEADING = re.compile(r"([^\[(]+?)\s*(?:[\[(]\s*([^\])]*?)\s*[\])])?")
_LONGEST_HEADING = 200  # characters; matching takes the square of it

# headings of each program, in lower case and without unit -> quantity
HEADINGS = {
    "thunderstorm": {
        "x": "x",
        "y": "y",
        "z": "z",
        "frame": "frame",
        "intensity": "photons",
        "uncertainty": "uncertainty",
        "uncertainty_xy": "uncertainty",
    },
    "elyra": {
        "position x": "x",
        "position y": "y",
        "position z": "z",
        "first frame": "frame",
        "number photons": "photons",
        "precision": "uncertainty",
    },
    "nanoimager": {
        "x": "x",
        "y": "y",
        "z": "z",
        "frame": "frame",
        "photons": "photons",
        "x precision": "uncertainty_x",
        "y precision": "uncertainty_y",
    },
    "rapidstorm": {"position-0-0": "x", "position-1-0": "y", "position-2-0": "z", "imagenumber-0-0": "frame"},
}
_RAPIDSTORM_NOTE = "the brightness is in counts of the camera, not photons, and is left out"

_BY_AXIS = ("uncertainty_x", "uncertainty_y")
STANDARD = (*(f"{length}_nm" for length in LENGTHS), *COUNTS)

Wanted = dict[str, tuple[int, float]]  # standard name -> index of the column, factor to the standard unit


def heading(cell: str) -> tuple[str, str] | None:
    """Name and unit of `name [unit]` or `name (unit)`, in lower case; None for anything else."""
    match = _HEADING.fullmatch(cell.strip().lower()) if len(cell) <= _LONGEST_HEADING else None
    return (match[1], match[2] or "") if match else None


def reader(format: str) -> Callable[[Source], Raw]:
    """The reader of one of the programs in `HEADINGS`; units are those of the headings, nm where they name none."""

    def read(source: Source) -> Raw:
        origin = CORNER if format == "thunderstorm" else UNCHANGED
        return _read_headings(source, layout(source.path), HEADINGS[format], origin)

    return read


def read_rapidstorm(source: Source) -> Raw:
    """Read a rapidSTORM table, whose first line describes the columns in XML."""
    with source.path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline(LONGEST_LINE)
    with reading(source.path, "rapidstorm"):
        fields = ElementTree.fromstring(first.lstrip("# ")).iter("field")
        header = tuple(f"{field.attrib['identifier']} [{field.get('unit', 'nm')}]" for field in fields)
    found = replace(layout(source.path), header=header)
    raw = _read_headings(source, found, HEADINGS["rapidstorm"], UNCHANGED)
    return replace(raw, notes=(_RAPIDSTORM_NOTE,))


def _read_headings(source: Source, found: Layout, quantities: Mapping[str, str], origin: str) -> Raw:
    wanted: Wanted = {}
    headings = [(index, cell, *(heading(cell) or ("", ""))) for index, cell in enumerate(found.header)]
    # what a program writes twice is read in nm
    for index, cell, name, unit in sorted(headings, key=lambda entry: entry[-1] not in ("", "nm")):
        quantity = quantities.get(name)
        is_length = quantity in (*LENGTHS, *_BY_AXIS)
        if not quantity or (standard := f"{quantity}_nm" if is_length else quantity) in wanted:
            continue
        wanted[standard] = (index, nm_per(unit or "nm", source.path, cell, source.pixel_nm) if is_length else 1.0)
    absent = [
        f"{name} [nm]"
        for name, quantity in quantities.items()
        if quantity in ("x", "y") and f"{quantity}_nm" not in wanted
    ]
    if absent:
        raise InputError(missing(source.path, absent, found.names, "export it, or map the columns with `columns`"))
    return _read(source, found, wanted, origin)


def read_csv(source: Source) -> Raw:
    """Read any text table, columns named by the mapping `columns` or by their standard names."""
    mapping = column_mapping(source)
    by_number = [column for column in mapping.values() if isinstance(column, int)]
    found = layout(source.path, by_number if len(by_number) == len(mapping) else ())
    mapping = mapping or {name: name for name in STANDARD if name in found.header}
    wanted: Wanted = {}
    absent = []
    for name, column in mapping.items():
        index = _index(found, column)
        if index is None:
            absent.append(str(column))
            continue
        stem, _, unit = name.rpartition("_")
        factor = 1.0 if name in COUNTS else nm_per(unit, source.path, str(column), source.pixel_nm)
        wanted[name if name in COUNTS else f"{stem}_nm"] = (index, factor)
    if absent:
        raise InputError(missing(source.path, absent, found.names, "correct `columns`"))
    if twice := [str(column) for column in mapping.values() if found.names.count(str(column)) > 1]:
        what = f"several columns are called `{twice[0]}`"
        raise InputError(Fault(source.path, what, "give the number of the one that is meant, from 0", "`columns`"))
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
    if fault := mapping_fault(source.columns):
        raise InputError(Fault(source.path, *fault))
    return json.loads(source.columns)


def _read(source: Source, found: Layout, wanted: Wanted, origin: str) -> Raw:
    if found.header and found.width not in (0, len(found.header)):
        what = f"the header names {len(found.header)} columns, the first row has {found.width} cells"
        raise InputError(Fault(source.path, what, "give every column a name", f"row {found.skip + 1}"))
    numbers = sorted({index for index, _ in wanted.values()})
    texts = []
    if source.truth_column:
        index = _index(found, source.truth_column)
        if index is None:
            raise InputError(missing(source.path, [source.truth_column], found.names, "correct `truth_column`"))
        if index in numbers:
            what = f"the column `{source.truth_column}` holds numbers that are read as such"
            raise InputError(Fault(source.path, what, "name the column of the true structure", "`truth_column`"))
        texts = [index]
    cells = read_cells(source.path, found, numbers, texts)
    columns = {name: cells[index] * factor for name, (index, factor) in wanted.items()}
    along = [columns.pop(f"{name}_nm") for name in _BY_AXIS if f"{name}_nm" in columns]
    if along:
        columns["uncertainty_nm"] = rms(source.path, along[0], along[-1])
    if texts:
        columns["structure"] = cells[texts[0]]
    return Raw(columns, origin, first_row=found.skip + 1)


def _index(found: Layout, column: str | int) -> int | None:
    if isinstance(column, int):
        return column if 0 <= column < max(found.width, len(found.header)) else None
    return found.names.index(column) if column in found.names else None
