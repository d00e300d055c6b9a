"""Whether an image is like what the model knows, region by region.

A region is described by its density, by how counts cluster from one pixel to a quarter of the region, by how
undecided the model is there, and by how precise localizations say they are, each averaged over the region and its
surroundings, because a single region varies too much to tell. Its novelty is the distance to its nearest neighbours
among regions of composites of the training acquisitions, in units of the distance that one in a hundred regions of
validation composites exceeds, or, if that is more, one in a hundred of the known ones if only those of composites
without any of its acquisitions were known: what differs from one acquisition to the next raises no alarm.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import KDTree

from lusco.answer import of_pixels
from lusco.render import Points
from lusco.superpose.pieces import thin

REGION_NM = 1280.0
SURROUNDINGS = 4  # regions on a side of the square that is averaged over
LEAST_COUNTS = 50  # fewer say nothing about a region
SCALES_PX = (1, 2, 4, 8, 16)
NEIGHBOURS = 3
FALSE_ALARMS = 0.01
MOST_KNOWN = 5000  # regions that a model keeps
LEAST_OTHERS = 0.5  # of the known regions; fewer would lie farther apart for being few alone
SHRINKAGE = 0.3  # of the correlations of features, towards none
KEEP_LEAST = 0.5
# least deviation of precision, a factor of 1.1: what is known may be more alike than a laboratory's samples are
ALIKE = float(np.log10(1.1))
NM_PER_UM = 1000.0

PLACE = ["x_nm", "y_nm", "side_nm", "localizations"]
LESS_AND_MORE = {
    "log_density": ("lower density", "higher density"),
    **{f"clustering_{scale}px": ("less clustering", "more clustering") for scale in SCALES_PX},
    "indecision": ("less indecision", "more indecision"),
    "log_uncertainty": ("better precision", "worse precision"),
}
FEATURES = list(LESS_AND_MORE)


@dataclass(frozen=True)
class Known:
    """Regions of composites of the training acquisitions, and how far from them is too far.

    Parameters
    ----------
    side_px : int
        Side of a region in pixels.
    surroundings : int
        Regions on a side of the square that is averaged over.
    features : list of list of float
        Features of each region, in the coordinates in which distances are taken.
    mean : list of float
        Of each feature over the regions.
    whitening : list of list of float
        Square matrix that brings features, less their mean, into these coordinates.
    distance : float
        That at most a fraction `FALSE_ALARMS` of regions exceeds, of validation and of acquisitions that are left out.
    """

    side_px: int
    surroundings: int
    features: list[list[float]]
    mean: list[float]
    whitening: list[list[float]]
    distance: float

    def novelty(self, regions: pd.DataFrame) -> np.ndarray:
        """Novelty of each region of `describe`; above 1 it is unlike what the model knows."""
        return self._compared(regions)[0] / self.distance

    def judge(self, points: Points, probabilities: np.ndarray) -> pd.DataFrame:
        """The regions of localizations with probabilities, shape (n, structures).

        Returns
        -------
        pandas.DataFrame
            Columns `PLACE`, `novelty`, `unfamiliar`, and `differs_by`: that of `LESS_AND_MORE` by which an unfamiliar
            region differs most from the known ones that are nearest.
        """
        regions = describe(points, probabilities, self.side_px, self.surroundings)
        distance, apart = self._compared(regions)
        novelty = distance / self.distance
        most = np.abs(apart).argmax(1)
        differs_by = [
            LESS_AND_MORE[FEATURES[k]][int(row[k] > 0)] if far else ""
            for k, row, far in zip(most, apart, novelty > 1, strict=True)
        ]
        return regions[PLACE].assign(novelty=np.round(novelty, 3), unfamiliar=novelty > 1, differs_by=differs_by)

    def _compared(self, regions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return _nearest(_white(regions, self.mean, self.whitening), np.array(self.features))


def region_px(pixel_nm: float, composite_px: int) -> int:
    """Side of a region in pixels: `REGION_NM`, or less where a composite is smaller; a multiple of all `SCALES_PX`."""
    largest = SCALES_PX[-1]
    return max(largest, min(round(REGION_NM / pixel_nm), composite_px) // largest * largest)


def surroundings(side_px: int, composite_px: int) -> int:
    """Regions on a side of the square that is averaged over: `SURROUNDINGS`, or as many as a composite has."""
    return max(1, min(SURROUNDINGS, composite_px // side_px))


def describe(points: Points, probabilities: np.ndarray, side_px: int, surroundings: int) -> pd.DataFrame:
    """Describe the regions of an image, side by side, that have enough counts; the last overlap where they must.

    Parameters
    ----------
    points : Points
        The n localizations over the pixels of the image.
    probabilities : numpy.ndarray
        Of each structure for each localization, shape (n, structures).
    side_px : int
        Side of a region in pixels; an image that is smaller has none.
    surroundings : int
        Regions on a side of the square around each region, moved into the image, over which features are averaged.

    Returns
    -------
    pandas.DataFrame
        Columns `PLACE` (corner and side in nm from the image's first corner, counts) and `FEATURES`; where the
        precision is not known, that feature is NaN.
    """
    counts, pixel_nm = points.counts(points.pixel()), points.pixel_nm
    entropy = _entropy(of_pixels(probabilities, points))
    precise = points.precision_is_known
    uncertainty = of_pixels(_log_uncertainty(points)[:, None], points)[0] if precise else np.zeros_like(counts)
    rows, columns = (_starts(length, side_px) for length in counts.shape)
    features = np.full((len(rows), len(columns), len(FEATURES)), np.nan)
    places = {}
    for index in np.ndindex(features.shape[:2]):
        row, column = rows[index[0]], columns[index[1]]
        own = (slice(row, row + side_px), slice(column, column + side_px))
        total = float(counts[own].sum())
        if total >= LEAST_COUNTS:
            places[index] = (column * pixel_nm, row * pixel_nm, side_px * pixel_nm, total)
            density = total / counts[own].size / (pixel_nm / NM_PER_UM) ** 2
            clustering = [_clustering(counts[own], scale) for scale in SCALES_PX]
            means = [float((image[own] * counts[own]).sum() / total) for image in (entropy, uncertainty)]
            features[index] = np.log10(density), *clustering, *means
    described = [(*place, *_averaged(features, index, surroundings)) for index, place in places.items()]
    regions = pd.DataFrame(described, columns=[*PLACE, *FEATURES], dtype=np.float64)
    return regions if precise else regions.assign(log_uncertainty=np.nan)


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of probabilities along the first axis, as a fraction of the most there can be."""
    entropy = np.zeros(probabilities.shape[1:], dtype=np.float32)
    for each in probabilities:  # one by one, as of large fields together they are gigabytes
        entropy -= each * np.log(np.maximum(each, 1e-9))
    return entropy / np.log(len(probabilities))


def _log_uncertainty(points: Points) -> np.ndarray:
    """Logarithm of each uncertainty, of those unknown the mean of the others."""
    known = points.uncertainty_is_known
    logs = np.log10(np.where(known, points.uncertainty_nm, 1))
    return np.where(known, logs, logs[known].mean())


def _averaged(features: np.ndarray, index: tuple[int, ...], side: int) -> np.ndarray:
    """Mean of the features in the square of `side` regions around one, moved into the image."""
    starts = [max(0, min(k - (side - 1) // 2, length - side)) for k, length in zip(index, features.shape, strict=False)]
    square = features[tuple(slice(start, start + side) for start in starts)]
    return np.nanmean(square, axis=(0, 1))


def _starts(length: int, side_px: int) -> list[int]:
    """Where regions start so that they cover a length; none if it is shorter than one."""
    starts = list(range(0, length - side_px + 1, side_px))
    if starts and starts[-1] + side_px < length:
        starts.append(length - side_px)
    return starts


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


def learn_from(
    training: Iterable[tuple[Points, np.ndarray, frozenset[str]]],
    validation: Iterable[tuple[Points, np.ndarray, frozenset[str]]],
    pixel_nm: float,
    composite_px: int,
) -> Known:
    """What is known, from localizations and probabilities (as for `describe`) of training and of validation composites.

    Parameters
    ----------
    training, validation : iterable of tuple
        Localizations, probabilities and the acquisitions of each composite.
    pixel_nm : float
        Pixel size in nm.
    composite_px : int
        Side of a composite in pixels.
    """
    side_px = region_px(pixel_nm, composite_px)
    around = surroundings(side_px, composite_px)

    def described(images: Iterable[tuple[Points, np.ndarray, frozenset[str]]]) -> pd.DataFrame:
        tables = [(describe(*image, side_px, around), acquisitions) for *image, acquisitions in images]
        return pd.concat([t.assign(acquisitions=[names] * len(t)) for t, names in tables], ignore_index=True)

    return learn(described(training), described(validation), side_px, around)


def learn(training: pd.DataFrame, validation: pd.DataFrame, side_px: int, surroundings: int) -> Known:
    """What is known.

    Parameters
    ----------
    training, validation : pandas.DataFrame
        Regions, from `describe`, of composites of the training acquisitions, with the set of the names of these as
        `acquisitions`, and of validation composites.
    side_px, surroundings : int
        As given to `describe`.
    """
    bank = training.drop_duplicates(FEATURES)  # regions with the same surroundings are one
    if bank.empty or validation.empty:  # nothing to compare with: nothing is called unfamiliar
        return Known(side_px, surroundings, [], [0.0] * len(FEATURES), np.eye(len(FEATURES)).tolist(), 1.0)
    precise = bool(bank["log_uncertainty"].notna().all())  # otherwise, precision is not looked at
    if len(bank) > MOST_KNOWN:
        bank = bank.sample(MOST_KNOWN, random_state=0)
    bank = bank if precise else bank.assign(log_uncertainty=0.0)
    mean = bank[FEATURES].mean().to_numpy()
    whitening = _whitening(bank[FEATURES].to_numpy() - mean)
    if not precise:
        whitening[FEATURES.index("log_uncertainty")] = 0
    known = np.round(_white(bank, mean, whitening), 3)
    apart, _ = _nearest(_white(validation, mean, whitening), known)
    # validation is often one acquisition or a few; and a model may be surer of what it learned from than of others
    judged = [found for found in (apart, _from_others(known, bank["acquisitions"])) if len(found)]
    distance = max(1e-3, *(float(np.quantile(found, 1 - FALSE_ALARMS)) for found in judged))
    return Known(side_px, surroundings, known.tolist(), mean.tolist(), whitening.tolist(), distance)


def _from_others(known: np.ndarray, acquisitions: Iterable[frozenset[str]]) -> np.ndarray:
    """Distance of known regions from those of composites that share no acquisition with theirs, if these are enough."""
    sets = list(acquisitions)
    found = [np.zeros(0)]
    for one in dict.fromkeys(sets):
        own, others = np.array([each == one for each in sets]), np.array([not each & one for each in sets])
        if others.mean() >= LEAST_OTHERS:
            found.append(_nearest(known[own], known[others])[0])
    return np.concatenate(found)


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


def _clustering(counts: np.ndarray, scale: int) -> float:
    """Logarithm of variance over mean of the counts of squares of `scale` pixels; 0 if they lie at random."""
    rows, columns = (length // scale * scale for length in counts.shape)
    squares = counts[:rows, :columns].reshape(rows // scale, scale, columns // scale, scale).sum((1, 3))
    return float(np.log10(max(squares.var() / max(squares.mean(), 1e-9), 1e-3)))


def _nearest(features: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance to the nearest neighbours, and the difference from their mean."""
    if not len(features) or not len(known):
        return np.zeros(len(features)), np.zeros_like(features)
    distance, place = KDTree(known).query(features, k=min(NEIGHBOURS, len(known)))
    shape = (len(features), -1)
    return distance.reshape(shape).mean(1), features - known[place.reshape(shape)].mean(1)
