"""Checks of what was read, the part of the field that is wanted, and filters; every row left out is counted."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.errors import Fault, InputError
from lusco.ingest.raw import Raw
from lusco.settings import IngestSettings
from lusco.sheet import MAX_POSITION_NM, Region
from lusco.table import UNSPECIFIC

MIN_EXTENT_NM = 1.0
MAX_EXTENT_NM = 1e7  # 10 mm, more than any camera sees
LARGEST = {
    "x_nm": MAX_POSITION_NM,
    "y_nm": MAX_POSITION_NM,
    "frame": 2.0**53,  # up to which every whole number has a float of its own
    "trace": 2.0**53,
}


def faults(raw: Raw, path: Path) -> Iterator[Fault]:
    """Faults of the values: no rows, numbers that are none, unnamed structures, a wrong unit."""
    if unlike := _unlike_numbers(raw):
        yield Fault(path, f"`{unlike[0]}` is not one number per localization", "check the format, or export it again")
        return
    if not len(raw.columns["x_nm"]):
        yield Fault(path, "there are no localizations in it", "check that its export was completed")
        return
    for name, largest in LARGEST.items():
        if name in raw.columns:
            with np.errstate(invalid="ignore"):
                bad = ~(np.abs(raw.columns[name].astype(np.float64)) <= largest)
            count = np.count_nonzero(bad)
            what = f"{count} values of `{name}` are missing, NaN, infinite or over {largest:.0e}, this the first"
            yield from _first(bad, path, what, "remove these rows", raw.first_row)
    for name in raw.columns.keys() & {"frame", "trace"}:
        values = raw.columns[name].astype(np.float64)
        bad = np.isfinite(values) & (values != np.floor(values))
        what = f"{np.count_nonzero(bad)} values of `{name}` are not whole numbers, this the first"
        mend = "name the column of their numbers in `columns`, and not one of times"
        yield from _first(bad, path, what, mend, raw.first_row)
    if "structure" in raw.columns:
        bad = raw.columns["structure"] == ""
        what = f"{np.count_nonzero(bad)} rows do not name their structure, this the first"
        yield from _first(bad, path, what, "fill in `truth_column` for every row", raw.first_row)
        if bad.size and (raw.columns["structure"] == UNSPECIFIC).all():
            yield Fault(path, "no row names a structure", "correct `truth_column`, or empty the cell", "`truth_column`")
    with np.errstate(invalid="ignore"):
        extent_nm = max(float(np.ptp(raw.columns[axis])) for axis in ("x_nm", "y_nm"))
    x0, x1, y0, y1 = raw.field_nm or (0, MIN_EXTENT_NM) * 2
    if not all(MIN_EXTENT_NM <= side_nm <= MAX_EXTENT_NM for side_nm in (x1 - x0, y1 - y0)):
        what = f"its field of view is {x1 - x0:.3g} x {y1 - y0:.3g} nm"
        yield Fault(path, what, "correct the pixel size, and the camera's size where the file states it")
    elif extent_nm > MAX_EXTENT_NM or (extent_nm < MIN_EXTENT_NM and len(raw.columns["x_nm"]) > 1):
        what = f"the localizations span {extent_nm:.3g} nm, so their unit is not what it is taken for"
        mend = "check whether the file is in metres, micrometres or pixels, and map it with `columns` (x_um, x_m, x_px)"
        yield Fault(path, what, mend)


def _unlike_numbers(raw: Raw) -> list[str]:
    """Columns that are not real numbers of the shape (n,), or in case of the structure something of that shape."""
    rows = np.size(raw.columns["x_nm"])
    return [
        name
        for name, values in raw.columns.items()
        if values.shape != (rows,) or values.dtype.kind not in ("O" if name == "structure" else "iuf")
    ]


def _first(bad: np.ndarray, path: Path, what: str, mend: str, first_row: int) -> Iterator[Fault]:
    if bad.any():
        yield Fault(path, what, mend, f"row {first_row + int(np.argmax(bad))}")


def cut(table: pd.DataFrame, region: Region, path: Path) -> pd.DataFrame:
    """Rows within a region, its low edges included and its high ones not, so that adjacent regions share none.

    Raises
    ------
    InputError
        If no row lies within.
    """
    x0, x1, y0, y1 = region
    inside = table["x_nm"].between(x0, x1, "left") & table["y_nm"].between(y0, y1, "left")
    if not inside.any():
        (left, right), (top, bottom) = ((table[axis].min(), table[axis].max()) for axis in ("x_nm", "y_nm"))
        raise InputError(
            Fault(
                path,
                f"the region {x0:g}:{x1:g},{y0:g}:{y1:g} contains nothing",
                f"the localizations lie within {left:.0f}:{right:.0f},{top:.0f}:{bottom:.0f}",
                "`region_nm`",
            )
        )
    return table[inside]


def snap(region: Region, pixel_nm: float, field_nm: Region) -> Region:
    """The whole pixels of an image that lie within a region.

    Parameters
    ----------
    region : tuple of float
        x0, x1, y0, y1 in nm.
    pixel_nm : float
        Pixel size in nm.
    field_nm : tuple of float
        The field of the image, from 0.
    """
    slack = 1e-6  # of a pixel, so that 60 nm at 20 nm per pixel are three pixels whatever the rounding
    low = [max(0.0, np.ceil(edge / pixel_nm - slack)) for edge in region[::2]]
    high = [np.floor(min(edge, end) / pixel_nm + slack) for edge, end in zip(region[1::2], field_nm[1::2], strict=True)]
    return low[0] * pixel_nm, high[0] * pixel_nm, low[1] * pixel_nm, high[1] * pixel_nm


def keep(table: pd.DataFrame, settings: IngestSettings, path: Path, dropped: dict[str, int]) -> pd.DataFrame:
    """Rows that pass the filters; counts what each filter leaves out in `dropped`.

    Raises
    ------
    InputError
        If a filter concerns a quantity that the file does not have, or leaves nothing.
    """
    absent = []
    for setting, column, reason, passes in _filters(settings):
        if column not in table or table[column].isna().all():
            absent.append(Fault(path, f"it has no `{column}` to filter by", "remove the filter", f"`ingest.{setting}`"))
            continue
        passed = passes(table[column])
        unknown = table[column].isna()
        if column == "uncertainty_nm":
            unknown |= table[column] <= 0  # a fit that failed
            passed &= ~unknown
        for count, why in ((int(unknown.sum()), f"{column} unknown"), (int((~passed & ~unknown).sum()), reason)):
            if count:
                dropped[why] = count
        table = table[passed]
        if table.empty:
            absent.append(Fault(path, "no localization passes the filter", "loosen it", f"`ingest.{setting}`"))
            break
    if absent:
        raise InputError(*absent)
    return table


def _filters(settings: IngestSettings):
    if (limit := settings.uncertainty_nm_max) is not None:
        yield "uncertainty_nm_max", "uncertainty_nm", f"uncertainty over {limit:g} nm", lambda values: values <= limit
    if (least := settings.photons_min) is not None:
        yield "photons_min", "photons", f"under {least:g} photons", lambda values: values >= least
    if settings.frames is not None:
        first, last = settings.frames
        yield "frames", "frame", f"frames outside {first} to {last}", lambda values: values.between(first, last)


def bounding_box(table: pd.DataFrame) -> Region:
    """The smallest field of whole nm around the localizations, at least 1 nm wide."""
    edges = []
    for axis in ("x_nm", "y_nm"):
        low = float(np.floor(table[axis].min()))
        edges += [low, max(float(np.ceil(table[axis].max())), low + 1)]
    return tuple(edges)
