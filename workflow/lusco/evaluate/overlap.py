"""Overlap between two channels: Manders' coefficients, intersection over union, Pearson's correlation.

Manders et al. 1993. Images are smoothed and scaled as for the distances but not clipped; a pixel belongs to
a structure where its image exceeds a fixed threshold.
"""

import numpy as np

MEASURES = ("manders_a", "manders_b", "iou", "pearson")


def overlap(a: np.ndarray, b: np.ndarray, threshold: float) -> dict[str, float]:
    """Overlap of two scaled images, shape (rows, columns).

    Parameters
    ----------
    a, b : numpy.ndarray
        Images in units of their structures' scales.
    threshold : float
        A pixel belongs to a structure where its image exceeds this.

    Returns
    -------
    dict
        A value for each of `MEASURES`: the fraction of a's intensity where b is, and the reverse; the
        intersection over union of both supports; the correlation of pixels. NaN where a channel is empty.
    """
    in_a, in_b = a > threshold, b > threshold
    union = np.count_nonzero(in_a | in_b)
    return {
        "manders_a": _fraction(a, in_b),
        "manders_b": _fraction(b, in_a),
        "iou": np.count_nonzero(in_a & in_b) / union if union else np.nan,
        "pearson": float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) if a.std() > 0 and b.std() > 0 else np.nan,
    }


def _fraction(image: np.ndarray, where: np.ndarray) -> float:
    total = float(image.sum())
    return float(image[where].sum()) / total if total > 0 else np.nan
