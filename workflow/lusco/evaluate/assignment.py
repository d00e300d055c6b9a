"""Scoring the assignment of localizations: accuracy, crosstalk, recall and rejection, and calibration.

Definitions: `rejected` is the fraction of localizations whose highest probability is under a threshold;
`crosstalk` of a structure is the fraction of another structure among the accepted localizations assigned
to it; `recall` is the fraction of a structure's localizations that are accepted and assigned to it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

ALL = "all"
THRESHOLDS = np.round(np.concatenate([np.arange(0, 0.99, 0.01), np.arange(0.99, 1.0, 0.001)]), 3)
BINS = 15  # of confidence, as in Guo et al. 2017


def accepted_counts(
    probabilities: np.ndarray, truth: np.ndarray, weight: np.ndarray, thresholds: np.ndarray = THRESHOLDS
) -> np.ndarray:
    """Localizations accepted at each threshold, by assigned and true structure.

    Parameters
    ----------
    probabilities : numpy.ndarray
        Shape (n, structures).
    truth : numpy.ndarray
        Index of the true structure, shape (n,); an index past the structures is one that none of them is.
    weight : numpy.ndarray
        Localizations that each row stands for, shape (n,).
    thresholds : numpy.ndarray
        Ascending, the first of them 0; shape (t,).

    Returns
    -------
    numpy.ndarray
        Shape (t, structures assigned, structures true), with a column more where there are others.
    """
    structures = probabilities.shape[1]
    truths = max(structures, int(truth.max(initial=-1)) + 1)
    confidence = probabilities.max(1)
    step = np.searchsorted(thresholds, confidence, side="right") - 1
    index = (step * structures + probabilities.argmax(1)) * truths + truth
    counts = np.bincount(index, weight, minlength=len(thresholds) * structures * truths)
    counts = counts.reshape(len(thresholds), structures, truths)
    return counts[::-1].cumsum(0)[::-1]


def assignment_table(
    accepted: np.ndarray, structures: Sequence[str], thresholds: np.ndarray = THRESHOLDS
) -> pd.DataFrame:
    """The curve of crosstalk and recall against rejection.

    Parameters
    ----------
    accepted : numpy.ndarray
        From `accepted_counts`, shape (t, structures, truths), at thresholds of which the first is 0.
    structures : sequence of str
        Names by index.
    thresholds : numpy.ndarray
        Shape (t,).

    Returns
    -------
    pandas.DataFrame
        Columns threshold, structure (each, and `all`), rejected, crosstalk, recall, localizations.
    """
    total = accepted[0].sum()
    rejected = 1 - accepted.sum((1, 2)) / total if total else np.full(len(thresholds), np.nan)
    rows = []
    for index, structure in enumerate(structures):
        assigned = accepted[:, index].sum(1)
        right = accepted[:, index, index]
        true = accepted[0, :, index].sum()
        rows.append(_curve(structure, thresholds, rejected, assigned, right, true))
    right = np.trace(accepted, axis1=1, axis2=2)
    rows.append(_curve(ALL, thresholds, rejected, accepted.sum((1, 2)), right, total))
    return pd.concat(rows, ignore_index=True)


def confusion_table(accepted: np.ndarray, structures: Sequence[str]) -> pd.DataFrame:
    """What is taken for what.

    Returns
    -------
    pandas.DataFrame
        Columns threshold, structure (the true one), given, localizations (those accepted at the threshold).
    """
    index = pd.MultiIndex.from_product([THRESHOLDS, structures, structures], names=["threshold", "given", "structure"])
    table = pd.Series(accepted.ravel(), index, name="localizations").reset_index()
    return table[["threshold", "structure", "given", "localizations"]]


def _curve(
    structure: str,
    thresholds: np.ndarray,
    rejected: np.ndarray,
    assigned: np.ndarray,
    right: np.ndarray,
    true: float,
) -> pd.DataFrame:
    with np.errstate(invalid="ignore"):
        crosstalk = np.where(assigned > 0, 1 - right / assigned, np.nan)  # nothing assigned: undefined
        recall = right / true if true else np.full(len(right), np.nan)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "structure": structure,
            "rejected": rejected,
            "crosstalk": crosstalk,
            "recall": recall,
            "localizations": round(true),
        }
    )


def crosstalk_at(curve: pd.DataFrame, rejected: float) -> float:
    """Crosstalk of one structure's curve at a rejected fraction, interpolated linearly; NaN if none is left there."""
    at, wrong = _defined(curve)
    return float(np.interp(rejected, at, wrong, right=np.nan)) if len(at) else np.nan


def rejected_at(curve: pd.DataFrame, crosstalk: float) -> float:
    """The smallest rejected fraction from which on a structure's crosstalk stays at or under a value; NaN if none."""
    at, wrong = _defined(curve)
    above = np.flatnonzero(wrong > crosstalk)
    first = above[-1] + 1 if len(above) else 0
    return float(at[first]) if first < len(at) else np.nan


def _defined(curve: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Rejected fraction and crosstalk where there is any to tell."""
    rejected, crosstalk = curve["rejected"].to_numpy(), curve["crosstalk"].to_numpy()
    known = ~np.isnan(crosstalk)
    return rejected[known], crosstalk[known]


def calibration_table(
    probabilities: np.ndarray, truth: np.ndarray, weight: np.ndarray, structures: Sequence[str]
) -> pd.DataFrame:
    """Reliability: how often localizations of a confidence are right, by assigned structure and for all.

    Returns
    -------
    pandas.DataFrame
        Columns structure, bin, confidence, accuracy, localizations; a row per bin that is not empty.
    """
    assigned = probabilities.argmax(1)
    confidence = probabilities.max(1)
    right = (assigned == truth) * weight
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for index, structure in [*enumerate(structures), (None, ALL)]:
        own = slice(None) if index is None else assigned == index
        number = np.bincount(bins[own], weight[own], minlength=BINS)
        used = np.flatnonzero(number)
        rows.append(
            pd.DataFrame(
                {
                    "structure": structure,
                    "bin": used,
                    "confidence": np.bincount(bins[own], (confidence * weight)[own], BINS)[used] / number[used],
                    "accuracy": np.bincount(bins[own], right[own], BINS)[used] / number[used],
                    "localizations": np.round(number[used]).astype(int),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def expected_calibration_error(calibration: pd.DataFrame) -> float:
    """Mean of |accuracy - confidence| over the localizations of a reliability table (Guo et al. 2017)."""
    calibration = calibration[calibration["localizations"] > 0]  # of an image, a bin may hold less than one
    if not len(calibration):
        return np.nan
    gap = (calibration["accuracy"] - calibration["confidence"]).abs()
    return float(np.average(gap, weights=calibration["localizations"]))
