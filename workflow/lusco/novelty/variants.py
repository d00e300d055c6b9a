"""Composites as mixtures may be: some structures only, each thinned, and all of it as precise as one acquisition."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lusco.superpose.pieces import thin

KEEP_LEAST = 0.5


def varied_table(table: pd.DataFrame, structures: int, rng: np.random.Generator) -> pd.DataFrame:
    """Localizations of some of the structures of a composite, each thinned, as mixtures may be.

    Parameters
    ----------
    table : pandas.DataFrame
        Localizations, of whose columns `structure` (an index) and `weight` count.
    structures : int
        Number of structures.
    rng : numpy.random.Generator
        Source of randomness.
    """
    present = rng.permutation(structures)[: rng.integers(1, structures + 1)]
    keep = rng.uniform(KEEP_LEAST, 1, structures)
    structure, given = table["structure"].to_numpy(), table["weight"].to_numpy()
    weight = np.zeros(len(table), dtype=np.float32)
    for k in present:
        weight[structure == k] = thin(given[structure == k], keep[k], rng)
    return table.assign(weight=weight)[weight > 0].reset_index(drop=True)


def alone_table(table: pd.DataFrame, structure: int) -> pd.DataFrame:
    """Localizations of one structure of a composite, by its index: in a sample it may be all that is there."""
    return table[table["structure"] == structure].reset_index(drop=True)


def at_each_precision(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Localizations of a composite, once for each of its structures, with uncertainties whose mean is that one's.

    A mixture is imaged at once, and so as precisely as one acquisition; the mean of several, of which a composite is
    made, is rarely as good or as bad.

    Parameters
    ----------
    table : pandas.DataFrame
        Localizations, of whose columns `structure` and `uncertainty_nm` count; without uncertainties it is given as it
        is.
    """
    logs = np.log(table["uncertainty_nm"].where(table["uncertainty_nm"] > 0).replace(np.inf, np.nan))
    means = logs.groupby(table["structure"]).mean().dropna()
    if means.empty:
        yield table
    for mean in means:
        yield table.assign(uncertainty_nm=table["uncertainty_nm"] * np.exp(mean - logs.mean()))
