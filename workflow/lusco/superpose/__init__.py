"""Superposition: pieces of single-structure acquisitions added up to composites.

Training crops are made on the fly and never twice; validation and test composites are fixed and written to disk, and
so are training composites where models by others learn from them. Superposing independent acquisitions follows the
original system (Bernard et al. 2023).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import table as tables
from lusco.errors import Fault, raise_all
from lusco.render import NO_TRACE
from lusco.superpose.composites import write_composites
from lusco.superpose.pieces import Field, cut, prepare
from lusco.table import Localizations

CHANNELS = 128  # more than there can be
ATTEMPTS = 20  # how often to look for a piece that is not empty


def random_generator(seed: int, *names: str | int) -> np.random.Generator:
    """Generator that depends on the run's seed and the names of the item, and on nothing else."""
    digest = hashlib.sha256(":".join(map(str, (seed, *names))).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def read_acquisitions(paths: Sequence[str | Path], structures: Sequence[str]) -> list[Localizations]:
    """Read the single-structure acquisitions to superpose.

    Raises
    ------
    InputError
        If a structure has none, or an acquisition has another structure or no localizations.
    """
    acquisitions = [tables.read(path) for path in paths]
    faults = []
    for path, acquisition in zip(paths, acquisitions, strict=True):
        structure = acquisition.source["structure"]
        if structure not in structures:
            known = ", ".join(structures)
            faults.append(Fault(path, f"its structure `{structure}` is not asked for", f"use one of {known}"))
        if not len(acquisition):
            faults.append(Fault(path, "the acquisition has no localizations", "remove it or loosen the filters"))
    present = {acquisition.source["structure"] for acquisition in acquisitions}
    faults += [
        Fault("acquisitions", f"there is none of the structure `{structure}`", "give at least one")
        for structure in structures
        if structure not in present
    ]
    raise_all(faults)
    return acquisitions


def by_structure(
    acquisitions: Sequence[Localizations], structures: Sequence[str], pixel_nm: float
) -> tuple[list[Field], ...]:
    """Acquisitions prepared for cutting, a list for each structure."""
    fields = [prepare(acquisition, pixel_nm) for acquisition in acquisitions]
    return tuple([field for field in fields if field.structure == structure] for structure in structures)


def training_crop(
    fields: Sequence[Sequence[Field]],
    side_px: int,
    pixel_nm: float,
    keep_min: float,
    absent: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """One training crop: the counts of each structure, whose sum is the network's input.

    Parameters
    ----------
    fields : sequence of sequence of Field
        Training acquisitions of each structure.
    side_px : int
        Side of the crop in pixels.
    pixel_nm : float
        Pixel size in nm.
    keep_min : float
        Each structure is thinned to a random fraction between this and 1.
    absent : float
        Probability that a structure is absent, but for one that is drawn first; where an acquisition is sparse, what
        is cut out of it may be empty too.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Shape (structures, side_px, side_px), float32.
    """
    present = rng.random(len(fields)) >= absent
    present[rng.integers(len(fields))] = True
    counts = np.zeros((len(fields), side_px, side_px), dtype=np.float32)
    for index in np.flatnonzero(present):
        field = fields[index][rng.integers(len(fields[index]))]
        counts[index] = cut(field, side_px * pixel_nm, rng.uniform(keep_min, 1), rng).render(side_px, pixel_nm)
    return counts


def superpose(
    acquisitions: Sequence[Localizations],
    structures: Sequence[str],
    split: str,
    number: int,
    side_px: int,
    pixel_nm: float,
    seed: int,
    out: str | Path,
) -> None:
    """Make the fixed composites of a split: all structures, each at its natural density.

    Parameters
    ----------
    acquisitions : sequence of Localizations
        The split's acquisitions.
    structures : sequence of str
        Structures in the order of the channels.
    split : str
        `train`, `validation` or `test`; part of the seed.
    number : int
        Number of composites.
    side_px : int
        Side of a composite in pixels.
    pixel_nm : float
        Pixel size in nm.
    seed : int
        Seed of the experiment.
    out : str or Path
        File to write.
    """
    composites = composites_of(acquisitions, structures, split, number, side_px, pixel_nm, seed)
    write_composites(out, structures, pixel_nm, side_px, composites)


def composites_of(
    acquisitions: Sequence[Localizations],
    structures: Sequence[str],
    split: str,
    number: int,
    side_px: int,
    pixel_nm: float,
    seed: int,
) -> Iterator[tuple[str, dict[str, str], pd.DataFrame]]:
    """The composites that `superpose` writes: name, acquisition of each structure, and localizations."""
    fields = by_structure(acquisitions, structures, pixel_nm)
    sources = {acquisition.source["acquisition"]: acquisition for acquisition in acquisitions}
    for index in range(number):
        name = f"{split}_{index:03d}"
        rng = random_generator(seed, name)
        chosen = [in_turn(candidates, index, seed, split) for candidates in fields]
        parts = [
            localizations_of(field, sources[field.name], channel, side_px * pixel_nm, 1.0, rng)
            for channel, field in enumerate(chosen)
        ]
        named = {field.structure: field.name for field in chosen}
        yield name, named, pd.concat(parts, ignore_index=True)


def in_turn(candidates: Sequence[Field], turn: int, seed: int, purpose: str) -> Field:
    """The acquisition of a structure whose turn it is.

    Each serves once in a round, so that all serve equally often; the order of a round is drawn for each structure, so
    that the same acquisitions are not always superposed with each other.
    """
    this_round, place = divmod(turn, len(candidates))
    rng = random_generator(seed, purpose, "in turn", candidates[0].structure, this_round)
    return candidates[rng.permutation(len(candidates))[place]]


def localizations_of(
    field: Field, source: Localizations, channel: int, side_nm: float, keep: float, rng: np.random.Generator
) -> pd.DataFrame:
    """A piece as a table of the composite container; empty places of a field are passed over.

    Parameters
    ----------
    field, source : Field, Localizations
        Where to cut, and the acquisition it is of.
    channel : int
        Index of its structure.
    side_nm : float
        Side of the piece in nm.
    keep : float
        Each localization is kept with this probability.
    rng : numpy.random.Generator
        Source of randomness.
    """
    for _ in range(ATTEMPTS):
        piece = cut(field, side_nm, keep, rng)
        if len(piece.row):
            break
    rows: Mapping = source.table.iloc[piece.row]
    return pd.DataFrame(
        {
            "x_nm": piece.x_nm,
            "y_nm": piece.y_nm,
            "frame": rows["frame"].to_numpy(),
            "photons": rows["photons"].to_numpy(),
            "uncertainty_nm": rows["uncertainty_nm"].to_numpy(),
            "trace": _traces(rows, channel),
            "weight": np.float32(1) if piece.weight is None else piece.weight,
            "structure": np.int8(channel),
            "unspecific": rows["unspecific"].to_numpy() if "unspecific" in rows else False,
            "row": piece.row,
        }
    )


def _traces(rows: Mapping, channel: int) -> np.ndarray:
    """Numbers of the traces of some localizations, other ones for each channel."""
    if "trace" not in rows:
        return np.full(len(rows), NO_TRACE)
    number, _ = pd.factorize(rows["trace"])
    return np.where(rows["trace"] == NO_TRACE, NO_TRACE, number * CHANNELS + channel)
