"""Distances between channels: D = mean squared error and D = 1 - SSIM, against their references.

Images are smoothed with a fixed Gaussian, divided by a fixed scale per structure that is taken from the
training acquisitions, and clipped to [0, 1]; SSIM is scikit-image's (Wang et al. 2004).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from lusco.render import render
from lusco.table import Localizations

SCALE_PERCENTILE = 99.5


def smooth(counts: np.ndarray, smoothing_nm: float, pixel_nm: float) -> np.ndarray:
    """Smooth an image, shape (rows, columns), with a Gaussian of the given standard deviation in nm."""
    return gaussian_filter(counts.astype(np.float32), smoothing_nm / pixel_nm, mode="constant")


def structure_scale(renderings: Iterable[np.ndarray], smoothing_nm: float, pixel_nm: float) -> float:
    """Scale of a structure's images, in counts per pixel.

    The 99.5th percentile of the smoothed occupied pixels, averaged over acquisitions.

    Parameters
    ----------
    renderings : iterable of numpy.ndarray
        Counts of each training acquisition of the structure, shape (rows, columns).
    smoothing_nm, pixel_nm : float
        Smoothing and pixel size in nm.
    """
    bright = [np.percentile(smooth(r, smoothing_nm, pixel_nm)[r > 0], SCALE_PERCENTILE) for r in renderings]
    return float(np.mean(bright))


def structure_scales(
    acquisitions: Sequence[Localizations], structures: Sequence[str], smoothing_nm: float, pixel_nm: float
) -> tuple[float, ...]:
    """Scale of each structure, in counts per pixel, from its training acquisitions."""
    return tuple(
        structure_scale(
            (render(a, pixel_nm) for a in acquisitions if a.source["structure"] == name),  # one at a time
            smoothing_nm,
            pixel_nm,
        )
        for name in structures
    )


def prepare(counts: np.ndarray, scale: float, smoothing_nm: float, pixel_nm: float) -> np.ndarray:
    """The image on which distances are taken, in [0, 1]."""
    return np.clip(smooth(counts, smoothing_nm, pixel_nm) / np.float32(scale), 0, 1)


def distance(name: str, a: np.ndarray, b: np.ndarray) -> float:
    """`mse` or `dssim` (1 - SSIM) between two prepared images."""
    if name == "mse":
        return float(np.mean((a.astype(np.float64) - b) ** 2))
    return 1.0 - float(structural_similarity(a, b, data_range=1.0))


def comparisons(
    truth: np.ndarray,
    prediction: np.ndarray,
    composite: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray],
    other_truth: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[tuple[str, str, float]]:
    """Both distances of a true channel to the model's and to the references.

    Parameters
    ----------
    truth, prediction, composite, other_truth : numpy.ndarray
        Prepared images, shape (rows, columns): the true channel, the model's, the composite itself, and the
        same structure's true channel in another composite.
    halves : tuple of numpy.ndarray
        Prepared renderings of two disjoint halves of the structure's localizations, each counted twice.
    rng : numpy.random.Generator
        For the permutation of pixels.

    Yields
    ------
    tuple
        Distance, comparison and value.
    """
    permuted = rng.permutation(truth.ravel()).reshape(truth.shape)
    pairs = {
        "model": (prediction, truth),
        "floor": halves,
        "composite": (composite, truth),
        "shuffled_pixels": (permuted, truth),
        "shuffled_pairs": (other_truth, truth),
    }
    for name in ("mse", "dssim"):
        for comparison, (a, b) in pairs.items():
            yield name, comparison, distance(name, a, b)
