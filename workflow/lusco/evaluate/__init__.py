"""Evaluation: recoloured composites against the truth that a superposition knows.

Writes tidy tables, one row per measurement: distances, overlap, assignment, calibration, a summary and its errors.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.evaluate.assignment import (
    THRESHOLDS,
    accepted_counts,
    assignment_table,
    calibration_table,
    confusion_table,
)
from lusco.evaluate.coupling import COLUMNS as WINDOWS
from lusco.evaluate.coupling import coupling
from lusco.evaluate.distances import comparisons, prepare, smooth
from lusco.evaluate.errors import standard_errors
from lusco.evaluate.overlap import overlap
from lusco.evaluate.shapes import SHAPES
from lusco.evaluate.summary import summarise
from lusco.files import atomic, read_array, read_csv, write_json
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.settings import EvaluateSettings
from lusco.superpose import random_generator
from lusco.superpose.composites import Composites, count
from lusco.table import UNSPECIFIC

DISTANCES = ["model", "composite", "structure", "distance", "comparison", "value"]
OVERLAP = ["model", "composite", "structure_a", "structure_b", "measure", "source", "value"]
ASSIGNMENT = ["model", "acquisition", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"]
CONFUSION = ["model", "threshold", "structure", "given", "localizations"]
SHAPE = ["model", "composite", "structure", "shape", "measure", "source", "value"]
COUPLING = ["model", "acquisition", *WINDOWS]
REGION = ["model", "composite", "x_nm", "y_nm", "side_nm", "localizations", "novelty", "unfamiliar", "differs_by"]
CALIBRATION = ["model", "structure", "bin", "confidence", "accuracy", "localizations"]
UNSPECIFIC_FALL = ["model", "threshold", "structure", "fraction", "localizations"]
SUMMARY = ["model", "structure", "measure", "value"]
ERROR = ["model", "structure", "measure", "error", "acquisitions"]

log = logging.getLogger(__name__)


def evaluate(
    composites: Composites,
    models: Mapping[str, tuple[ModelDescription, Path]],
    scored: Mapping[str, Path],
    groups: Mapping[str, str],
    chosen: str,
    settings: EvaluateSettings,
    seed: int,
    out: str | Path,
) -> None:
    """Write the tables of an experiment.

    Parameters
    ----------
    composites : Composites
        Test composites.
    models : mapping
        For each model its description and the folder of its recoloured composites.
    scored : mapping
        Recoloured tables of `mixed` acquisitions whose truth is known, by acquisition.
    groups : mapping
        Of test acquisitions that belong together (a cell, a day), by acquisition; any other is its own.
    chosen : str
        The model that recoloured them.
    settings : EvaluateSettings
        Smoothing and threshold of overlap.
    seed : int
        Seed of the experiment, for the random halves, permutations and draws of acquisitions.
    out : str or Path
        Folder for the tables.
    """
    columns = {
        "distances": DISTANCES,
        "overlap": OVERLAP,
        "shapes": SHAPE,
        "regions": REGION,
        "assignment": ASSIGNMENT,
        "confusion": CONFUSION,
        "calibration": CALIBRATION,
        "unspecific": UNSPECIFIC_FALL,
        "summary": SUMMARY,
        "errors": ERROR,
    }
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in columns}
    of_groups = [{key: groups.get(name, name) for key, name in own.items()} for own in composites.sources]
    for name, (description, folder) in models.items():
        channels = read_array(folder / CHANNELS)
        probabilities = read_array(folder / PROBABILITIES)
        distances = distances_of(composites, channels, description, settings, seed)
        overlaps = pd.DataFrame(_overlaps(composites, channels, description, settings), columns=OVERLAP[1:])
        shapes = pd.DataFrame(_shapes(composites, channels, description, settings.shapes), columns=SHAPE[1:])
        regions = read_csv(folder / REGIONS)
        truth, weight = truth_of(composites)
        accepted = accepted_of(composites, np.asarray(probabilities), truth, weight)
        assignment = assignment_table(accepted.sum(0), composites.structures).assign(acquisition="")
        confusion = confusion_table(accepted.sum(0), composites.structures)
        calibration = calibration_table(np.asarray(probabilities), truth, weight, composites.structures)
        unspecific = unspecific_table(composites, np.asarray(probabilities))
        rows = summarise(distances, assignment, calibration, composites.structures)
        summary = pd.DataFrame(rows, columns=SUMMARY[1:])
        drawn = standard_errors(distances, accepted, of_groups, composites.structures, seed)
        errors = pd.DataFrame(drawn, columns=ERROR[1:])
        parts = (distances, overlaps, shapes, regions, assignment, confusion, calibration, unspecific, summary, errors)
        for key, table in zip(tables, parts, strict=True):
            tables[key].append(table.assign(model=name))
    structures = composites.structures
    coupled = [pd.DataFrame(columns=COUPLING)]
    for acquisition, file in scored.items():
        named = {"acquisition": acquisition, "model": chosen}
        table = of_structures(read_csv(file))
        if table.empty:
            log.warning("%s: not scored, as nothing that is left of it belongs to a structure", acquisition)
            continue
        tables["assignment"].append(score_acquisition(table, structures).assign(**named))
        if foreign := sorted(set(table["true_structure"].astype(str)) - set(structures)):
            what = "%s: no overlap is measured, as the model does not know %s (it knows %s)"
            log.warning(what, acquisition, ", ".join(foreign[:5]), ", ".join(structures))
            continue
        coupled.append(coupling(table, models[chosen][0], composites.side_px, settings).assign(**named)[COUPLING])

    out = Path(out)
    for key, parts in tables.items():
        _write(pd.concat(parts, ignore_index=True)[columns[key]], out / f"{key}.csv")
    _write(pd.concat(coupled[1:] or coupled, ignore_index=True), out / "coupling.csv")
    write_json(out / "metadata.json", _metadata(composites, models, scored, settings))


def of_structures(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a recoloured table that belong to a structure: their truth is neither empty nor `unspecific`."""
    return table[table["true_structure"].replace(UNSPECIFIC, np.nan).notna()]


def score_acquisition(table: pd.DataFrame, structures: Sequence[str]) -> pd.DataFrame:
    """Score the recoloured localizations of an acquisition that belong to structures.

    Those of a structure that the model does not know are wrong whatever they are given to.
    """
    truth = pd.Index(structures).get_indexer(table["true_structure"]).astype(np.int64)
    truth[truth < 0] = len(structures)
    probabilities = table[[f"p_{structure}" for structure in structures]].to_numpy()
    weight = table["weight"].to_numpy() if "weight" in table else np.ones(len(table))
    return assignment_table(accepted_counts(probabilities, truth, weight), structures)


def distances_of(
    composites: Composites, channels: np.ndarray, model: ModelDescription, settings: EvaluateSettings, seed: int
) -> pd.DataFrame:
    """Distances of one model's channels, shape (composites, structures, side, side), in the columns of the table."""
    return pd.DataFrame(_distances(composites, channels, model, settings, seed), columns=DISTANCES[1:])


def _distances(
    composites: Composites, channels: np.ndarray, model: ModelDescription, settings: EvaluateSettings, seed: int
) -> Iterator[tuple[str, str, str, str, float]]:
    def prepared(counts: np.ndarray, index: int) -> np.ndarray:
        return prepare(counts, model.scale_counts[index], settings.smoothing_nm, composites.pixel_nm)

    counts = lru_cache(maxsize=4)(composites.counts)
    for position, name in enumerate(composites.names):
        truth = counts(position)
        composite = truth.sum(0)
        rng = random_generator(seed, "evaluate", name)
        halves = _halves(composites, position, rng)
        for index, structure in enumerate(composites.structures):
            rows = comparisons(
                prepared(truth[index], index),
                prepared(channels[position, index], index),
                prepared(composite, index),
                (prepared(halves[0][index], index), prepared(halves[1][index], index)),
                prepared(counts(elsewhere(composites.sources, position, structure))[index], index),
                rng,
            )
            for distance, comparison, value in rows:
                yield name, structure, distance, comparison, value


def elsewhere(sources: Sequence[Mapping[str, str]], position: int, structure: str) -> int:
    """The nearest composite before one, by their acquisitions, that has the structure of another acquisition.

    The one before, where there is none; the last comes before the first.
    """
    before = [(position - steps) % len(sources) for steps in range(1, len(sources) + 1)]
    own = sources[position].get(structure)
    return next((place for place in before if sources[place].get(structure) not in (None, own)), before[0])


def _halves(composites: Composites, position: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Renderings of two disjoint random halves of the localizations, each counted twice; NaN of what is no count."""
    table = composites.table(position)
    size = (len(composites.structures), composites.side_px, composites.pixel_nm)
    if (table["weight"] == 1).all():
        first = rng.random(len(table)) < 0.5
        return 2 * count(table[first], *size), 2 * count(table[~first], *size)
    whole = count(table, *size)  # an image: each pixel's counts are divided
    if (whole != np.round(whole)).any():  # intensities, of which there are no halves
        return np.full_like(whole, np.nan), np.full_like(whole, np.nan)
    first = rng.binomial(whole.astype(np.int64), 0.5).astype(np.float32)
    return 2 * first, 2 * (whole - first)


def _overlaps(
    composites: Composites, channels: np.ndarray, model: ModelDescription, settings: EvaluateSettings
) -> Iterator[tuple[str, str, str, str, str, float]]:
    for position, name in enumerate(composites.names):
        for source, counts in (("truth", composites.counts(position)), ("model", channels[position])):
            scaled = [
                smooth(image, settings.smoothing_nm, composites.pixel_nm) / scale
                for image, scale in zip(counts, model.scale_counts, strict=True)
            ]
            for a, b in combinations(range(len(scaled)), 2):
                for measure, value in overlap(scaled[a], scaled[b], settings.overlap_threshold).items():
                    yield name, composites.structures[a], composites.structures[b], measure, source, value


def _shapes(
    composites: Composites, channels: np.ndarray, model: ModelDescription, shapes: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str, str, float]]:
    """What `lusco.evaluate.shapes` measures on true and recoloured channels."""
    for position, name in enumerate(composites.names):
        for source, counts in (("truth", composites.counts(position)), ("model", channels[position])):
            for image, scale, structure in zip(counts, model.scale_counts, composites.structures, strict=True):
                shape = shapes.get(structure)
                measured = SHAPES[shape](image, scale, composites.pixel_nm) if shape else {}
                for measure, value in measured.items():
                    yield name, structure, shape, measure, source, value


def truth_of(composites: Composites) -> tuple[np.ndarray, np.ndarray]:
    """Index of the true structure, and weight, of all localizations of composites, one composite after another.

    Unspecific localizations belong to no structure, and weigh nothing.
    """
    tables = [composites.table(index)[["structure", "weight", "unspecific"]] for index in range(len(composites))]
    joined = pd.concat(tables, ignore_index=True)
    weight = joined["weight"].where(~joined["unspecific"], 0)
    return joined["structure"].to_numpy().astype(np.int64), weight.to_numpy()


def accepted_of(composites: Composites, probabilities: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`accepted_counts` of each composite; the others are of all their localizations, one composite after another."""
    ends = np.cumsum([len(composites.table(index)) for index in range(len(composites))])[:-1]
    parts = zip(*(np.split(each, ends) for each in (probabilities, truth, weight)), strict=True)
    return np.stack([accepted_counts(*part) for part in parts])


def unspecific_table(composites: Composites, probabilities: np.ndarray) -> pd.DataFrame:
    """Where unspecific localizations fall.

    Returns
    -------
    pandas.DataFrame
        Columns threshold, structure, fraction (of all unspecific localizations, those accepted as the structure) and
        localizations (all unspecific ones); empty where none is known to be unspecific.
    """
    own = np.concatenate([composites.table(index)["unspecific"] for index in range(len(composites))])
    if not own.any():
        return pd.DataFrame(columns=UNSPECIFIC_FALL[1:])
    accepted = accepted_counts(probabilities[own], np.zeros(own.sum(), dtype=np.int64), np.ones(own.sum()))
    return pd.DataFrame(
        {
            "threshold": np.repeat(THRESHOLDS, len(composites.structures)),
            "structure": np.tile(composites.structures, len(THRESHOLDS)),
            "fraction": accepted.sum(2).ravel() / own.sum(),
            "localizations": own.sum(),
        }
    )


def _metadata(
    composites: Composites,
    models: Mapping[str, tuple[ModelDescription, Path]],
    scored: Iterable[str],
    settings: EvaluateSettings,
) -> dict:
    return {
        "composites": len(composites),
        "side_px": composites.side_px,
        "pixel_nm": composites.pixel_nm,
        "smoothing_nm": settings.smoothing_nm,
        "overlap_threshold": settings.overlap_threshold,
        "scale_counts": {
            name: dict(zip(description.structures, description.scale_counts, strict=True))
            for name, (description, _) in models.items()
        },
        "scored": list(scored),
        "sources": dict(zip(composites.names, composites.sources, strict=True)),
    }


def _write(table: pd.DataFrame, path: Path) -> None:
    with atomic(path) as partial:
        table.to_csv(partial, index=False)
