"""Export: a recoloured table as files that other programs open with structures told apart.

Picasso's HDF5 and YAML, which Render colours by the column `group`, and `.smlm` for ShareLoc, a table per structure.
Rows of an image, which are pixels with a weight, are positions like others, and keep their weight as a column.
"""

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import yaml

from lusco import __version__
from lusco.errors import Fault, InputError
from lusco.files import RECREATE, atomic, read_csv
from lusco.table import THUNDERSTORM

_CHANCE = "p_"  # begins the column of a structure's probability
_UNKNOWN_PRECISION_PX = 0.5  # Picasso drops localizations without a precision, and draws none of precision 0
_ROWS_AT_A_TIME = 1_000_000

_READ_AS: dict[str, Any] = {"x_nm": "f8", "y_nm": "f8", "frame": "i8", "structure": "str", "rejected": "?"}
_QUANTITIES = ("z_nm", "photons", "uncertainty_nm")  # that may not be known
_NOT_EXPORTED = ("id", "trace", "true_structure", "unspecific")

# columns of an .smlm table and their units, by our names
_SMLM = {
    "x_nm": ("x", "nm"),
    "y_nm": ("y", "nm"),
    "z_nm": ("z", "nm"),
    "photons": ("intensity", "photon"),
    "uncertainty_nm": ("uncertainty [nm]", "nm"),
}


def export(recolored: str | Path, name: str, pixel_nm: float, picasso: str | Path, smlm: str | Path) -> None:
    """Write the localizations of a recoloured acquisition for Picasso and for ShareLoc.

    Parameters
    ----------
    recolored : str or Path
        Table written by `lusco recolor`.
    name : str
        Of the acquisition.
    pixel_nm : float
        Pixel size in nm in which Picasso's coordinates are given.
    picasso, smlm : str or Path
        Files to write, ending in `.hdf5` and `.smlm`; Picasso's `.yaml` lies beside the first.

    Raises
    ------
    InputError
        If the table is missing, damaged, or not written by `lusco recolor`.
    """
    rows, structures = read_recolored(recolored)
    write_smlm(rows, structures, name, smlm)
    write_picasso(rows, structures, name, pixel_nm, picasso)


def read_recolored(path: str | Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table written by `lusco recolor`.

    Returns
    -------
    pandas.DataFrame
        A row per localization, columns as in `lusco.table.COLUMNS` as far as programs can use them, `structure` (of
        categories in the order of the channels), `p_<structure>` and `rejected`; quantities of which nothing is
        known are left out.
    tuple of str
        The structures in the order of the channels.

    Raises
    ------
    InputError
        If the file is missing, damaged, or another table.
    """
    ours = {theirs: name for name, theirs in THUNDERSTORM.items()}
    types = defaultdict(lambda: "f4", {THUNDERSTORM.get(name, name): what for name, what in _READ_AS.items()})
    wanted = {"usecols": lambda heading: heading not in _NOT_EXPORTED, "dtype": types}
    rows = read_csv(path, **wanted).rename(columns=ours)
    structures = tuple(name.removeprefix(_CHANCE) for name in rows if name.startswith(_CHANCE))
    if not (set(_READ_AS) <= set(rows) and set(rows["structure"]) <= set(structures)):
        raise InputError(Fault(path, "the table was not written by `lusco recolor`", RECREATE))
    rows["structure"] = pd.Categorical(rows["structure"], structures)
    unknown = [name for name in _QUANTITIES if name in rows and rows[name].isna().all()]
    return rows.drop(columns=unknown), structures


def write_picasso(rows: pd.DataFrame, structures: Sequence[str], name: str, pixel_nm: float, path: str | Path) -> None:
    """Write Picasso's table `locs` and the YAML file beside it, atomically; the same rows give the same bytes.

    Picasso takes the centre of the first pixel for 0, and drops localizations left of or above that centre as well as
    those of which a column is unknown. Where some lie there, all are therefore moved by whole pixels, which the YAML
    file names; unknown photons are 0 and an unknown precision is half a pixel. Frames keep their numbers, so that rows
    are found again in their source, unless some are negative, which Picasso has not.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `read_recolored` gives them.
    structures : sequence of str
        The column `group` is their index.
    name : str
        Of the acquisition.
    pixel_nm : float
        Pixel size in nm.
    path : str or Path
        File to write, ending in `.hdf5`.
    """
    x_px, x_moved_px, width_px = _in_pixels(rows["x_nm"].to_numpy(), pixel_nm)
    y_px, y_moved_px, height_px = _in_pixels(rows["y_nm"].to_numpy(), pixel_nm)
    frame = rows["frame"].to_numpy()
    frame = frame - frame.min(initial=0)
    width = "u4" if frame.max(initial=0) < 1 << 32 else "u8"  # as Picasso writes it, unless numbers would be lost
    columns = {"frame": frame.astype(width), "x": x_px, "y": y_px} | _picasso_quantities(rows, pixel_nm)
    locs = np.empty(len(rows), [(column, values.dtype) for column, values in columns.items()])
    for column in locs.dtype.names:
        locs[column] = columns.pop(column)
    described = {
        "Generated by": f"LUSCo {__version__}",
        "Acquisition": name,
        "Frames": int(frame.max(initial=0)) + 1,
        "Width": width_px,
        "Height": height_px,
        "Pixelsize": pixel_nm,
        "Structures": dict(enumerate(structures)),
        "Offset (px)": [x_moved_px, y_moved_px],
    }
    whole = io.BytesIO()  # because HDF5 itself would not say that a disk is full
    with h5py.File(whole, "w") as file:
        file.create_dataset("locs", data=locs, track_times=False)
    with atomic(path) as partial:
        partial.write_bytes(whole.getbuffer())
    with atomic(Path(path).with_suffix(".yaml")) as partial:
        partial.write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _in_pixels(position_nm: np.ndarray, pixel_nm: float) -> tuple[np.ndarray, int, int]:
    """Positions from the centre of a pixel, none negative; by how many pixels they were moved; pixels that hold all."""
    position_px = position_nm / pixel_nm - 0.5
    moved_px = int(np.ceil(-position_px.min(initial=0)))
    position_px += moved_px
    return position_px.astype("f4"), moved_px, int(np.floor(position_px.max(initial=0) + 0.5)) + 1


def _picasso_quantities(rows: pd.DataFrame, pixel_nm: float) -> dict[str, np.ndarray]:
    """All but frame and position, by Picasso's names where it has any, without anything unknown."""
    columns = {}
    if "z_nm" in rows and rows["z_nm"].notna().all():
        columns["z"] = rows["z_nm"].to_numpy()
    if "photons" in rows:
        columns["photons"] = rows["photons"].fillna(0).to_numpy()
    precision_px = rows.get("uncertainty_nm", pd.Series(np.nan, rows.index)) / pixel_nm
    columns["lpx"] = precision_px.where(precision_px > 0, _UNKNOWN_PRECISION_PX).to_numpy("f4")
    columns["lpy"] = columns["lpx"]
    columns["group"] = rows["structure"].cat.codes.to_numpy("i4")
    columns |= {column: rows[column].to_numpy() for column in _ours_alone(rows)}
    return columns | {"rejected": rows["rejected"].to_numpy("u1")}


def _ours_alone(rows: pd.DataFrame) -> list[str]:
    """Columns that keep their name in any format."""
    return [column for column in rows if column == "weight" or column.startswith(_CHANCE)]


def write_smlm(rows: pd.DataFrame, structures: Sequence[str], name: str, path: str | Path) -> None:
    """Write an `.smlm` file, atomically, with a table per structure as channel; the same rows give the same bytes.

    Every column is of 32-bit floating-point numbers, the only ones that ShareLoc's viewer reads.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `read_recolored` gives them.
    structures : sequence of str
        Names of the channels; those without localizations have no table.
    name : str
        Of the acquisition.
    path : str or Path
        File to write, ending in `.smlm`.
    """
    columns = {"frame": ("frame", "frame")} | {ours: theirs for ours, theirs in _SMLM.items() if ours in rows}
    columns |= {ours: (ours, "1") for ours in (*_ours_alone(rows), "rejected")}
    numbers = rows["structure"].value_counts()
    tables = {structure: int(numbers[structure]) for structure in structures if numbers[structure]}
    with atomic(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        archive.writestr(_entry("manifest.json"), json.dumps(_manifest(list(columns.values()), tables, name), indent=2))
        for structure in tables:
            table = rows.loc[rows["structure"] == structure, list(columns)]
            with archive.open(_entry(f"{structure}.bin"), "w", force_zip64=True) as file:
                for start in range(0, len(table), _ROWS_AT_A_TIME):
                    file.write(table.iloc[start : start + _ROWS_AT_A_TIME].to_numpy("<f4").tobytes())


def _manifest(columns: list[tuple[str, str]], tables: dict[str, int], name: str) -> dict[str, Any]:
    """What version 0.2 of the format asks for, of columns (name, unit) and tables (structure, number of rows)."""
    form = "smlm-table(binary)"
    return {
        "format_version": "0.2",
        "formats": {
            form: {
                "name": form,
                "type": "table",
                "mode": "binary",
                "extension": ".bin",
                "columns": len(columns),
                "headers": [header for header, _ in columns],
                "dtype": ["float32"] * len(columns),
                "shape": [1] * len(columns),
                "units": [unit for _, unit in columns],
                "description": "localizations of one structure, and how probable each structure is",
            }
        },
        "files": [
            {
                "name": f"{structure}.bin",
                "type": "table",
                "format": form,
                "channel": structure,
                "rows": number,
                "offset": {},
            }
            for structure, number in tables.items()
        ],
        "name": name,
        "description": f"recoloured by LUSCo {__version__}, a channel per structure",
        "tags": ["SMLM"],
        "thumbnail": "",
        "sample": "",
        "labeling": "",
    }


def _entry(name: str) -> zipfile.ZipInfo:
    """A compressed file of an archive, without a date."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
