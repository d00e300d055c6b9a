"""What is chosen on validation composites after training: temperature, sharpness, what each threshold rejects, and what
is known; and how much better the model does on what it learned from.

Temperature scaling is Guo et al. 2017.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from lusco.answer import Answer, Apply, finish, soften
from lusco.evaluate.assignment import ALL, THRESHOLDS, accepted_counts, assignment_table
from lusco.evaluate.distances import distance, prepare
from lusco.novelty import at_one_precision, learn_from, varied_table
from lusco.render import Points
from lusco.superpose import random_generator
from lusco.superpose.composites import Composites

SHARPNESS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
KNOWN = 8  # composites of training acquisitions of which regions are known, for each of validation
TINY = 1e-9  # of a distance, so that a perfect channel has a logarithm


def chosen_on_validation(
    apply: Apply,
    training: Iterable[pd.DataFrame],
    validation: Composites,
    scales: Sequence[float],
    smoothing_nm: float,
    seed: int,
    at_once: int = 1,
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Temperature, sharpness, rejection curve and known regions of a trained model, ours or a peer's.

    Parameters
    ----------
    apply : callable
        The model.
    training : iterable of pandas.DataFrame
        Localizations of composites of the training acquisitions, of which regions are known.
    validation : Composites
        Composites of the validation acquisitions.
    scales : sequence of float
        Scale of each structure's images, in counts per pixel.
    smoothing_nm : float
        Smoothing before images are compared, in nm.
    seed : int
        Seed of the experiment.
    at_once : int
        Composites that the model is applied to at the same time, each in a thread of its own.

    Returns
    -------
    dict
        Fields of a `lusco.model.ModelDescription`.
    dict
        For `train` and `validation`, where there are two composites at least, their number `composites`, the mean
        `accuracy` over them and its standard `error`, each structure counting alike.
    """
    tables = [validation.table(index) for index in range(len(validation))]
    answers = [answer for _, answer in _answered(apply, tables, at_once)]
    joined = pd.concat(tables, ignore_index=True)
    weight = joined["weight"].to_numpy()[:, None] * np.eye(len(validation.structures))[joined["structure"]]
    logs = np.concatenate([answer.log_probabilities for answer in answers])
    temperature = fit_temperature(logs, weight)
    sharpness = 1.0  # of shares; an image that a model predicts is its own
    if answers[0].channels is None:
        pairs = [(answer, validation.points(table)) for answer, table in zip(answers, tables, strict=True)]
        sharpness = choose_sharpness(
            lambda power: np.stack([finish(*pair, temperature, power).channels for pair in pairs]),
            np.stack([validation.counts(index) for index in range(len(validation))]),
            scales,
            smoothing_nm,
            validation.pixel_nm,
        )
    bound = weight * ~joined["unspecific"].to_numpy()[:, None]

    def varied(composites: Iterable[pd.DataFrame], split: str) -> Iterator[pd.DataFrame]:
        """Each composite, and a thinner or lesser one, which is known too."""
        for index, table in enumerate(composites):
            yield table
            yield varied_table(table, len(validation.structures), random_generator(seed, "varied", split, index))

    right = {"train": [], "validation": []}

    def looked_at(composites: Iterable[pd.DataFrame], split: str) -> Iterator[tuple[Points, np.ndarray]]:
        """Localizations and their probabilities."""
        answered = _answered(apply, varied(composites, split), at_once)
        for index, (table, answer) in enumerate(answered):
            if index % 2 == 0:  # as it is, not varied
                right[split].append(_accuracy(table, answer))
            described = at_one_precision(table, random_generator(seed, "precision", split, index))
            yield validation.points(described), soften(answer.log_probabilities, temperature)

    known = learn_from(
        looked_at(training, "train"), looked_at(tables, "validation"), validation.pixel_nm, validation.side_px
    )
    chosen = {
        "temperature": temperature,
        "sharpness": sharpness,
        "rejection": rejection_curve(soften(logs, temperature), bound, validation.structures),
        "known": asdict(known),
    }
    return chosen, {split: mean for split, values in right.items() if (mean := _mean(values))}


def _accuracy(table: pd.DataFrame, answer: Answer) -> float:
    """Fraction of localizations whose likeliest structure is theirs, a mean over a composite's structures; NaN of none.

    So a model that knows nothing has the same whichever structure is frequent.
    """
    right = answer.log_probabilities.argmax(1) == table["structure"]
    sums = (
        table.assign(right=table["weight"] * right)[~table["unspecific"]]
        .groupby("structure")[["right", "weight"]]
        .sum()
    )
    return float((sums["right"] / sums["weight"]).mean())


def _mean(values: Sequence[float]) -> dict[str, float]:
    known = pd.Series(values, dtype=float).dropna()
    if len(known) < 2:
        return {}
    return {"composites": len(known), "accuracy": float(known.mean()), "error": float(known.sem())}


def _answered(apply: Apply, tables: Iterable[pd.DataFrame], at_once: int) -> Iterator[tuple[pd.DataFrame, Answer]]:
    """Tables in their order, each with the model's answer."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting = deque()
        for table in tables:
            waiting.append((table, pool.submit(apply, table)))
            if len(waiting) > at_once:  # no more in memory than need be
                first, answer = waiting.popleft()
                yield first, answer.result()
        for first, answer in waiting:
            yield first, answer.result()


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


def choose_sharpness(
    channels_of: Callable[[float], np.ndarray],
    counts: np.ndarray,
    scales: Sequence[float],
    smoothing_nm: float,
    pixel_nm: float,
) -> float:
    """The power of the calibrated probabilities that makes the best shares for the channels.

    Probabilities as shares are best in squared error, but lay a thin veil of every structure over the others, which
    costs likeness and shows as overlap. Of `SHARPNESS`, the power is chosen whose channels have the least geometric
    mean of both distances over all structures, each a median over composites.

    Parameters
    ----------
    channels_of : callable
        From a power to the channels of the composites, as `counts`.
    counts : numpy.ndarray
        True counts, shape (composites, structures, rows, columns).
    scales : sequence of float
        Scale of each structure's images, in counts per pixel.
    smoothing_nm, pixel_nm : float
        Smoothing before comparison and pixel size, in nm.
    """

    def images(channels: np.ndarray, index: int) -> list[np.ndarray]:
        return [prepare(image, scales[index], smoothing_nm, pixel_nm) for image in channels[:, index]]

    truths = [images(counts, index) for index in range(len(scales))]

    def loss(power: float) -> float:
        channels, total = channels_of(power), 0.0
        for index, truth in enumerate(truths):
            pairs = list(zip(images(channels, index), truth, strict=True))
            for name in ("mse", "dssim"):
                total += np.log(np.median([distance(name, a, b) for a, b in pairs]) + TINY)
        return total

    return min(SHARPNESS, key=loss)


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
