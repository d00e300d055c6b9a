"""Localization tables: the one module that reads, writes and validates them.

Coordinates are nanometres from the corner of the first pixel (not its centre), x to the right, y down.
On disk a table is Parquet whose schema metadata holds the field of view and where it came from.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lusco.errors import Fault, InputError
from lusco.files import RECREATE, atomic, refuse_claim

COLUMNS = {
    "x_nm": "float64",
    "y_nm": "float64",
    "z_nm": "float64",
    "frame": "int64",
    "photons": "float32",
    "uncertainty_nm": "float32",
    "trace": "int64",  # localizations of one molecule share it (MINFLUX)
    "weight": "float32",  # counts per row, where the acquisition is an image; otherwise absent
    "structure": "str",  # true structure, where it is known
    "unspecific": "bool",  # simulated only: belongs to no structure
}
UNSPECIFIC = "unspecific"  # in the place of a structure: belongs to none
REQUIRED = ("x_nm", "y_nm", "frame", "photons", "uncertainty_nm")

THUNDERSTORM = {
    "frame": "frame",
    "x_nm": "x [nm]",
    "y_nm": "y [nm]",
    "z_nm": "z [nm]",
    "photons": "intensity [photon]",
    "uncertainty_nm": "uncertainty_xy [nm]",
}

_KEY = b"lusco"
_BYTES_OF_A_CELL = 8
_ROWS_AT_A_TIME = 1_000_000


@dataclass(frozen=True)
class Localizations:
    """One acquisition.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per localization, columns a subset of `COLUMNS` that includes `REQUIRED`; unknown photons
        and uncertainties are NaN, coordinates never are.
    field_nm : tuple of float
        Field of view x0, x1, y0, y1 in nm; every localization lies inside, edges included.
    source : dict
        Where the acquisition came from (JSON values only).
    """

    table: pd.DataFrame
    field_nm: tuple[float, float, float, float]
    source: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def area_um2(self) -> float:
        """Area of the field of view in um^2."""
        x0, x1, y0, y1 = self.field_nm
        return (x1 - x0) * (y1 - y0) / 1e6

    @property
    def is_image(self) -> bool:
        """Whether the acquisition is an image, its rows being pixels with a weight."""
        return "weight" in self.table


def localizations(
    columns: Mapping[str, Any],
    field_nm: tuple[float, float, float, float],
    source: dict[str, Any] | None = None,
) -> Localizations:
    """Build `Localizations` with the standard columns, types and order; missing required ones are filled.

    Parameters
    ----------
    columns : mapping
        Arrays by the names of `COLUMNS`; `x_nm` and `y_nm` at least. A missing `frame` becomes 0, missing
        `photons` and `uncertainty_nm` become NaN.
    field_nm : tuple of float
        x0, x1, y0, y1 in nm.
    source : dict
        Provenance.

    Raises
    ------
    ValueError
        If a coordinate is not finite or lies outside the field.
    """
    given = dict(columns)
    rows = len(given["x_nm"])
    given.setdefault("frame", np.zeros(rows, dtype=np.int64))
    for name in ("photons", "uncertainty_nm"):
        given.setdefault(name, np.full(rows, np.nan, dtype=np.float32))
    # as arrays, because pandas would align columns of different indices
    arrays = {name: np.asarray(given[name]) for name in COLUMNS if name in given}
    table = pd.DataFrame({name: pd.Series(array, dtype=COLUMNS[name]) for name, array in arrays.items()})
    x0, x1, y0, y1 = (float(edge) for edge in field_nm)
    inside = table["x_nm"].between(x0, x1) & table["y_nm"].between(y0, y1)
    if not inside.all():
        raise ValueError(f"{(~inside).sum()} localizations are not finite or lie outside the field {field_nm}")
    return Localizations(table, (x0, x1, y0, y1), source or {})


def write(acquisition: Localizations, path: str | Path) -> None:
    """Write an acquisition as Parquet (zstd), atomically; the same acquisition gives the same bytes."""
    table = pa.Table.from_pandas(acquisition.table, preserve_index=False)
    metadata = {"field_nm": acquisition.field_nm, "source": acquisition.source}
    table = table.replace_schema_metadata({_KEY: json.dumps(metadata, sort_keys=True).encode()})
    with atomic(path) as partial:
        pa.parquet.write_table(table, partial, compression="zstd")


def read_summary(path: str | Path) -> tuple[int, tuple[float, ...], dict[str, Any]]:
    """Number of rows, field of view and source of an acquisition written by `write`, without reading its rows.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not written by LUSCo.
    """
    with _reading(path), pa.parquet.ParquetFile(path) as file:
        rows, schema = file.metadata.num_rows, file.schema_arrow
    return rows, *_metadata(schema, path)


def read(path: str | Path) -> Localizations:
    """Read an acquisition written by `write`.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not written by LUSCo.
    """
    with _reading(path), pa.parquet.ParquetFile(path) as file:
        refuse_claim(file.metadata.num_rows * file.metadata.num_columns * _BYTES_OF_A_CELL, path)
        table = file.read()
        table.validate(full=True)
    field_nm, source = _metadata(table.schema, path)
    frame = table.replace_schema_metadata(None).to_pandas()
    if not _is_whole(frame, field_nm):
        what = "the table is damaged: columns are not what they should be, or rows lie outside the field of view"
        raise InputError(Fault(path, what, RECREATE))
    return Localizations(frame, field_nm, source)


@contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(Fault(path, f"the table cannot be read ({error})", RECREATE)) from None


def _metadata(schema: pa.Schema, path: str | Path) -> tuple[tuple[float, ...], dict[str, Any]]:
    """Field of view and source that `write` left beside the columns."""
    if _KEY not in (schema.metadata or {}):
        raise InputError(Fault(path, "the table was not written by LUSCo", "bring it in with `lusco ingest`"))
    try:
        metadata = json.loads(schema.metadata[_KEY])
        x0, x1, y0, y1 = map(float, metadata["field_nm"])
        return (x0, x1, y0, y1), dict(metadata["source"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(Fault(path, f"the table is damaged ({error})", RECREATE)) from None


def _is_whole(table: pd.DataFrame, field_nm: tuple[float, ...]) -> bool:
    """Whether columns and their types are standard, and every localization lies in the field, which has an area."""
    x0, x1, y0, y1 = field_nm
    types = {name: str(table[name].dtype) for name in table}
    return (
        set(REQUIRED) <= set(types)
        and types.items() <= COLUMNS.items()
        and 0 < (x1 - x0) * (y1 - y0) < np.inf
        and bool((table["x_nm"].between(x0, x1) & table["y_nm"].between(y0, y1)).all())
    )


def write_thunderstorm(table: pd.DataFrame, path: str | Path) -> None:
    """Write a ThunderSTORM CSV, atomically; columns without a ThunderSTORM name keep their own.

    Coordinates are written to a thousandth of a nanometre and everything else to five decimals, far finer than
    any is known; all digits would make the file several times larger.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns as in `COLUMNS`, and any others (`p_<structure>`, `rejected`).
    path : str or Path
        File to write.
    """
    with atomic(path) as partial:
        schema = _as_thunderstorm(table.iloc[:0], 1).schema
        with pa.csv.CSVWriter(partial, schema) as writer:
            for start in range(0, len(table), _ROWS_AT_A_TIME):
                rows = table.iloc[start : start + _ROWS_AT_A_TIME]
                writer.write_table(_as_thunderstorm(rows, start + 1).cast(schema))


def _as_thunderstorm(table: pd.DataFrame, first: int) -> pa.Table:
    """Rows with rounded numbers and ThunderSTORM's names, numbered from `first`."""
    real = [name for name in table.columns if table[name].dtype.kind == "f"]
    rounded = {name: table[name].astype(np.float64).round(3 if name.endswith("_nm") else 5) for name in real}
    # as text, because Arrow tells the type of an object by its value, and without rows there is none
    text = {name: table[name].astype("str") for name in table.columns if table[name].dtype.kind == "O"}
    named = table.assign(**rounded, **text).rename(columns=THUNDERSTORM)
    named.insert(0, "id", np.arange(first, first + len(named)))
    return pa.Table.from_pandas(named, preserve_index=False)
