"""What a model knows of regions, and how far from it is too far, from composites of training and of validation.

Too far is what one in a hundred of validation composites exceeds, or, if that is more, one in a hundred of the known
ones if only those of composites without any of its acquisitions were known: what differs from one acquisition to the
next raises no alarm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lusco.novelty import Known
from lusco.novelty.limits import LEAST_KNOWN, by_number, joint_limits, newest
from lusco.novelty.parts import Part, nearest, nothing, white, whitening
from lusco.novelty.regions import (
    FEATURES,
    appearance_columns,
    appearance_of,
    describe,
    region_px,
    regions_across,
    structures_in,
    surroundings,
)
from lusco.packed import pack, unpack
from lusco.render import Points

MOST_KNOWN = 3000  # descriptions of a part that a model keeps
LEAST_OTHERS = 0.1  # of the known regions; fewer are too far apart for being few alone to tell anything
MOST_AXES = 12  # of appearance
LEAST_DEVIATION = 1e-3  # along an axis, of that along the first


@dataclass(frozen=True)
class Seen:
    """A composite as a model sees it.

    Parameters
    ----------
    points : Points
        Its n localizations.
    probabilities : numpy.ndarray
        Of each structure for each localization, shape (n, structures).
    acquisitions : frozenset of str
        Names of those it is made of.
    composite, copy : int
        Numbers of the composite and of the copy of it that this is; all copies count as one.
    appearance : numpy.ndarray or None
        Of each localization, by the last features of the network, shape (n, features).
    """

    points: Points
    probabilities: np.ndarray
    acquisitions: frozenset[str]
    composite: int
    copy: int = 0
    appearance: np.ndarray | None = None


def learn_from(
    training: Iterable[Seen], validation: Iterable[Seen], structures: int, pixel_nm: float, composite_px: int
) -> Known:
    """What is known, from training and from validation composites.

    Parameters
    ----------
    training, validation : iterable of Seen
        Composites of these acquisitions.
    structures : int
        Number of structures.
    pixel_nm : float
        Pixel size in nm.
    composite_px : int
        Side of a composite in pixels.
    """
    side_px = region_px(pixel_nm, composite_px)
    around, across = surroundings(side_px, composite_px), regions_across(side_px, composite_px)

    def described(images: Iterable[Seen]) -> pd.DataFrame:
        tables = []
        for seen in images:
            table = describe(seen.points, seen.probabilities, side_px, around, seen.appearance)
            numbers = {"composite": seen.composite, "copy": seen.copy}
            tables.append(table.assign(acquisitions=[seen.acquisitions] * len(table), **numbers))
        return pd.concat(tables, ignore_index=True)

    return learn(described(training), described(validation), structures, side_px, around, across)


def learn(
    training: pd.DataFrame, validation: pd.DataFrame, structures: int, side_px: int, surroundings: int, across: int
) -> Known:
    """What is known.

    Parameters
    ----------
    training, validation : pandas.DataFrame
        Rows of `describe`, of composites of the training acquisitions and of validation composites, with the set of
        the names of their acquisitions as `acquisitions`, and `composite` and `copy` as of `Seen`.
    structures : int
        Number of structures.
    side_px, surroundings : int
        As given to `describe`.
    across : int
        Regions on a side of a composite.
    """
    axes = _axes(training)
    tables = [_prepared(table, axes) for table in (training, validation)]
    learnt = [_learn_parts(tables, structures, columns) for columns in (FEATURES, appearance_of(tables[0]))]
    fields, longer = joint_limits([newest(table) for table in tables], structures, across)
    parts, appearance = (
        [replace(part, distances=[longer * each for each in part.distances]) for part in some] for some in learnt
    )
    return Known(side_px, surroundings, across, parts, fields.tolist(), axes.tolist(), appearance)


def _prepared(table: pd.DataFrame, axes: np.ndarray) -> pd.DataFrame:
    """Descriptions along these axes, with their weight, the number of structures in their region, and no novelty."""
    return _weighed(_along(table, axes)).assign(structures=structures_in(table), novelty=0.0)


def _axes(training: pd.DataFrame) -> np.ndarray:
    """The principal axes of how regions look, shape (axes, features), of differences from the mean of their part.

    Each part counts alike, as those that are rarely described are told apart too.
    """
    columns = appearance_of(training)
    looks = training.drop_duplicates(["part", *columns])[["part", *columns]] if columns else training[:0]
    if looks.empty:
        return np.empty((0, len(columns)))
    parts = looks.groupby("part")
    number = parts["part"].transform("size").to_numpy()
    apart = (looks[columns] - parts[columns].transform("mean")).to_numpy() / np.sqrt(number)[:, None]
    _, deviation, axes = np.linalg.svd(apart, full_matrices=False)
    telling = deviation[:MOST_AXES] > LEAST_DEVIATION * deviation[0]
    return np.round(axes[:MOST_AXES][telling], 5)


def _along(table: pd.DataFrame, axes: np.ndarray) -> pd.DataFrame:
    """Descriptions whose appearance is told along these axes."""
    columns = appearance_of(table)
    looks = table[columns].to_numpy() @ axes.T
    return table.drop(columns=columns).assign(**dict(zip(appearance_columns(len(axes)), looks.T, strict=True)))


def _learn_parts(tables: Sequence[pd.DataFrame], structures: int, columns: Sequence[str]) -> list[Part]:
    """What these columns tell of each part; the `novelty` of descriptions becomes theirs, where that is more."""
    parts = []
    for number in range(structures + 1 if columns else 0):
        part, *novelties = _learn(*(table[table["part"] == number] for table in tables), structures, columns)
        parts.append(part)
        for table, novelty in zip(tables, novelties, strict=True):
            own = table["part"] == number
            table.loc[own, "novelty"] = np.maximum(table.loc[own, "novelty"], novelty)  # NaN if either is
    return parts


def _learn(
    training: pd.DataFrame, validation: pd.DataFrame, structures: int, columns: Sequence[str]
) -> tuple[Part, np.ndarray, np.ndarray]:
    """What is known of a part, with the novelty of these descriptions, NaN where there are too few to compare with."""
    bank = training.drop_duplicates(columns)  # regions with the same surroundings are one
    if min(len(bank), len(validation)) < LEAST_KNOWN:  # too little to compare with: nothing is called unfamiliar
        return nothing(len(columns), structures), np.zeros(len(training)), np.zeros(len(validation))
    bank = _weighed(bank)
    unknown = bank[columns].isna().any().to_numpy()  # a precision that not all have is not looked at
    if len(bank) > MOST_KNOWN:
        share = bank["weight"].to_numpy() / bank["weight"].sum()
        bank = bank.iloc[np.random.default_rng(0).choice(len(bank), MOST_KNOWN, replace=False, p=share)]
    features = np.where(unknown, 0, bank[columns].to_numpy())
    mean = features.mean(0)
    matrix = whitening(features - mean, columns)
    matrix[unknown] = 0
    packed = pack(white(features, mean, matrix))
    known = unpack(packed, len(columns))  # as they will be
    trained, validated = (white(table[columns].to_numpy(), mean, matrix) for table in (training, validation))
    # validation is often one acquisition or a few; and a model may be surer of what it learned from than of others
    left_out = _from_others(trained, training["acquisitions"], known, bank["acquisitions"])
    apart, _ = nearest(validated, known)
    judged = training.assign(novelty=left_out), validation.assign(novelty=apart)
    distances = by_number(judged, structures)
    novelties = [table["novelty"].to_numpy() / distances[table["structures"]] for table in judged]
    return Part(packed, mean.tolist(), matrix.tolist(), distances.tolist()), *novelties


def _weighed(descriptions: pd.DataFrame) -> pd.DataFrame:
    """With a `weight` by which copies of a composite, of those that there are, count together as one."""
    return descriptions.assign(weight=1 / descriptions.groupby("composite")["copy"].transform("nunique"))


def _from_others(
    features: np.ndarray, acquisitions: Iterable[frozenset[str]], known: np.ndarray, others: Iterable[frozenset[str]]
) -> np.ndarray:
    """Distance of features from known ones that share no acquisition with them; NaN if these are few."""
    sets, others = list(acquisitions), list(others)
    found = np.full(len(features), np.nan)
    for one in dict.fromkeys(sets):
        own, other = np.array([each == one for each in sets]), np.array([not each & one for each in others])
        if other.mean() >= LEAST_OTHERS:
            found[own] = nearest(features[own], known[other])[0]
    return found
