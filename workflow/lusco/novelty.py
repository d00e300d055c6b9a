"""Whether an image is like what the model knows, region by region.

A region is described by its density, by how counts cluster from one pixel to a quarter of the region, and by how
undecided the model is there. Its novelty is the distance to its nearest neighbours among regions of validation
composites, in units of the distance that a known region exceeds once in a hundred times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from lusco.superpose.pieces import thin

REGION_NM = 1280.0
LEAST_COUNTS = 50  # fewer say nothing about a region
SCALES_PX = (1, 2, 4, 8, 16)
NEIGHBOURS = 3
FALSE_ALARMS = 0.01
KEEP_LEAST = 0.5
NM_PER_UM = 1000.0

PLACE = ["x_nm", "y_nm", "side_nm", "localizations"]
FEATURES = ["log_density", *(f"clustering_{scale}px" for scale in SCALES_PX), "indecision"]


@dataclass(frozen=True)
class Known:
    """Regions of validation composites, and how far from them is too far.

    Parameters
    ----------
    side_px : int
        Side of a region in pixels.
    features : list of list of float
        Standardised features of each region.
    mean, deviation : list of float
        Of each feature over the regions.
    distance : float
        That only a fraction `FALSE_ALARMS` of known regions exceeds.
    """

    side_px: int
    features: list[list[float]]
    mean: list[float]
    deviation: list[float]
    distance: float

    def novelty(self, regions: pd.DataFrame) -> np.ndarray:
        """Novelty of each region of `describe`; above 1 it is unlike what the model knows."""
        standard = (regions[FEATURES].to_numpy() - self.mean) / self.deviation
        return _distance(standard, np.array(self.features)) / self.distance

    def judge(self, counts: np.ndarray, probabilities: np.ndarray, pixel_nm: float) -> pd.DataFrame:
        """The regions of an image, as for `describe`: columns `PLACE`, `novelty` and `unfamiliar`."""
        regions = describe(counts, probabilities, pixel_nm, self.side_px)
        novelty = self.novelty(regions)
        return regions[PLACE].assign(novelty=np.round(novelty, 3), unfamiliar=novelty > 1)


def region_px(pixel_nm: float, composite_px: int) -> int:
    """Side of a region in pixels: `REGION_NM`, or less where a composite is smaller; a multiple of all `SCALES_PX`."""
    largest = SCALES_PX[-1]
    return max(largest, min(round(REGION_NM / pixel_nm), composite_px) // largest * largest)


def describe(counts: np.ndarray, probabilities: np.ndarray, pixel_nm: float, side_px: int) -> pd.DataFrame:
    """Describe the regions of an image, side by side, that have enough counts; the last overlap where they must.

    Parameters
    ----------
    counts : numpy.ndarray
        Counts per pixel, shape (rows, columns).
    probabilities : numpy.ndarray
        Of each structure, shape (structures, rows, columns).
    pixel_nm : float
        Pixel size in nm.
    side_px : int
        Side of a region in pixels; an image that is smaller has none.

    Returns
    -------
    pandas.DataFrame
        Columns `PLACE` (corner and side in nm from the image's first corner, counts) and `FEATURES`.
    """
    entropy = -(probabilities * np.log(np.maximum(probabilities, 1e-9))).sum(0) / np.log(len(probabilities))
    rows = []
    for row in _starts(counts.shape[0], side_px):
        for column in _starts(counts.shape[1], side_px):
            own = (slice(row, row + side_px), slice(column, column + side_px))
            total = float(counts[own].sum())
            if total < LEAST_COUNTS:
                continue
            place = (column * pixel_nm, row * pixel_nm, side_px * pixel_nm, total)
            density = total / counts[own].size / (pixel_nm / NM_PER_UM) ** 2
            clustering = [_clustering(counts[own], scale) for scale in SCALES_PX]
            indecision = float((entropy[own] * counts[own]).sum() / total)
            rows.append((*place, np.log10(density), *clustering, indecision))
    return pd.DataFrame(rows, columns=[*PLACE, *FEATURES], dtype=np.float64)


def _starts(length: int, side_px: int) -> list[int]:
    """Where regions start so that they cover a length; none if it is shorter than one."""
    starts = list(range(0, length - side_px + 1, side_px))
    if starts and starts[-1] + side_px < length:
        starts.append(length - side_px)
    return starts


def varied_composite(channels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A composite of some of the structures, each thinned, as mixtures may be; counts per pixel.

    Parameters
    ----------
    channels : numpy.ndarray
        Counts of each structure of a composite, shape (structures, rows, columns).
    rng : numpy.random.Generator
        Source of randomness.
    """
    present = rng.permutation(len(channels))[: rng.integers(1, len(channels) + 1)]
    keep = rng.uniform(KEEP_LEAST, 1, len(channels))
    return sum(thin(channels[k], keep[k], rng) for k in present)


def varied_table(table: pd.DataFrame, structures: int, rng: np.random.Generator) -> pd.DataFrame:
    """Like `varied_composite`, of the localizations of a composite and for models that need them.

    Parameters
    ----------
    table : pandas.DataFrame
        Localizations, of whose columns `structure` (an index) and `weight` count.
    structures : int
        Number of structures.
    rng : numpy.random.Generator
        Source of randomness.
    """
    keep = rng.uniform(KEEP_LEAST, 1, structures)
    keep[rng.permutation(structures)[rng.integers(1, structures + 1) :]] = 0
    weight = rng.binomial(np.round(table["weight"]).astype(np.int64), keep[table["structure"]])
    return table.assign(weight=weight.astype(np.float32))[weight > 0].reset_index(drop=True)


def learn(composites: Sequence[pd.DataFrame], side_px: int) -> Known:
    """What is known, from the regions of each validation composite.

    Parameters
    ----------
    composites : sequence of pandas.DataFrame
        From `describe`. A region is compared with those of other composites only, because those of its own share
        its localizations.
    side_px : int
        Side of their regions in pixels.
    """
    owner = np.repeat(np.arange(len(composites)), [len(regions) for regions in composites])
    if len(np.unique(owner)) < 2:  # nothing to compare with: nothing is called unfamiliar
        return Known(side_px, [], [0.0] * len(FEATURES), [1.0] * len(FEATURES), 1.0)
    features = np.concatenate([regions[FEATURES].to_numpy() for regions in composites])
    mean, deviation = features.mean(0), np.maximum(features.std(0), 1e-6)
    standard = np.round((features - mean) / deviation, 3)
    apart = np.concatenate([_distance(standard[owner == k], standard[owner != k]) for k in np.unique(owner)])
    distance = float(np.quantile(apart, 1 - FALSE_ALARMS))
    return Known(side_px, standard.tolist(), mean.tolist(), deviation.tolist(), distance)


def _clustering(counts: np.ndarray, scale: int) -> float:
    """Logarithm of variance over mean of the counts of squares of `scale` pixels; 0 if they lie at random."""
    rows, columns = (length // scale * scale for length in counts.shape)
    squares = counts[:rows, :columns].reshape(rows // scale, scale, columns // scale, scale).sum((1, 3))
    return float(np.log10(max(squares.var() / max(squares.mean(), 1e-9), 1e-3)))


def _distance(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean distance to the nearest neighbours."""
    if not len(features) or not len(known):
        return np.zeros(len(features))
    nearest, _ = KDTree(known).query(features, k=min(NEIGHBOURS, len(known)))
    return nearest.reshape(len(features), -1).mean(1)
