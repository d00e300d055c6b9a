"""How far the scores of a model depend on which acquisitions it was tested on.

Composites that share an acquisition are not independent, so acquisitions are drawn, not composites: a bootstrap of
clusters (Davison and Hinkley 1997, section 3.8). Nor are acquisitions of a group, which is drawn as one.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from lusco.evaluate.assignment import assignment_table
from lusco.evaluate.summary import REFERENCES, curve_scores, gaps_closed
from lusco.superpose import random_generator

DRAWS = 100


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
    structure in turn, and what they give is added in squares, as acquisitions of all meet in ever other combinations.

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
    variances, least = [], len(sources)
    for structure in structures:
        place, each = pd.factorize(np.array([source[structure] for source in sources]))
        number = len(each)
        least = min(least, number)
        rng = random_generator(seed, "standard errors", structure)
        draws = rng.multinomial(number, np.full(number, 1 / number), DRAWS)[:, place]
        drawn = pd.DataFrame([_scores(table, accepted, times, structures) for times in draws])
        # few acquisitions drawn from themselves differ less than others would
        factor = number / (number - 1) if number > 1 else np.nan
        variances.append(factor * drawn.var(ddof=0, skipna=False))
    for (structure, measure), variance in sum(variances).items():
        yield structure, measure, float(np.sqrt(variance)), least


def _scores(
    distances: pd.DataFrame, accepted: np.ndarray, times: np.ndarray, structures: Sequence[str]
) -> dict[tuple[str, str], float]:
    """Scores where each composite counts so many times; distances are a row of each composite."""
    medians = distances.iloc[np.repeat(np.arange(len(times)), times)].median()
    gaps = gaps_closed(medians, structures)
    curves = curve_scores(assignment_table(np.tensordot(times, accepted, 1), structures), structures)
    return {(structure, measure): value for scores in (gaps, curves) for structure, measure, value in scores}
