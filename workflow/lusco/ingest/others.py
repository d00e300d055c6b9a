"""Formats that locan reads: ASDF, .smlm and SMAP; it is imported on use."""

import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lusco.errors import Fault, InputError
from lusco.ingest.raw import UNCHANGED, Raw, Source, missing, nm_per, reading, rms, truth

_STANDARD = {"position_x": "x_nm", "position_y": "y_nm", "position_z": "z_nm", "frame": "frame"}
_UNSAID_NOTE = "the file does not say the unit of the brightness; it is taken as photons"


def reader(format: str) -> Callable[[Source], Raw]:
    """The reader of one of locan's formats."""

    def read(source: Source) -> Raw:
        logging.getLogger("locan").setLevel(logging.ERROR)  # it warns of every column it has no name for
        with reading(source.path, format):
            table = _load(format)(source.path, convert=False)
        if isinstance(table, list):
            what = f"the file holds {len(table)} tables"
            raise InputError(Fault(source.path, what, "export one table per file"))
        return _localizations(source, table.data, format)

    return read


def _load(format: str) -> Callable[..., Any]:
    from locan.locan_io.locdata import asdf_io, smap_io, smlm_io

    return {
        "asdf": asdf_io.load_asdf_file,
        "smlm": smlm_io.load_SMLM_file,
        "smap": smap_io.load_SMAP_file,
    }[format]


def _localizations(source: Source, table: pd.DataFrame, format: str) -> Raw:
    path = source.path
    if absent := [name for name in ("position_x", "position_y") if name not in table]:
        raise InputError(missing(path, absent, table.columns, "export it with coordinates"))

    def number(name: str) -> np.ndarray:
        return table[name].to_numpy(dtype=np.float64)

    units = _smlm_units(path) if format == "smlm" else {}
    columns = {standard: number(name) for name, standard in _STANDARD.items() if name in table}
    for name in ("position_x", "position_y", "position_z"):
        if unit := units.get(name):
            columns[_STANDARD[name]] = columns[_STANDARD[name]] * nm_per(unit, path, name, source.pixel_nm)
    if {"uncertainty_x", "uncertainty_y"} <= set(table):
        columns["uncertainty_nm"] = rms(number("uncertainty_x"), number("uncertainty_y"))
    elif "uncertainty" in table:
        columns["uncertainty_nm"] = number("uncertainty")
    notes = []
    if "intensity" in table:
        columns["photons"] = number("intensity")
        if format in ("asdf", "smlm"):
            notes.append(_UNSAID_NOTE)
    columns |= truth(path, source.truth_column, table)
    return Raw(columns, UNCHANGED, notes=tuple(notes))


def _smlm_units(path: Path) -> dict[str, str]:
    """Units of an .smlm table by locan's names of the columns; locan takes all of them for nm."""
    from locan.constants import SMLM_KEYS

    with reading(path, "smlm"), zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        table = next(file for file in manifest["files"] if file["type"] == "table")
        form = manifest["formats"][table["format"]]
        units = form.get("units", [])
        return {SMLM_KEYS.get(name, name): unit for name, unit in zip(form["headers"], units, strict=False)}
