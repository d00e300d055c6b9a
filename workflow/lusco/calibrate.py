"""What is chosen on validation composites after training: the temperature, and what each threshold rejects.

Temperature scaling is Guo et al. 2017.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from lusco.evaluate.assignment import ALL, THRESHOLDS, accepted_counts, assignment_table


def fit_temperature(log_probabilities: np.ndarray, counts: np.ndarray) -> float:
    """The temperature under which the true labels of the validation localizations are likeliest.

    Parameters
    ----------
    log_probabilities, counts : numpy.ndarray
        Structures along axis 1: of composites, shape (composites, structures, rows, columns), or of single
        localizations, shape (n, structures).
    """
    occupied = counts.sum(1) > 0
    logs = np.moveaxis(log_probabilities, 1, -1)[occupied].astype(np.float64)
    truth = np.moveaxis(counts, 1, -1)[occupied]

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        return float((truth.sum(1) * np.logaddexp.reduce(scaled, 1) - (truth * scaled).sum(1)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded").x))


def soften(log_probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities at a temperature; structures along axis 1."""
    scaled = log_probabilities / temperature
    scaled = np.exp(scaled - scaled.max(1, keepdims=True))
    return scaled / scaled.sum(1, keepdims=True)


def rejection_curve(probabilities: np.ndarray, counts: np.ndarray, structures: Sequence[str]) -> list[dict[str, float]]:
    """Rejected fraction and crosstalk over all structures at each threshold, where anything is accepted.

    Parameters
    ----------
    probabilities, counts : numpy.ndarray
        Shapes as for `fit_temperature`.
    structures : sequence of str
        Names by index.
    """
    probabilities, counts = np.moveaxis(probabilities, 1, -1), np.moveaxis(counts, 1, -1)
    *place, truth = np.nonzero(counts)
    accepted = accepted_counts(probabilities[tuple(place)], truth, counts[*place, truth])
    table = assignment_table(accepted, structures, THRESHOLDS)
    table = table[table["structure"] == ALL].dropna()
    return table[["threshold", "rejected", "crosstalk"]].astype(float).to_dict("records")
