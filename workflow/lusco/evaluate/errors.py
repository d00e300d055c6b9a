"""How far the scores of a model depend on which acquisitions it was tested on.

Composites that share an acquisition are not independent, so acquisitions are drawn, not composites: a bootstrap of
clusters (Davison and Hinkley 1997, section 3.8).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from lusco.evaluate.assignment import ALL, assignment_table
from lusco.evaluate.summary import curve_scores, gaps_closed
from lusco.superpose import random_generator

DRAWS = 200


def standard_errors(
    distances: pd.DataFrame,
    accepted: np.ndarray,
    sources: Sequence[Mapping[str, str]],
    structures: Sequence[str],
    seed: int,
) -> Iterator[tuple[str, str, float, int]]:
    """Standard errors of gaps closed and of the scores of the assignment.

    The acquisitions of a structure are drawn with replacement, as many as there are, and each composite counts as often
    as its acquisition was drawn. So the other structures' acquisitions stay as they are. The error of all is the
    greatest of those that the acquisitions of any structure give.

    Parameters
    ----------
    distances : pandas.DataFrame
        Of one model, composite after composite, each with as many rows.
    accepted : numpy.ndarray
        Of each composite, from `accepted_counts`, shape (composites, thresholds, structures, structures).
    sources : sequence of mapping
        For each composite, the acquisition of each structure.
    structures : sequence of str
        In the order of the channels.
    seed : int
        Seed of the experiment.

    Yields
    ------
    tuple
        Structure, measure of the summary, its standard error, and the number of acquisitions that were drawn from. NaN
        of a single acquisition, which does not tell how others differ, and of what not every draw has.
    """
    errors, number = {}, {}
    for structure in structures:
        place, each = pd.factorize(np.array([source[structure] for source in sources]))
        number[structure] = len(each)
        rng = random_generator(seed, "standard errors", structure)
        found = defaultdict(list)
        for times in rng.multinomial(len(each), np.full(len(each), 1 / len(each)), DRAWS if len(each) > 1 else 1):
            for name, measure, value in _scores_of(distances, accepted, times[place], structures):
                if name in (structure, ALL):
                    found[name, measure].append(value)
        for (name, measure), values in found.items():
            errors.setdefault((name, measure), {})[structure] = _error(values, len(each))
    ordered = sorted(errors.items(), key=lambda item: (*structures, ALL).index(item[0][0]))
    for (name, measure), by_structure in ordered:
        known = {structure: error for structure, error in by_structure.items() if not np.isnan(error)}
        of = max(known or by_structure, key=by_structure.__getitem__)
        yield name, measure, by_structure[of], number[of]


def _scores_of(
    distances: pd.DataFrame, accepted: np.ndarray, times: np.ndarray, structures: Sequence[str]
) -> Iterator[tuple[str, str, float]]:
    """Scores where each composite counts so many times."""
    rows = np.arange(len(distances)).reshape(len(times), -1)
    yield from gaps_closed(distances.iloc[np.repeat(rows, times, axis=0).ravel()], structures)
    yield from curve_scores(assignment_table(np.tensordot(times, accepted, 1), structures), structures)


def _error(values: Sequence[float], acquisitions: int) -> float:
    """Standard deviation of draws; few acquisitions drawn from themselves differ less than others would."""
    if acquisitions < 2:
        return float("nan")
    return float(np.std(values) * np.sqrt(acquisitions / (acquisitions - 1)))
