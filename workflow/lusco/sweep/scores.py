"""Scores of composites under changed conditions: one table per sweep, a row per level, structure and measure."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.answer import Recolored
from lusco.evaluate import distances_of, truth_of
from lusco.evaluate.assignment import ALL, accepted_counts, assignment_table, calibration_table
from lusco.evaluate.summary import summarise
from lusco.files import atomic, read_array, read_csv
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.settings import EvaluateSettings
from lusco.superpose.composites import Composites
from lusco.sweep import shared

COLUMNS = ["sweep", "level", "composites", "structure", "measure", "value"]


def score_sweep(
    composites: Composites,
    applied: Path,
    model: ModelDescription,
    sweep: str,
    levels: Sequence[float],
    crosstalk: float,
    settings: EvaluateSettings,
    seed: int,
    out: str | Path,
) -> None:
    """Write the table of a sweep.

    Measures are those of `summary.csv`, and at the threshold that was chosen on validation: `rejected`, `crosstalk`,
    `invented` (fraction of all localizations that are accepted as a structure that is absent); `shared` is the
    fraction of localizations that share a square of 100 nm with another structure, `unfamiliar` that of regions unlike
    what is known.

    Parameters
    ----------
    composites : Composites
        Of all levels, one level after another.
    applied : Path
        Folder of the recoloured composites.
    model : ModelDescription
        The model that recoloured them.
    sweep : str
        Name of the sweep.
    levels : sequence of float
        Its levels.
    crosstalk : float
        The fraction of crosstalk that the threshold is chosen for.
    settings : EvaluateSettings
        Smoothing.
    seed : int
        Seed of the experiment.
    out : str or Path
        File to write.
    """
    channels = read_array(applied / CHANNELS)
    probabilities = read_array(applied / PROBABILITIES)
    regions = read_csv(applied / REGIONS)
    ends = np.cumsum([0, *(len(composites.table(place)) for place in range(len(composites)))])

    def recolored(places: Sequence[int]) -> Recolored:
        rows = [probabilities[ends[place] : ends[place + 1]] for place in places]
        return Recolored(np.stack([channels[place] for place in places]), np.concatenate(rows))

    number = len(composites) // len(levels)
    rows = []
    for index, level in enumerate(levels):
        places = range(index * number, (index + 1) * number)
        scored = []
        for structures, own in _singled_out(sweep, places, composites.structures):
            part, result = composites.chosen(own), recolored(own)
            found = [
                *_scores(part, result, model, settings, seed),
                *_at_threshold(part, result.probabilities, model.threshold(crosstalk)),
            ]
            scored += [row for row in found if row[0] in structures]
        if sweep == "mixing":
            scored += _means(scored)
        scored += _of_level(composites.chosen(places), recolored(places).probabilities, model.threshold(crosstalk))
        own = regions["composite"].isin([composites.names[place] for place in places])
        scored.append((ALL, "unfamiliar", float(regions.loc[own, "unfamiliar"].mean())))
        rows += [(sweep, level, number, *row) for row in scored]
    with atomic(out) as partial:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(partial, index=False)


def _singled_out(
    sweep: str, places: range, structures: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Sequence[int]]]:
    """Which composites of a level to score for which structures: of mixing, those in which a structure is thinned."""
    if sweep != "mixing":
        yield (*structures, ALL), places
        return
    for k, structure in enumerate(structures):
        if own := places[k :: len(structures)]:
            yield (structure,), own


def _means(rows: Sequence[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    """The mean over structures of each measure, as of `all`."""
    means = pd.DataFrame(rows, columns=COLUMNS[-3:]).groupby("measure", sort=False)["value"].mean()
    return [(ALL, measure, value) for measure, value in means.items()]


def _scores(
    part: Composites, recolored: Recolored, model: ModelDescription, settings: EvaluateSettings, seed: int
) -> Iterator[tuple[str, str, float]]:
    """The summary of a level, as structure, measure and value; gaps only where every structure is always there."""
    structures = part.structures
    truth, weight = truth_of(part)
    assignment = assignment_table(accepted_counts(recolored.probabilities, truth, weight), structures)
    calibration = calibration_table(recolored.probabilities, truth, weight, structures)
    distances = distances_of(part, recolored.channels, model, settings, seed)
    complete = all(len(sources) == len(structures) for sources in part.sources)
    for structure, measure, value in summarise(distances, assignment, calibration, structures):
        if complete or not measure.startswith("gap_closed"):
            yield structure, measure, value


def _at_threshold(part: Composites, probabilities: np.ndarray, threshold: float) -> Iterator[tuple[str, str, float]]:
    """What the threshold rejects, lets through and invents, of all localizations and of each structure's own."""
    truth, weight = truth_of(part)
    assigned = probabilities.argmax(1)
    accepted = probabilities.max(1) >= threshold
    wrong = assigned != truth
    yield ALL, "rejected", _fraction(weight[~accepted], weight)
    yield ALL, "crosstalk", _fraction(weight[accepted & wrong], weight[accepted])
    for index, structure in enumerate(part.structures):
        own = accepted & (assigned == index)
        yield structure, "crosstalk", _fraction(weight[own & wrong], weight[own])
        yield structure, "rejected", _fraction(weight[~accepted & (truth == index)], weight[truth == index])


def _of_level(part: Composites, probabilities: np.ndarray, threshold: float) -> Iterator[tuple[str, str, float]]:
    """What is invented at the threshold, and how much of the composites is shared by several structures."""
    tables = [part.table(index) for index in range(len(part))]
    weight = np.concatenate([table["weight"] for table in tables])
    absent = np.concatenate([_absent(part, index, len(table)) for index, table in enumerate(tables)])
    assigned = probabilities.argmax(1)
    invented = (probabilities.max(1) >= threshold) & absent[np.arange(len(assigned)), assigned]
    yield ALL, "invented", _fraction(weight[invented], weight)
    sizes = [len(table) for table in tables]
    yield ALL, "shared", float(np.average(list(map(shared, tables)), weights=sizes)) if sum(sizes) else np.nan


def _absent(part: Composites, index: int, rows: int) -> np.ndarray:
    """Whether each structure is absent, for every localization of a composite; shape (rows, structures)."""
    return np.tile([structure not in part.sources[index] for structure in part.structures], (rows, 1))


def _fraction(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else np.nan
