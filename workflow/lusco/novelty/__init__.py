"""Whether an image is like what the model knows, region by region.

A region is described as a whole and by what the model takes for each structure (`lusco.novelty.regions`). The novelty
of a description is the distance to its nearest neighbours among those of the same part in composites of the training
acquisitions, in units of the distance that one in a hundred of validation composites exceeds, or, if that is more, one
in a hundred of the known ones if only those of composites without any of its acquisitions were known: what differs
from one acquisition to the next raises no alarm. A region is as new as the newest of its descriptions: a wrong pixel
size or a foreign structure may show in what is taken for one structure and not in the whole. As one of several raises
an alarm more easily than one alone, all distances are then lengthened alike, until no more than one in a hundred
regions does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import KDTree

from lusco.novelty.regions import FEATURES, LESS_AND_MORE, PLACE, WHOLE, describe, region_px, surroundings
from lusco.render import Points

NEIGHBOURS = 3
FALSE_ALARMS = 0.01
MOST_KNOWN = 3000  # descriptions of a part that a model keeps
LEAST_OTHERS = 0.5  # of the known regions; fewer would lie farther apart for being few alone
SHRINKAGE = 0.3  # of the correlations of features, towards none
# least deviation of precision, a factor of 1.1: what is known may be more alike than a laboratory's samples are
ALIKE = float(np.log10(1.1))
LEAST_KNOWN = 10  # descriptions of a part, of training and of validation; fewer tell nothing of others
OF = " of "  # between what differs and the structure whose it is


@dataclass(frozen=True)
class Part:
    """What is known of the whole of regions, or of a structure in them.

    Parameters
    ----------
    features : list of list of float
        Features of each known region, in the coordinates in which distances are taken.
    mean : list of float
        Of each feature over the regions.
    whitening : list of list of float
        Square matrix that brings features, less their mean, into these coordinates.
    distance : float
        Beyond which a description is too far from what is known.
    """

    features: list[list[float]]
    mean: list[float]
    whitening: list[list[float]]
    distance: float

    def compared(self, regions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Novelty of descriptions of this part, and how far each is from the known ones that are nearest."""
        distance, apart = _nearest(_white(regions, self.mean, self.whitening), np.array(self.features))
        return distance / self.distance, apart


NOTHING = Part([], [0.0] * len(FEATURES), np.eye(len(FEATURES)).tolist(), 1.0)


@dataclass(frozen=True)
class Known:
    """Regions of composites of the training acquisitions, and how far from them is too far.

    Parameters
    ----------
    side_px : int
        Side of a region in pixels.
    surroundings : int
        Regions on a side of the square that is averaged over.
    parts : list of Part
        What is known of regions as a whole, then of each structure.
    """

    side_px: int
    surroundings: int
    parts: list[Part]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Known":
        """From its fields as plain values, as `dataclasses.asdict` gives them."""
        return cls(**{**content, "parts": [Part(**part) for part in content["parts"]]})

    def novelty(self, regions: pd.DataFrame) -> np.ndarray:
        """Novelty of each row of `describe`; above 1 it is unlike what the model knows."""
        return self._compared(regions)[0]

    def judge(self, points: Points, probabilities: np.ndarray, structures: Sequence[str]) -> pd.DataFrame:
        """The regions of localizations with probabilities, shape (n, structures).

        Returns
        -------
        pandas.DataFrame
            Columns `PLACE`, `novelty`, `unfamiliar`, and `differs_by`: that of `LESS_AND_MORE` by which an unfamiliar
            region, or a structure in it, differs most from the known ones that are nearest.
        """
        described = describe(points, probabilities, self.side_px, self.surroundings)
        novelty, apart = self._compared(described)
        newest = described.assign(novelty=novelty).groupby(PLACE[:2], sort=False)["novelty"].idxmax().to_numpy()
        regions, novelty = described.loc[newest], novelty[newest]
        differs_by = [
            _difference(part, row, structures) if far else ""
            for part, row, far in zip(regions["part"], apart[newest], novelty > 1, strict=True)
        ]
        judged = regions[PLACE].assign(novelty=np.round(novelty, 3), unfamiliar=novelty > 1, differs_by=differs_by)
        return judged.reset_index(drop=True)

    def _compared(self, regions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        novelty, apart = np.zeros(len(regions)), np.zeros((len(regions), len(FEATURES)))
        for index, part in enumerate(self.parts):
            own = (regions["part"] == index).to_numpy()
            novelty[own], apart[own] = part.compared(regions[own])
        return novelty, apart


def _difference(part: int, apart: np.ndarray, structures: Sequence[str]) -> str:
    """By what a description differs most, in words."""
    most = int(np.abs(apart).argmax())
    what = LESS_AND_MORE[FEATURES[most]][int(apart[most] > 0)]
    return what if part == WHOLE else f"{what}{OF}{structures[part - 1].replace('_', ' ')}"


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
    """

    points: Points
    probabilities: np.ndarray
    acquisitions: frozenset[str]
    composite: int
    copy: int = 0


def nothing_known(structures: int, pixel_nm: float, composite_px: int) -> Known:
    """To a model that knows nothing of regions, none is unfamiliar; parameters as of `learn_from`."""
    side_px = region_px(pixel_nm, composite_px)
    return Known(side_px, surroundings(side_px, composite_px), [NOTHING] * (structures + 1))


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
    around = surroundings(side_px, composite_px)

    def described(images: Iterable[Seen]) -> pd.DataFrame:
        tables = []
        for seen in images:
            table = describe(seen.points, seen.probabilities, side_px, around)
            numbers = {"composite": seen.composite, "copy": seen.copy}
            tables.append(table.assign(acquisitions=[seen.acquisitions] * len(table), **numbers))
        return pd.concat(tables, ignore_index=True)

    return learn(described(training), described(validation), structures, side_px, around)


def learn(training: pd.DataFrame, validation: pd.DataFrame, structures: int, side_px: int, surroundings: int) -> Known:
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
    """
    tables = [_weighed(table.assign(novelty=0.0)) for table in (training, validation)]
    parts = []
    for number in range(structures + 1):
        part, *novelties = _learn(*(table[table["part"] == number] for table in tables))
        parts.append(part)
        for table, novelty in zip(tables, novelties, strict=True):
            table.loc[table["part"] == number, "novelty"] = novelty
    # a region has several descriptions, each of which may raise an alarm
    of_all = max(1.0, *(_exceeded_by_few(*_newest(table)) for table in tables))
    return Known(side_px, surroundings, [replace(part, distance=part.distance * of_all) for part in parts])


def _learn(training: pd.DataFrame, validation: pd.DataFrame) -> tuple[Part, np.ndarray, np.ndarray]:
    """What is known of a part, with the novelty of these descriptions, NaN where there are too few to compare with."""
    bank = training.drop_duplicates(FEATURES)  # regions with the same surroundings are one
    if min(len(bank), len(validation)) < LEAST_KNOWN:  # too little to compare with: nothing is called unfamiliar
        return NOTHING, np.zeros(len(training)), np.zeros(len(validation))
    bank = _weighed(bank)
    precise = bool(bank["log_uncertainty"].notna().all())  # otherwise, precision is not looked at
    if len(bank) > MOST_KNOWN:
        share = bank["weight"].to_numpy() / bank["weight"].sum()
        bank = bank.iloc[np.random.default_rng(0).choice(len(bank), MOST_KNOWN, replace=False, p=share)]
    features = (bank if precise else bank.assign(log_uncertainty=0.0))[FEATURES]
    mean = features.mean().to_numpy()
    whitening = _whitening(features.to_numpy() - mean)
    if not precise:
        whitening[FEATURES.index("log_uncertainty")] = 0
    known = np.round(_white(features, mean, whitening), 3)
    # validation is often one acquisition or a few; and a model may be surer of what it learned from than of others
    left_out = _from_others(_white(training, mean, whitening), training["acquisitions"], known, bank["acquisitions"])
    apart, _ = _nearest(_white(validation, mean, whitening), known)
    judged = (left_out, training["weight"]), (apart, validation["weight"])
    distance = max(1e-3, *(_exceeded_by_few(found, weight.to_numpy()) for found, weight in judged))
    part = Part(known.tolist(), mean.tolist(), whitening.tolist(), distance)
    return part, left_out / distance, apart / distance


def _weighed(descriptions: pd.DataFrame) -> pd.DataFrame:
    """With a `weight` by which copies of a composite, of those that there are, count together as one."""
    return descriptions.assign(weight=1 / descriptions.groupby("composite")["copy"].transform("nunique"))


def _newest(descriptions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Novelty of each region, NaN if of any of its descriptions, of which the whole is first; and its weight."""
    if descriptions.empty:
        return np.zeros(0), np.zeros(0)
    first = np.flatnonzero(descriptions["part"] == WHOLE)
    return np.maximum.reduceat(descriptions["novelty"].to_numpy(), first), descriptions["weight"].to_numpy()[first]


def _exceeded_by_few(distances: np.ndarray, weight: np.ndarray) -> float:
    """The distance that a fraction `FALSE_ALARMS` of them exceeds, by weight, NaN left out; 0 where there is none."""
    there = np.isfinite(distances)
    if not there.any():
        return 0.0
    return float(np.quantile(distances[there], 1 - FALSE_ALARMS, weights=weight[there], method="inverted_cdf"))


def _from_others(
    features: np.ndarray, acquisitions: Iterable[frozenset[str]], known: np.ndarray, others: Iterable[frozenset[str]]
) -> np.ndarray:
    """Distance of features from known ones that share no acquisition with them; NaN if these are few."""
    sets, others = list(acquisitions), list(others)
    found = np.full(len(features), np.nan)
    for one in dict.fromkeys(sets):
        own, other = np.array([each == one for each in sets]), np.array([not each & one for each in others])
        if other.mean() >= LEAST_OTHERS:
            found[own] = _nearest(features[own], known[other])[0]
    return found


def _whitening(features: np.ndarray) -> np.ndarray:
    """Matrix that gives features, shape (regions, features) and of mean zero, deviation one and correlation zero.

    A precision that deviates by less than `ALIKE` is brought to less than deviation one.

    The correlations are shrunk first, as few regions tell them badly (Ledoit and Wolf 2004, with a fixed weight); of
    the matrices that do it, the symmetric one leaves each feature nearest to itself (Kessy, Lewin and Strimmer 2018).
    """
    least = [ALIKE if name == "log_uncertainty" else 1e-6 for name in FEATURES]
    deviation = np.maximum(features.std(0), least)
    standard = features / deviation
    correlation = (1 - SHRINKAGE) * standard.T @ standard / len(standard)
    np.fill_diagonal(correlation, 1)
    variances, axes = np.linalg.eigh(correlation)
    return (axes / np.sqrt(variances) @ axes.T) / deviation[:, None]


def _white(regions: pd.DataFrame, mean: ArrayLike, whitening: ArrayLike) -> np.ndarray:
    differences = regions[FEATURES].to_numpy() - np.asarray(mean)
    return np.nan_to_num(differences) @ np.asarray(whitening)  # what is not known of a region speaks not against it


def _nearest(features: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance to the nearest neighbours, and the difference from their mean."""
    if not len(features) or not len(known):
        return np.zeros(len(features)), np.zeros_like(features)
    distance, place = KDTree(known).query(features, k=min(NEIGHBOURS, len(known)))
    shape = (len(features), -1)
    return distance.reshape(shape).mean(1), features - known[place.reshape(shape)].mean(1)
