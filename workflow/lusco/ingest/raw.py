"""What every reader gives back, and what readers share: units, numbers, missing columns, foreign parsers."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lusco.errors import Fault, InputError

CORNER = "corner of the first pixel"
UNCHANGED = "as in the file, taken as the corner of the first pixel"
CENTRE = "centre of the first pixel in the file, moved by half a pixel to its corner"

_NM = {"nm": 1.0, "nanometer": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3, "micrometer": 1e3, "mm": 1e6, "m": 1e9}
PIXEL_UNITS = ("px", "pix", "pixel", "pixels")
SAME_PIXEL = 1e-3  # relative difference up to which two statements of a pixel size agree


@dataclass(frozen=True)
class Source:
    """A measured acquisition, as a row of the sheet names it.

    Parameters
    ----------
    path : Path
        Localization table or image.
    name : str
        Name of the acquisition.
    structure : str
        Its structure, or `mixed`.
    format : str
        A name in `lusco.ingest.FORMATS`; empty = told by the file.
    pixel_nm : float or None
        Pixel size in nm, where coordinates are in pixels or the file is an image.
    region_nm : str
        `x0:x1,y0:y1` in nm, or empty.
    columns : str
        JSON mapping of standard names to the file's columns, or empty.
    truth_column : str
        Column of the true structure, or empty.
    """

    path: Path
    name: str
    structure: str
    format: str = ""
    pixel_nm: float | None = None
    region_nm: str = ""
    columns: str = ""
    truth_column: str = ""


@dataclass(frozen=True)
class Raw:
    """A file's content in standard names and nm, before any check of its values.

    Parameters
    ----------
    columns : dict of numpy.ndarray
        Arrays of shape (n,) by the names of `lusco.table.COLUMNS`, with `x_nm` and `y_nm`.
    origin : str
        What the file counts coordinates from, and what was done about it.
    field_nm : tuple of float or None
        Field of view x0, x1, y0, y1 in nm, where the file says.
    pixel_nm : float or None
        Pixel size of an image in nm; None for tables.
    first_row : int
        Number by which the user knows the first row.
    dropped : dict
        Number of rows that the reader left out, by reason.
    notes : tuple of str
        What the user should know, a sentence each.
    beside : Path or None
        Another file that was read with it, as the YAML file of Picasso.
    """

    columns: dict[str, np.ndarray]
    origin: str
    field_nm: tuple[float, float, float, float] | None = None
    pixel_nm: float | None = None
    first_row: int = 1
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    beside: Path | None = None


@contextmanager
def reading(path: Path, format: str) -> Iterator[None]:
    """Turn whatever a foreign parser raises on a damaged file into a fault.

    Parsers of other people raise many types; only their calls belong inside.

    Raises
    ------
    InputError
        If the block raises.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            Fault(
                path,
                f"the file cannot be read as {format} ({detail})",
                "it is cut off, damaged or of another format; copy or export it again, or correct `format`",
            )
        ) from error


def nm_per(unit: str, path: Path, column: str, pixel_nm: float | None) -> float:
    """Nanometres per unit.

    Parameters
    ----------
    unit : str
        nm, um, mm, m or px, as written in the file.
    path : Path
        The file, for messages.
    column : str
        The column, for messages.
    pixel_nm : float or None
        Pixel size in nm, if known.

    Raises
    ------
    InputError
        If the unit is unknown, or is the pixel and its size is not known.
    """
    unit = unit.strip().lower()
    if unit in _NM:
        return _NM[unit]
    if unit not in PIXEL_UNITS:
        raise InputError(
            Fault(path, f"the unit `{unit}` is unknown", f"use one of {', '.join(_NM)}, px", f"column `{column}`")
        )
    if pixel_nm is None:
        raise InputError(no_pixel_size(path, f"column `{column}`"))
    return pixel_nm


def no_pixel_size(path: Path, place: str = "") -> Fault:
    """The fault of coordinates in pixels of unknown size."""
    return Fault(path, "it is in pixels, whose size is not known", "give the pixel size in nm as `pixel_nm`", place)


def missing(path: Path, wanted: Iterable[str], present: Iterable[Any], mend: str) -> Fault:
    """The fault of missing columns; names those that are there."""
    wanted = list(wanted)
    names = ", ".join(f"`{name}`" for name in wanted)
    there = ", ".join(f"`{name}`" for name in present) or "none"
    return Fault(
        path,
        f"the column{'s' * (len(wanted) > 1)} {names} {'are' if len(wanted) > 1 else 'is'} missing",
        f"{mend}; the columns there are {there}",
    )


def as_numbers(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Values as float64.

    Raises
    ------
    InputError
        If they are no real numbers.
    """
    if values.dtype.kind not in "iuf":
        raise InputError(Fault(path, f"`{name}` does not hold numbers", "check the format, or export it again"))
    return values.astype(np.float64, copy=False)


def overruled(source: Source, said_nm: float | None) -> tuple[str, ...]:
    """A note where the sheet gives another pixel size than the file, if that says one."""
    if not source.pixel_nm or not said_nm or abs(source.pixel_nm / said_nm - 1) <= SAME_PIXEL:
        return ()
    return (f"the pixel size is {source.pixel_nm:g} nm as given; the file says {said_nm:g} nm",)


def rms(path: Path, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square of the uncertainties along x and y, shape (n,).

    Raises
    ------
    InputError
        If there are not equally many of both.
    """
    if first.shape != second.shape:
        raise InputError(Fault(path, "the uncertainties along x and y are not equally many", "export it again"))
    return np.sqrt((np.square(first, dtype=np.float64) + np.square(second, dtype=np.float64)) / 2)


def truth(path: Path, truth_column: str, table: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The column of true structures as text, under its standard name; empty where none is asked for.

    Raises
    ------
    InputError
        If the column does not exist.
    """
    if not truth_column:
        return {}
    if truth_column not in table:
        raise InputError(missing(path, [truth_column], table, "correct `truth_column`"))
    values = (value.decode(errors="replace") if isinstance(value, bytes) else value for value in table[truth_column])
    return {"structure": np.array(["" if value is None else str(value).strip() for value in values], dtype=object)}
