"""How far is too far: what few of the known descriptions, regions and fields exceed.

Tables have a `novelty`, or a distance that is called so until it is one, NaN where there are too few to compare with; a
`weight`, by which copies of a composite count together as one; and the number of `structures` that are described in
the region.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lusco.novelty.regions import WHOLE

FALSE_ALARMS = 0.01
LEAST_KNOWN = 10  # of training or of validation; fewer tell nothing of others
LEAST = 1e-3


def exceeded_by_few(table: pd.DataFrame) -> float:
    """The novelty that a fraction `FALSE_ALARMS` of those known exceeds; 0 where there is none."""
    known = table[np.isfinite(table["novelty"])]
    if known.empty:
        return 0.0
    return float(np.quantile(known["novelty"], 1 - FALSE_ALARMS, weights=known["weight"], method="inverted_cdf"))


def by_number(tables: Sequence[pd.DataFrame], structures: int) -> np.ndarray:
    """The larger novelty that few of each table exceed, by the number of structures, shape (structures + 1,).

    Few structures look other than many do, and differ more or less. Of a number that is hardly met, it is what few
    of all numbers exceed; 1 where hardly any is known.
    """
    known = [table[np.isfinite(table["novelty"])] for table in tables]
    limits = np.full(structures + 1, _larger(known) or 1.0)
    for number in range(structures + 1):
        limits[number] = _larger([table[table["structures"] == number] for table in known]) or limits[number]
    return limits


def _larger(tables: Sequence[pd.DataFrame]) -> float:
    """What few exceed of that table of which it is more; at least `LEAST`, 0 if each is too short to tell."""
    enough = [max(LEAST, exceeded_by_few(table)) for table in tables if len(table) >= LEAST_KNOWN]
    return max(enough, default=0.0)


def newest(descriptions: pd.DataFrame) -> pd.DataFrame:
    """A row for each region, that of the whole, with the novelty of its newest description, NaN if that of any is."""
    if descriptions.empty:
        return descriptions
    first = np.flatnonzero(descriptions["part"] == WHOLE)
    return descriptions.iloc[first].assign(novelty=np.maximum.reduceat(descriptions["novelty"].to_numpy(), first))


def of_fields(regions: Sequence[pd.DataFrame], structures: int) -> tuple[np.ndarray, float]:
    """How new a field may be, and by how much distances are lengthened, so that few regions of either table are new.

    A region has several descriptions, each of which may raise an alarm, and its field may raise one too.

    Parameters
    ----------
    regions : sequence of pandas.DataFrame
        Rows of `newest`, with their `composite` and `copy`.
    structures : int
        Number of structures.

    Returns
    -------
    numpy.ndarray
        Beyond which the mean novelty of the regions of a composite is too much, by their mean number of structures,
        shape (structures + 1,).
    float
        Factor of all distances.
    """
    alone = max(1.0, *map(exceeded_by_few, regions))
    judged = [_with_fields(table.assign(novelty=table["novelty"] / alone)) for table in regions]
    fields = [
        table.assign(novelty=table["of_field"], structures=table["structures_of_field"]).drop_duplicates(
            ["composite", "copy"]
        )
        for table in judged
    ]
    limits = by_number(fields, structures)
    both = [
        table.assign(novelty=newer(table["novelty"], table["of_field"], table["structures_of_field"], limits))
        for table in judged
    ]
    return limits, alone * max(1.0, *map(exceeded_by_few, both))


def newer(novelty: np.ndarray, of_field: np.ndarray, structures: np.ndarray, limits: Sequence[float]) -> np.ndarray:
    """Novelty of regions, or if that is more, that of the fields around them, with so many structures on average."""
    number = np.rint(structures).astype(int)
    return np.maximum(novelty, of_field / np.asarray(limits)[number])


def _with_fields(regions: pd.DataFrame) -> pd.DataFrame:
    """With the mean novelty, and number of structures, of the regions of their composites."""
    known = regions[np.isfinite(regions["novelty"])]
    means = known.groupby(["composite", "copy"])[["novelty", "structures"]].transform("mean")
    return known.assign(of_field=means["novelty"], structures_of_field=np.rint(means["structures"]).astype(int))
