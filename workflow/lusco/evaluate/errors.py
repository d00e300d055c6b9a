"""How far the scores of a model depend on which acquisitions it was tested on.

Composites that share an acquisition are not independent, so acquisitions are drawn, not composites: a bootstrap of
clusters (Davison and Hinkley 1997, section 3.8). Nor are acquisitions of a group, which is drawn as one. Composites
share acquisitions of several structures: what each of these gives is added, and what is counted several times by that
is taken off again (Cameron, Gelbach and Miller 2011).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from lusco.evaluate.assignment import assignment_table
from lusco.evaluate.summary import REFERENCES, curve_scores, gaps_closed
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
    as its acquisition was drawn. A score of a structure depends on what lay over it as well, so this is done with each
    structure in turn, and what they give is added in squares. Each of these holds what differs between composites
    whatever they are of; so that it counts once only, what drawing composites by themselves gives is taken off as many
    times as there are structures, less one. The error is at least that of the structure that matters most.

    Parameters
    ----------
    distances : pandas.DataFrame
        Of one model, composite after composite.
    accepted : numpy.ndarray
        Of each composite, from `accepted_counts`, shape (composites, thresholds, structures, structures).
    sources : sequence of mapping
        For each composite, the acquisition of each structure, or the group that this belongs to.
    structures : sequence of str
        In the order of the channels.
    seed : int
        Seed of the experiment.

    Yields
    ------
    tuple
        Structure, measure of the summary, its standard error, and the least number of acquisitions, or groups, of a
        structure. NaN where a structure has a single one, which does not tell how others differ, and of what a draw
        does not have.
    """
    table = distances.pivot(index="composite", columns=REFERENCES, values="value")
    table = table.loc[distances["composite"].drop_duplicates()].sort_index(axis=1)
    places = [pd.factorize(np.array([source[structure] for source in sources]))[0] for structure in structures]

    @cache
    def variance(place: tuple[int, ...]) -> pd.Series:
        """Of each score, where composites of the same place are drawn together."""
        number = max(place) + 1
        rng = random_generator(seed, "standard errors", number)
        draws = rng.multinomial(number, np.full(number, 1 / number), DRAWS)[:, list(place)]
        drawn = pd.DataFrame([_scores(table, accepted, times, structures) for times in draws])
        # few acquisitions drawn from themselves differ less than others would
        factor = number / (number - 1) if number > 1 else np.nan
        return factor * drawn.var(ddof=0, skipna=False)

    of_each = pd.concat([variance(tuple(place)) for place in places], axis=1)
    shared = (len(structures) - 1) * variance(tuple(range(len(sources))))
    most = of_each.max(axis=1, skipna=False)
    for (structure, measure), whole in np.maximum(of_each.sum(axis=1, skipna=False) - shared, most).items():
        yield structure, measure, float(np.sqrt(whole)), min(max(place) + 1 for place in places)


def _scores(
    distances: pd.DataFrame, accepted: np.ndarray, times: np.ndarray, structures: Sequence[str]
) -> dict[tuple[str, str], float]:
    """Scores where each composite counts so many times; distances are a row of each composite."""
    medians = distances.iloc[np.repeat(np.arange(len(times)), times)].median()
    gaps = gaps_closed(medians, structures)
    curves = curve_scores(assignment_table(np.tensordot(times, accepted, 1), structures), structures)
    return {(structure, measure): value for scores in (gaps, curves) for structure, measure, value in scores}
