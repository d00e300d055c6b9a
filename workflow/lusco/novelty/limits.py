"""How far is too far: what few of the known descriptions, regions and fields exceed.

Tables have a `novelty`, or a distance that is called so until it is one, NaN where there are too few to compare with; a
`weight`, by which copies of a `composite` count together as one; the set of the names of its `acquisitions`; and the
number of `structures` that are described in the region.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lusco.novelty.regions import WHOLE

FALSE_ALARMS = 0.01
LEAST_KNOWN = 10  # descriptions, or composites of which they are; fewer tell nothing of others
LEAST_FIELDS = 100  # that few of fewer exceed is told by a single one
LEAST_OF_EACH = 6  # acquisitions, on average, of each structure; fewer tell less of a number of structures than of all
LEAST_DISTANCE = 1e-3
LEAST_OF_FIELD = 0.5  # of its regions; the mean of fewer varies more
COPY = ["composite", "copy"]


def exceeded_by_few(table: pd.DataFrame) -> float:
    """The novelty that a fraction `FALSE_ALARMS` of those known exceeds; 0 where there is none."""
    known = table[np.isfinite(table["novelty"])]
    if known.empty:
        return 0.0
    return float(np.quantile(known["novelty"], 1 - FALSE_ALARMS, weights=known["weight"], method="inverted_cdf"))


def by_number(tables: Sequence[pd.DataFrame], structures: int, least: int = LEAST_KNOWN) -> np.ndarray:
    """The larger novelty that few of a table exceed, by the number of structures, shape (structures + 1,).

    Few structures look other than many do, and differ more or less. Of a number that no table has in `least`
    composites, of `LEAST_OF_EACH` acquisitions of each structure on average, it is what few of all exceed.
    """
    known = [table[np.isfinite(table["novelty"])] for table in tables]
    limits = np.full(structures + 1, max(map(exceeded_by_few, known)))
    for number in range(structures + 1):
        own = [table[table["structures"] == number] for table in known]
        if any(_composites(table) >= least and _acquisitions(table) >= LEAST_OF_EACH * structures for table in own):
            limits[number] = max(map(exceeded_by_few, own))
    return np.maximum(LEAST_DISTANCE, limits)


def newest(descriptions: pd.DataFrame) -> pd.DataFrame:
    """A row for each region, that of the whole, with the novelty of its newest description, NaN if that of any is."""
    if descriptions.empty:
        return descriptions
    first = np.flatnonzero(descriptions["part"] == WHOLE)
    return descriptions.iloc[first].assign(novelty=np.maximum.reduceat(descriptions["novelty"].to_numpy(), first))


def of_field(novelty: np.ndarray, structures: np.ndarray, across: int, limits: Sequence[float]) -> float:
    """Novelty of a field by that of its regions and the numbers of structures in them; 0 where there are too few."""
    if not _tell(len(novelty), across):
        return 0.0
    return float(novelty.mean() / limits[round(structures.mean())])


def joint_limits(regions: Sequence[pd.DataFrame], structures: int, across: int) -> tuple[np.ndarray, float]:
    """How new fields may be, and by how much distances are lengthened so that few regions of any table are new.

    A region has several descriptions, each of which may raise an alarm, and its field may raise one too.

    Parameters
    ----------
    regions : sequence of pandas.DataFrame
        Rows of `newest`, with `COPY`; the regions of a composite are a field.
    structures : int
        Number of structures.
    across : int
        Regions on a side of a composite.

    Returns
    -------
    numpy.ndarray
        Beyond which the mean novelty of a field is too much, by the mean number of structures in its regions, shape
        (structures + 1,).
    float
        Factor of all distances.
    """
    alone = max(1.0, *map(exceeded_by_few, regions))
    regions = [table.assign(novelty=table["novelty"] / alone) for table in regions]
    fields = [_fields(table, across) for table in regions]
    enough = any(_composites(table) >= LEAST_KNOWN for table in fields)
    limits = by_number(fields, structures, LEAST_FIELDS) if enough else np.ones(structures + 1)
    both = [_newer(*tables, limits) for tables in zip(regions, fields, strict=True)]
    return limits, alone * max(1.0, *map(exceeded_by_few, both))


def _fields(regions: pd.DataFrame, across: int) -> pd.DataFrame:
    """A row for each copy of a composite of which enough regions are described, all of known novelty: means of them."""
    fields = regions.groupby(COPY, as_index=False).agg(
        novelty=("novelty", "mean"),
        structures=("structures", "mean"),
        weight=("weight", "first"),
        acquisitions=("acquisitions", "first"),
        described=("novelty", "size"),
        known=("novelty", "count"),
    )
    fields = fields[_tell(fields["described"], across) & (fields["known"] == fields["described"])]
    return fields.assign(structures=np.rint(fields["structures"]).astype(int))


def _newer(regions: pd.DataFrame, fields: pd.DataFrame, limits: np.ndarray) -> pd.DataFrame:
    """Regions with their novelty, or that of their field if it is more."""
    new = fields[COPY].assign(of_field=fields["novelty"] / limits[fields["structures"]])
    joined = regions[[*COPY, "novelty", "weight"]].merge(new, how="left", on=COPY)
    return joined.assign(novelty=np.maximum(joined["novelty"], joined["of_field"].fillna(0)))


def _tell(regions: int | pd.Series, across: int) -> bool | pd.Series:
    """Whether so many regions tell of a field that has so many on a side."""
    return regions >= max(2, LEAST_OF_FIELD * across**2)


def _composites(table: pd.DataFrame) -> int:
    return table["composite"].nunique()


def _acquisitions(table: pd.DataFrame) -> int:
    return len(frozenset().union(*table["acquisitions"].drop_duplicates()))
