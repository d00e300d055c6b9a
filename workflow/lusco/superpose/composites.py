"""The container of fixed composites: one Arrow file per split, memory-mapped, a chunk per composite.

A composite is a union of localization tables, so the true structure of each localization is known; its
image is only a rendering and is not stored.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lusco.errors import Fault, InputError
from lusco.files import RECREATE, atomic
from lusco.render import MAX_PIXELS, Points

_KEY = b"lusco-composites"
_MAY_BE_UNKNOWN = {"photons", "uncertainty_nm"}
SCHEMA = pa.schema(
    [
        ("x_nm", pa.float64()),
        ("y_nm", pa.float64()),
        ("frame", pa.int64()),
        ("photons", pa.float32()),
        ("uncertainty_nm", pa.float32()),
        ("trace", pa.int64()),  # number within the composite, or NO_TRACE
        ("weight", pa.float32()),  # 1 for a localization, counts for a pixel of an image
        ("structure", pa.int8()),  # index of the true structure
        ("unspecific", pa.bool_()),  # known for simulated acquisitions only, otherwise false
        ("row", pa.int64()),  # row in the table of the source acquisition
    ]
)


@dataclass(frozen=True)
class Composites:
    """Composites of one split, read from disk when asked for.

    Parameters
    ----------
    structures : tuple of str
        Structures in the order of `counts`.
    pixel_nm : float
        Pixel size in nm.
    side_px : int
        Side of every composite in pixels.
    names : tuple of str
        Name of each composite.
    sources : tuple of dict
        For each composite, the acquisition of each structure.
    reader : pyarrow.ipc.RecordBatchFileReader
        The open file.
    places : tuple of int or None
        Place of each composite in the file; None where these are all of it.
    """

    structures: tuple[str, ...]
    pixel_nm: float
    side_px: int
    names: tuple[str, ...]
    sources: tuple[dict[str, str], ...]
    reader: pa.ipc.RecordBatchFileReader
    places: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def table(self, index: int) -> pd.DataFrame:
        """Localizations of a composite, columns as in `SCHEMA`, coordinates from its first corner."""
        return self.reader.get_batch(self.places[index] if self.places else index).to_pandas()

    def counts(self, index: int) -> np.ndarray:
        """Counts per structure and pixel, shape (structures, side_px, side_px), float32."""
        return count(self.table(index), len(self.structures), self.side_px, self.pixel_nm)

    def bound(self, index: int) -> np.ndarray:
        """Like `counts`, without unspecific localizations, which belong to no structure."""
        table = self.table(index)
        return count(table[~table["unspecific"]], len(self.structures), self.side_px, self.pixel_nm)

    def points(self, table: pd.DataFrame) -> Points:
        """The localizations of a composite, or of a part of one, over its pixels."""
        return _points(table, self.side_px, self.pixel_nm)

    def chosen(self, places: Sequence[int]) -> "Composites":
        """Some of the composites of a whole file, by their places in it."""
        names, sources = tuple(self.names[k] for k in places), tuple(self.sources[k] for k in places)
        return replace(self, names=names, sources=sources, places=tuple(places))


def count(table: pd.DataFrame, structures: int, side_px: int, pixel_nm: float) -> np.ndarray:
    """Render the localizations of a composite, or a part of them, per structure.

    Returns
    -------
    numpy.ndarray
        Shape (structures, side_px, side_px), float32.
    """
    pixel = _points(table, side_px, pixel_nm).pixel()
    index = table["structure"].to_numpy().astype(np.int64) * side_px**2 + pixel
    counts = np.bincount(index, table["weight"].to_numpy(), minlength=structures * side_px**2)
    return counts.reshape(structures, side_px, side_px).astype(np.float32)


def _points(table: pd.DataFrame, side_px: int, pixel_nm: float) -> Points:
    names = ("x_nm", "y_nm", "weight", "frame", "uncertainty_nm", "trace")
    x_nm, y_nm, weight, *known = (table[name].to_numpy() for name in names)
    if (weight == 1).all():  # of localizations, each of which counts once
        weight = None
    return Points(x_nm, y_nm, weight, (0.0, 0.0), pixel_nm, (side_px, side_px), *known)


def write_composites(
    path: str | Path,
    structures: Sequence[str],
    pixel_nm: float,
    side_px: int,
    composites: Iterable[tuple[str, dict[str, str], pd.DataFrame]],
) -> None:
    """Write composites, atomically.

    Parameters
    ----------
    path : str or Path
        File to write, ending in `.arrow`.
    structures : sequence of str
        Structures by the index used in the tables.
    pixel_nm : float
        Pixel size in nm.
    side_px : int
        Side of every composite in pixels.
    composites : iterable of tuple
        Name, source acquisitions by structure, and localizations of each composite.
    """
    composites = list(composites)
    metadata = {
        "structures": list(structures),
        "pixel_nm": pixel_nm,
        "side_px": side_px,
        "names": [name for name, _, _ in composites],
        "sources": [sources for _, sources, _ in composites],
    }
    schema = SCHEMA.with_metadata({_KEY: json.dumps(metadata).encode()})
    with atomic(path) as partial, pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for _, _, table in composites:
            writer.write_batch(pa.RecordBatch.from_pandas(table, schema=schema, preserve_index=False))


def open_composites(path: str | Path) -> Composites:
    """Open composites written by `write_composites`; tables are read when asked for.

    Raises
    ------
    InputError
        If the file is missing, damaged or something else.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(Fault(path, f"the composites cannot be read ({error})", RECREATE)) from None
    if _KEY not in (reader.schema.metadata or {}):
        raise InputError(Fault(path, "the file holds no composites", "make them with `lusco superpose`"))
    try:
        metadata = json.loads(reader.schema.metadata[_KEY])
        composites = Composites(
            structures=tuple(metadata["structures"]),
            pixel_nm=metadata["pixel_nm"],
            side_px=metadata["side_px"],
            names=tuple(metadata["names"]),
            sources=tuple(metadata["sources"]),
            reader=reader,
        )
        _check(composites)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(Fault(path, f"the composites are damaged ({error})", RECREATE)) from None
    return composites


def _check(composites: Composites) -> None:
    """Raise `ValueError` where composites do not hold together; Arrow itself would read beyond their end."""
    structures, side_px = composites.structures, composites.side_px
    if not (all(type(name) is str for name in (*structures, *composites.names)) and type(side_px) is int):
        raise ValueError("structures, names or the side are not what they should be")
    if not (0 < composites.pixel_nm < np.inf and 0 < len(structures) * side_px**2 <= MAX_PIXELS):
        raise ValueError(f"{len(structures)} structures of {side_px} pixels of {composites.pixel_nm} nm a side")
    if not composites.reader.schema.equals(SCHEMA):
        raise ValueError("the columns are not those of composites")
    if not all(isinstance(source, dict) for source in composites.sources):
        raise ValueError("the source acquisitions are not what they should be")
    if not len(composites) == len(composites.sources) == composites.reader.num_record_batches:
        raise ValueError(f"{len(composites)} names are given for {composites.reader.num_record_batches} composites")
    for index in range(len(composites)):
        batch = composites.reader.get_batch(index)
        batch.validate()
        if any(batch[name].null_count for name in set(SCHEMA.names) - _MAY_BE_UNKNOWN):
            raise ValueError(f"values are missing in `{composites.names[index]}`")
        structure = batch["structure"].to_numpy()
        is_finite = all(np.isfinite(batch[name].to_numpy()).all() for name in ("x_nm", "y_nm", "weight"))
        if not is_finite or ((structure < 0) | (structure >= len(structures))).any():
            raise ValueError(f"positions, weights or structures in `{composites.names[index]}` are out of bounds")
