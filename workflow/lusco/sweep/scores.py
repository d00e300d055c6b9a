"""Scores of composites under changed conditions: one table per sweep, a row per level, structure and measure."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.evaluate import distances_of, summarise, truth_of
from lusco.evaluate.assignment import ALL, accepted_counts, assignment_table, calibration_table
from lusco.files import atomic
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
    fraction of localizations within reach of another structure, `unfamiliar` that of regions unlike what is known.

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
    channels = np.load(applied / CHANNELS, mmap_mode="r", allow_pickle=False)
    probabilities = np.load(applied / PROBABILITIES, mmap_mode="r", allow_pickle=False)
    regions = pd.read_csv(applied / REGIONS)
    number = len(composites) // len(levels)
    rows, first = [], 0
    for index, level in enumerate(levels):
        part = composites.part(index * number, (index + 1) * number)
        truth, weight = truth_of(part)
        own = np.asarray(probabilities[first : first + len(truth)])
        first += len(truth)
        scored = [
            *_scores(part, channels[index * number : (index + 1) * number], own, truth, weight, model, settings, seed),
            *_at_threshold(part, own, truth, weight, model.threshold(crosstalk)),
            (ALL, "unfamiliar", float(regions.loc[regions["composite"].isin(part.names), "unfamiliar"].mean())),
        ]
        rows += [(sweep, level, number, *row) for row in scored]
    with atomic(out) as partial:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(partial, index=False)


def _scores(
    part: Composites,
    channels: np.ndarray,
    probabilities: np.ndarray,
    truth: np.ndarray,
    weight: np.ndarray,
    model: ModelDescription,
    settings: EvaluateSettings,
    seed: int,
) -> Iterator[tuple[str, str, float]]:
    """The summary of a level, as structure, measure and value; gaps only where every structure is always there."""
    structures = part.structures
    assignment = assignment_table(accepted_counts(probabilities, truth, weight), structures)
    calibration = calibration_table(probabilities, truth, weight, structures)
    distances = distances_of(part, channels, model, settings, seed)
    complete = all(len(sources) == len(structures) for sources in part.sources)
    for structure, measure, value in summarise(distances, assignment, calibration, structures):
        if complete or not measure.startswith("gap_closed"):
            yield structure, measure, value


def _at_threshold(
    part: Composites, probabilities: np.ndarray, truth: np.ndarray, weight: np.ndarray, threshold: float
) -> Iterator[tuple[str, str, float]]:
    assigned = probabilities.argmax(1)
    accepted = probabilities.max(1) >= threshold
    wrong = assigned != truth
    yield ALL, "rejected", float(weight[~accepted].sum() / weight.sum())
    yield ALL, "crosstalk", _fraction(weight[accepted & wrong], weight[accepted])
    for index, structure in enumerate(part.structures):
        own = accepted & (assigned == index)
        yield structure, "crosstalk", _fraction(weight[own & wrong], weight[own])
    tables = [part.table(index) for index in range(len(part))]
    absent = np.concatenate([_absent(part, index, len(table)) for index, table in enumerate(tables)])
    invented = accepted & absent[np.arange(len(assigned)), assigned]
    yield ALL, "invented", float(weight[invented].sum() / weight.sum())
    yield ALL, "shared", float(np.average([shared(table) for table in tables], weights=[len(t) for t in tables]))


def _absent(part: Composites, index: int, rows: int) -> np.ndarray:
    """Whether each structure is absent, for every localization of a composite; shape (rows, structures)."""
    return np.tile([structure not in part.sources[index] for structure in part.structures], (rows, 1))


def _fraction(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else np.nan
