"""Composites under changed conditions, to find out where recolouring breaks down.

Conditions change localizations, not pixels, so they apply to measured acquisitions as to simulated ones. Every
level of a sweep is made of the same pieces, so that levels differ by their condition only; except for overlap, whose
levels are chosen among chance arrangements and may differ in density too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.errors import Fault, raise_all
from lusco.superpose import by_structure, in_turn, localizations_of, random_generator
from lusco.superpose.composites import write_composites
from lusco.superpose.pieces import Field
from lusco.table import Localizations

ARRANGEMENTS = 16  # from which those of a wanted overlap are chosen
NEAR_NM = 100.0  # structures overlap where they share a square of this side


@dataclass(frozen=True)
class Condition:
    """How a composite differs from all structures at their natural density.

    Parameters
    ----------
    keep : tuple of float
        Fraction of each structure's localizations that is kept; 0 where it is absent.
    blur_nm : float
        Standard deviation of what is added to each position.
    overlap : float or None
        Which of `ARRANGEMENTS` chance arrangements to take: 0 that with the least overlap, 1 that with the most.
    scale : float
        By which positions are multiplied, as by a wrong pixel size of the camera.
    """

    keep: tuple[float, ...]
    blur_nm: float = 0.0
    overlap: float | None = None
    scale: float = 1.0


def _density(level: float, index: int, structures: int) -> Condition:
    return Condition((level,) * structures)


def _mixing(level: float, index: int, structures: int) -> Condition:
    return Condition(tuple(level if k == index % structures else 1.0 for k in range(structures)))


def _number(level: float, index: int, structures: int) -> Condition:
    present = {(index + k) % structures for k in range(int(level))}
    return Condition(tuple(float(k in present) for k in range(structures)))


def _precision(level: float, index: int, structures: int) -> Condition:
    return Condition((1.0,) * structures, blur_nm=level)


def _overlap(level: float, index: int, structures: int) -> Condition:
    return Condition((1.0,) * structures, overlap=level)


def _scale(level: float, index: int, structures: int) -> Condition:
    return Condition((1.0,) * structures, scale=level)


SWEEPS: dict[str, Callable[[float, int, int], Condition]] = {
    "density": _density,
    "mixing": _mixing,
    "number": _number,
    "precision_nm": _precision,
    "overlap": _overlap,
    "scale": _scale,
}


def superpose_sweep(
    acquisitions: Sequence[Localizations],
    structures: Sequence[str],
    sweep: str,
    levels: Sequence[float],
    number: int,
    side_px: int,
    pixel_nm: float,
    seed: int,
    out: str | Path,
) -> None:
    """Make the composites of a sweep, `number` of each level, one level after another.

    Parameters
    ----------
    acquisitions : sequence of Localizations
        Those of the test split.
    structures : sequence of str
        Structures in the order of the channels.
    sweep : str
        A name in `SWEEPS`.
    levels : sequence of float
        Levels of the sweep.
    number : int
        Composites per level.
    side_px : int
        Side of a composite in pixels.
    pixel_nm : float
        Pixel size in nm.
    seed : int
        Seed of the experiment.
    out : str or Path
        File to write.

    Raises
    ------
    InputError
        If positions are to be changed of an acquisition that is an image.
    """
    if sweep in ("precision_nm", "scale"):
        _check_positions(acquisitions, sweep)
    fields = by_structure(acquisitions, structures, pixel_nm)
    sources = {acquisition.source["acquisition"]: acquisition for acquisition in acquisitions}
    composites = []
    for level in levels:
        for index in range(number):
            condition = SWEEPS[sweep](level, index, len(structures))
            turns = (_turn(sweep, index, channel, len(structures)) for channel in range(len(structures)))
            chosen = [in_turn(own, turn, seed, "sweep") for own, turn in zip(fields, turns, strict=True)]
            rng = random_generator(seed, "sweep", index)
            table = _arranged(chosen, sources, condition, side_px * pixel_nm, rng)
            named = {field.structure: field.name for field, keep in zip(chosen, condition.keep, strict=True) if keep}
            composites.append((f"{sweep}_{level:g}_{index:03d}", named, table))
    write_composites(out, structures, pixel_nm, side_px, composites)


def _turn(sweep: str, index: int, channel: int, structures: int) -> int:
    """Whose turn it is: another acquisition in each composite, but of the structure that mixing thins each time that it
    is thinned.
    """
    return index // structures if sweep == "mixing" and channel == index % structures else index


def shared(table: pd.DataFrame) -> float:
    """Fraction of the localizations of a composite that lie in a square where another structure lies too."""
    table = table[table["weight"] > 0]
    square = (table[["x_nm", "y_nm"]].to_numpy() // NEAR_NM).astype(np.int64)
    place = pd.Series(square[:, 0] * 2**32 + square[:, 1], index=table.index)
    several = table.groupby(place)["structure"].transform("nunique") > 1
    return float(np.average(several, weights=table["weight"])) if len(table) else 0.0


def _check_positions(acquisitions: Sequence[Localizations], sweep: str) -> None:
    what, mend = "it is an image, which has no positions to change", "leave the key empty, or give localizations"
    raise_all([Fault(a.source["acquisition"], what, mend, f"key `sweeps.{sweep}`") for a in acquisitions if a.is_image])


def _arranged(
    fields: Sequence[Field], sources: dict[str, Localizations], condition: Condition, side_nm: float, rng
) -> pd.DataFrame:
    if condition.overlap is None:
        return _composite(fields, sources, condition, side_nm, rng)
    tables = [_composite(fields, sources, condition, side_nm, rng) for _ in range(ARRANGEMENTS)]
    tables.sort(key=shared)
    return tables[round(condition.overlap * (ARRANGEMENTS - 1))]


def _composite(
    fields: Sequence[Field],
    sources: dict[str, Localizations],
    condition: Condition,
    side_nm: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    seeds = rng.integers(2**63, size=len(fields))  # what is drawn for a structure does not depend on the others
    parts = [
        localizations_of(
            field, sources[field.name], channel, side_nm / condition.scale, keep, np.random.default_rng(own)
        )
        for channel, (field, keep, own) in enumerate(zip(fields, condition.keep, seeds, strict=True))
        if keep
    ]
    table = pd.concat(parts, ignore_index=True)
    if condition.scale != 1:
        table[["x_nm", "y_nm", "uncertainty_nm"]] *= condition.scale
    elif not condition.blur_nm:
        return table
    for axis in ("x_nm", "y_nm"):
        table[axis] += rng.normal(0, condition.blur_nm, len(table))
    stated = table["uncertainty_nm"]  # of a failed fit it is 0 or less, and stays unknown
    table["uncertainty_nm"] = np.hypot(stated.where(stated > 0), condition.blur_nm)
    inside = table[["x_nm", "y_nm"]].ge(0).all(axis=1) & table[["x_nm", "y_nm"]].lt(side_nm).all(axis=1)
    return table[inside].reset_index(drop=True)
