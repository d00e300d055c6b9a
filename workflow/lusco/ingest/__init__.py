"""Bring in a measured acquisition: tell its format, read it in nm, check it, cut, filter and merge it.

Coordinates keep the values they have in the file, in nm from the corner of the first pixel, so that results lie
over their source. The field of view is the region asked for, else the image or camera where the file says, else
the smallest box of whole nm around the localizations.
"""

import hashlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lusco import table
from lusco.errors import Fault, InputError, raise_all
from lusco.ingest import filters, merge
from lusco.ingest.formats import FORMATS, detect
from lusco.ingest.raw import Raw, Source
from lusco.settings import IngestSettings
from lusco.sheet import Region, parse_region, without_meaning

__all__ = ["FORMATS", "Source", "ingest"]

log = logging.getLogger(__name__)


def ingest(source: Source, settings: IngestSettings) -> tuple[table.Localizations, dict[str, Any]]:
    """Read an acquisition.

    Parameters
    ----------
    source : Source
        Where it lies, and what the sheet says of it.
    settings : IngestSettings
        Filters and merging.

    Returns
    -------
    Localizations
        What was kept.
    dict
        A record (JSON values) of what was read, dropped and why.

    Raises
    ------
    InputError
        With a sentence for everything the user has to mend.
    """
    try:
        return _ingest(source, settings)
    except MemoryError:
        what = "there is not enough memory to read it"
        raise InputError(Fault(source.path, what, "if it is not damaged, export it in parts")) from None


def _ingest(source: Source, settings: IngestSettings) -> tuple[table.Localizations, dict[str, Any]]:
    path = source.path
    region = _region(source)
    _check_pixel_size(source)
    sha256 = _checksum(path)
    format = _format(source)
    raw = FORMATS[format](source)
    raise_all(filters.faults(raw, path))
    rows = _frame(raw)
    dropped, notes = dict(raw.dropped), list(raw.notes)
    read = len(rows) + sum(dropped.values())
    field_nm = raw.field_nm
    if region:
        field_nm = _whole_pixels(region, raw, notes)
        rows = _counted(dropped, "outside the region", rows, filters.cut(rows, field_nm, path))
    rows = filters.keep(rows, settings, path, dropped)
    rows = _counted(dropped, "merged", rows, _merged(rows, settings, path, notes))
    field_nm = _field(rows, field_nm, notes)
    for note in notes:
        log.info("%s: %s", path, note)
    provenance = {
        "acquisition": source.name,
        "structure": source.structure,
        "format": format,
        "path": str(path),
        "sha256": sha256,
    }
    if raw.pixel_nm:
        provenance["pixel_nm"] = raw.pixel_nm
    if raw.beside:
        provenance["beside"] = {"path": str(raw.beside), "sha256": _checksum(raw.beside)}
    acquisition = table.localizations({name: rows[name].to_numpy() for name in rows}, field_nm, provenance)
    return acquisition, _record(acquisition, raw, read, dropped, notes)


def _region(source: Source) -> Region | None:
    try:
        return parse_region(source.region_nm) if source.region_nm else None
    except ValueError as error:
        raise InputError(
            Fault(source.path, str(error), "give it in nm as x0:x1,y0:y1, low before high", "`region_nm`")
        ) from None


def _check_pixel_size(source: Source) -> None:
    if source.pixel_nm is not None and not 0 < source.pixel_nm < np.inf:
        what = f"the pixel size {source.pixel_nm:g} is not a positive number"
        raise InputError(Fault(source.path, what, "give it in nm", "`pixel_nm`"))


def _checksum(path: Path) -> str:
    try:
        if not path.exists():
            raise InputError(Fault(path, "the file does not exist", "check the path"))
        if path.is_dir():
            raise InputError(Fault(path, "it is a folder", "name one file"))
        if not path.is_file():
            raise InputError(Fault(path, "it is no ordinary file", "name one that is"))
        if not path.stat().st_size:
            raise InputError(Fault(path, "the file is empty", "copy or export it again"))
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(Fault(path, f"the file cannot be read ({error.strerror})", "check the path")) from None


def _format(source: Source) -> str:
    format = source.format or detect(source)
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(Fault(source.path, f"the format `{format}` is unknown", f"use one of {known}", "`format`"))
    if what := without_meaning(format, [name for name, value in vars(source).items() if value]):
        raise InputError(Fault(source.path, what, "empty the cells, or correct `format`"))
    return format


def _frame(raw: Raw) -> pd.DataFrame:
    """The columns as a table with standard types; unknown photons and uncertainties as NaN, no frame if unknown."""
    unknown = np.full(len(raw.columns["x_nm"]), np.nan)
    columns = {"photons": unknown, "uncertainty_nm": unknown} | raw.columns
    return pd.DataFrame({name: pd.Series(values).astype(table.COLUMNS[name]) for name, values in columns.items()})


def _whole_pixels(region: Region, raw: Raw, notes: list[str]) -> Region:
    """The region itself, of an image its whole pixels."""
    if raw.pixel_nm is None:
        return region
    snapped = filters.snap(region, raw.pixel_nm, raw.field_nm)
    if not np.allclose(snapped, region):
        edges = "{:g}:{:g},{:g}:{:g}".format(*snapped)
        notes.append(f"the region is narrowed to whole pixels of the image, {edges}")
    return snapped


def _counted(dropped: dict[str, int], reason: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    if len(after) < len(before):
        dropped[reason] = len(before) - len(after)
    return after


def _merged(rows: pd.DataFrame, settings: IngestSettings, path: Path, notes: list[str]) -> pd.DataFrame:
    """Merge as configured; traces, where the file names them, are better than any radius."""
    if settings.merge == "none":
        return rows
    if "weight" in rows:
        notes.append("an image has no repeats to merge")
        return rows
    if "trace" in rows:
        return merge.by_trace(rows)
    if settings.merge == "trace":
        notes.append("the file names no traces, so nothing is merged")
        return rows
    if "frame" not in rows:
        mend = "name the column of frames in `columns`, or use `merge: none`"
        raise InputError(Fault(path, "it has no frames, so repeats cannot be told", mend, "`ingest.merge`"))
    return merge.by_radius(rows, settings.merge_radius_nm, settings.merge_dark_frames)


def _field(rows: pd.DataFrame, field_nm: Region | None, notes: list[str]) -> Region:
    """The field of view: as given, or around the localizations."""
    box = filters.bounding_box(rows)
    if field_nm is None:
        return box
    x0, x1, y0, y1 = field_nm
    if rows["x_nm"].between(x0, x1).all() and rows["y_nm"].between(y0, y1).all():
        return field_nm
    notes.append("some localizations lie outside the camera's field, which is widened to hold them")
    return min(x0, box[0]), max(x1, box[1]), min(y0, box[2]), max(y1, box[3])


def _record(
    acquisition: table.Localizations, raw: Raw, read: int, dropped: dict[str, int], notes: list[str]
) -> dict[str, Any]:
    return {
        **acquisition.source,
        "origin": raw.origin,
        "columns": list(raw.columns),
        "rows_read": read,
        "rows_dropped": {reason: count for reason, count in dropped.items() if count},
        "rows_kept": len(acquisition),
        "field_nm": list(acquisition.field_nm),
        "rows_per_um2": round(len(acquisition) / acquisition.area_um2, 3),
        "notes": notes,
    }
