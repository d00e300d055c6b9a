"""What is known of a part of regions, and how far a description is from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import KDTree

from lusco.packed import unpack

NEIGHBOURS = 3
SHRINKAGE = 0.3  # of the correlations of features, towards none
# least deviation of precision, a factor of 1.1: what is known may be more alike than a laboratory's samples are
ALIKE = float(np.log10(1.1))


@dataclass(frozen=True)
class Part:
    """What is known of the whole of regions, or of a structure in them.

    Parameters
    ----------
    features : str
        Features of each known region, in the coordinates in which distances are taken, as `lusco.packed` has them.
    mean : list of float
        Of each feature over the regions.
    whitening : list of list of float
        Square matrix that brings features, less their mean, into these coordinates.
    distances : list of float
        Beyond which a description is too far from what is known, by the number of structures described in its region.
    """

    features: str
    mean: list[float]
    whitening: list[list[float]]
    distances: list[float]

    @property
    def known(self) -> np.ndarray:
        """Features of each known region, shape (regions, features)."""
        return unpack(self.features, len(self.mean))

    def compared(self, regions: np.ndarray, structures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Novelty of descriptions of this part, and how far each is from the known ones that are nearest.

        Parameters
        ----------
        regions : numpy.ndarray
            Descriptions, shape (n, features).
        structures : numpy.ndarray
            Number of structures described in the region of each, shape (n,).
        """
        distance, apart = nearest(white(regions, self.mean, self.whitening), self.known)
        return distance / np.array(self.distances)[structures], apart


def nothing(features: int, structures: int) -> Part:
    """Of which nothing is known, and so nothing is new; parameters are the numbers of features and of structures."""
    return Part("", [0.0] * features, np.eye(features).tolist(), [1.0] * (structures + 1))


def whitening(features: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Matrix that gives features, shape (regions, features) and of mean zero, deviation one and correlation zero.

    A precision that deviates by less than `ALIKE` is brought to less than deviation one.

    The correlations are shrunk first, as few regions tell them badly (Ledoit and Wolf 2004, with a fixed weight); of
    the matrices that do it, the symmetric one leaves each feature nearest to itself (Kessy, Lewin and Strimmer 2018).
    """
    least = [ALIKE if name == "log_uncertainty" else 1e-6 for name in names]
    deviation = np.maximum(features.std(0), least)
    standard = features / deviation
    correlation = (1 - SHRINKAGE) * standard.T @ standard / len(standard)
    np.fill_diagonal(correlation, 1)
    variances, axes = np.linalg.eigh(correlation)
    return (axes / np.sqrt(variances) @ axes.T) / deviation[:, None]


def white(regions: np.ndarray, mean: ArrayLike, whitening: ArrayLike) -> np.ndarray:
    """Features of descriptions in the coordinates in which distances are taken."""
    differences = regions - np.asarray(mean)
    return np.nan_to_num(differences) @ np.asarray(whitening)  # what is not known of a region speaks not against it


def nearest(features: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance to the nearest neighbours, and the difference from their mean."""
    if not len(features) or not len(known):
        return np.zeros(len(features)), np.zeros_like(features)
    distance, place = KDTree(known).query(features, k=min(NEIGHBOURS, len(known)))
    shape = (len(features), -1)
    return distance.reshape(shape).mean(1), features - known[place.reshape(shape)].mean(1)
