"""Formats that locan reads: ASDF and .smlm; it is imported on use."""

import json
import logging
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lusco.errors import Fault, InputError
from lusco.files import refuse_claim
from lusco.ingest.raw import UNCHANGED, Raw, Source, as_numbers, missing, nm_per, reading, rms, truth
from lusco.schema import check_size, parts

_BYTES_OF_A_NUMBER = 8
_STANDARD = {"position_x": "x_nm", "position_y": "y_nm", "position_z": "z_nm", "frame": "frame"}
# names of the uncertainty in x and in y, or of one for both; locan renames what ThunderSTORM calls uncertainty_xy
_UNCERTAINTIES = (
    ("uncertainty_x", "uncertainty_y"),
    ("x_precision", "y_precision"),
    ("uncertainty",),
    ("uncertainty_x",),
)
_CHANNEL = "channel"  # names the structures of an .smlm file, where the sheet calls it the column of the truth
_UNSAID_NOTE = "the file does not say the unit of the brightness; it is taken as photons"


def reader(format: str) -> Callable[[Source], Raw]:
    """The reader of one of locan's formats."""

    def read(source: Source) -> Raw:
        logging.getLogger("locan").setLevel(logging.ERROR)  # it warns of every column it has no name for
        with reading(source.path, format):
            _CLAIMS[format](source.path)
            loaded = _load(format)(source.path, convert=False)
        tables = [part.data for part in (loaded if isinstance(loaded, list) else [loaded])]
        if format == "smlm" and source.truth_column == _CHANNEL and not any(_CHANNEL in table for table in tables):
            tables = [_with_channels(source.path, tables)]
        if len(tables) != 1:
            what = f"the file holds {len(tables)} tables"
            raise InputError(Fault(source.path, what, "export one table per file"))
        if format == "smlm":
            units, offsets = _smlm_units_and_offsets(source.path)
        else:
            units, offsets = {entry.name: entry.unit for entry in loaded.meta.localization_properties}, {}
        return _localizations(source, tables[0], units, offsets)

    return read


def _with_channels(path: Path, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The tables of an .smlm file as one, with the channel of each as a column."""
    manifest = _smlm_manifest(path)
    with reading(path, "smlm"):
        described = [file for file in manifest["files"] if file["type"] == "table"]
        forms = {file["format"] for file in described}
        named = [
            table.assign(**{_CHANNEL: str(file["channel"])}) for file, table in zip(described, tables, strict=True)
        ]
    if len(forms) != 1:
        raise InputError(Fault(path, "its tables differ in their columns", "export one table per file"))
    return pd.concat(named, ignore_index=True)


def _check_smlm(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        refuse_claim(sum(file.file_size for file in archive.infolist()), path)


def _check_asdf(path: Path) -> None:
    """All of it is in the file; asdf would follow an address, and believe any shape."""
    from asdf.util import load_yaml

    tree = load_yaml(path)
    check_size(tree, path)
    used = [part for part in (tree["data"], tree["columns"], tree["meta"]) if isinstance(part, dict)]
    addresses = [mapping.get("$ref") for mapping in _mappings(tree)] + [part.get("source") for part in used]
    for address in addresses:
        if isinstance(address, str):
            what = f"a part of it lies in another file, `{address}`, which is not followed"
            raise InputError(Fault(path, what, "save it with its data inside"))
    data = tree["data"]
    if isinstance(data, dict) and "source" in data:
        refuse_claim(_BYTES_OF_A_NUMBER * math.prod(length for length in data["shape"] if length != "*"), path)


def _mappings(content: Any) -> Iterator[dict[Any, Any]]:
    if isinstance(content, dict):
        yield content
    for part in parts(content):
        yield from _mappings(part)


# what locan would believe is checked first
_CLAIMS = {"asdf": _check_asdf, "smlm": _check_smlm}


def _load(format: str) -> Callable[..., Any]:
    from locan.locan_io.locdata import asdf_io, smlm_io

    return {
        "asdf": asdf_io.load_asdf_file,
        "smlm": smlm_io.load_SMLM_file,
    }[format]


def _localizations(source: Source, table: pd.DataFrame, units: Mapping[str, str], offsets: Mapping[str, float]) -> Raw:
    path = source.path
    if absent := [name for name in ("position_x", "position_y") if name not in table]:
        raise InputError(missing(path, absent, table.columns, "export it with coordinates"))

    def number(name: str) -> np.ndarray:
        return as_numbers(path, name, table[name].to_numpy())

    def in_nm(name: str) -> np.ndarray:
        unit = str(units.get(name) or "nm")
        return (number(name) + offsets.get(name, 0.0)) * nm_per(unit, path, name, source.pixel_nm)

    columns = {standard: in_nm(name) for name, standard in _STANDARD.items() if name in table and standard != "frame"}
    if "frame" in table:
        columns["frame"] = number("frame") + offsets.get("frame", 0.0)
    named = next((names for names in _UNCERTAINTIES if set(names) <= set(table)), ())
    if named:
        columns["uncertainty_nm"] = rms(path, in_nm(named[0]), in_nm(named[-1]))
    notes = []
    if "intensity" in table:
        columns["photons"] = number("intensity")
        notes.append(_UNSAID_NOTE)
    columns |= truth(path, source.truth_column, table)
    return Raw(columns, UNCHANGED, notes=tuple(notes))


def _smlm_manifest(path: Path) -> dict[str, Any]:
    with reading(path, "smlm"), zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))


def _smlm_units_and_offsets(path: Path) -> tuple[dict[str, str], dict[str, float]]:
    """Unit and offset of the columns of an .smlm table, by locan's names of them; locan heeds neither."""
    from locan.constants import SMLM_KEYS

    manifest = _smlm_manifest(path)
    with reading(path, "smlm"):
        first, *others = (file for file in manifest["files"] if file["type"] == "table")
        form = manifest["formats"][first["format"]]
        offsets = [{name: float(value) for name, value in file.get("offset", {}).items()} for file in (first, *others)]
    if any(offset != offsets[0] for offset in offsets):
        raise InputError(Fault(path, "its tables differ in their offsets", "export one table per file"))
    units = dict(zip(form["headers"], form.get("units", []), strict=False))
    return (
        {SMLM_KEYS.get(name, name): unit for name, unit in units.items()},
        {SMLM_KEYS.get(name, name): value for name, value in offsets[0].items()},
    )
