"""After training: temperature, sharpness and what each threshold rejects, chosen on validation composites; and what is
known, and how much better the model does on it.

Temperature scaling is Guo et al. 2017; here the temperature depends on how precise a localization is.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from lusco.answer import Answer, Apply, Temperature, finish, log_ratio, soften
from lusco.evaluate.assignment import ALL, THRESHOLDS, accepted_counts, assignment_table
from lusco.evaluate.distances import distance, prepare
from lusco.novelty import Known
from lusco.novelty.learn import Seen, learn_from
from lusco.novelty.variants import alone_table, at_each_precision, varied_table
from lusco.render import Points
from lusco.superpose import random_generator
from lusco.superpose.composites import Composites

SHARPNESS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
KNOWN = 8  # composites of training acquisitions of which regions are known, for each of validation
TINY = 1e-9  # of a distance, so that a perfect channel has a logarithm

Composite = tuple[frozenset[str], pd.DataFrame]  # its acquisitions and its localizations


def chosen_on_validation(
    apply: Apply, validation: Composites, scales: Sequence[float], smoothing_nm: float, at_once: int = 1
) -> dict[str, Any]:
    """Temperature, sharpness and rejection curve of a trained model, ours or a peer's.

    Parameters
    ----------
    apply : callable
        The model.
    validation : Composites
        Composites of the validation acquisitions.
    scales : sequence of float
        Scale of each structure's images, in counts per pixel.
    smoothing_nm : float
        Smoothing before images are compared, in nm.
    at_once : int
        Composites that the model is applied to at the same time, each in a thread of its own.

    Returns
    -------
    dict
        Fields of a `lusco.model.ModelDescription`.
    """
    tables = [table for _, table in _composites(validation)]
    answers = [answer for *_, answer in _answered(apply, _composites(validation), at_once)]
    joined = pd.concat([table.assign(composite=k) for k, table in enumerate(tables)], ignore_index=True)
    weight = joined["weight"].to_numpy()[:, None] * np.eye(len(validation.structures))[joined["structure"]]
    logs = np.concatenate([answer.log_probabilities for answer in answers])
    bound = weight * ~joined["unspecific"].to_numpy()[:, None]
    temperature = fit_temperature(logs, bound, validation.points(_as_imaged_at_once(joined)))
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
    probabilities = soften(logs, temperature.of(validation.points(joined)))
    return {
        "temperature": asdict(temperature),
        "sharpness": sharpness,
        "rejection": rejection_curve(probabilities, bound, validation.structures),
    }


def known_regions(
    apply: Apply,
    temperature: Temperature,
    training: Iterable[Composite],
    validation: Composites,
    seed: int,
    at_once: int = 1,
) -> tuple[Known, dict[str, dict[str, float]]]:
    """What a trained model knows, and how much better it does on what it learned from.

    Parameters
    ----------
    apply : callable
        The model, with all its last features as appearance if it has such.
    validation, at_once
        As for `chosen_on_validation`.
    temperature : Temperature
        That was chosen.
    training : iterable of tuple
        Acquisitions and localizations of composites of the training acquisitions.
    seed : int
        Seed of the experiment.

    Returns
    -------
    Known
        Regions of the composites of training, and how far from them is too far.
    dict
        For `train` and `validation`, where there are two composites at least, their number `composites`, the mean
        `accuracy` over them, each structure counting alike, and its standard `error` by which acquisitions they are
        of, where there is more than one of each structure on average.
    """
    structures = len(validation.structures)
    right = {"train": [], "validation": []}

    def varied(composites: Iterable[Composite], split: str) -> Iterator[Composite]:
        """Each composite, a thinner or lesser one, and one of its structures alone, which are known too."""
        for index, (names, table) in enumerate(composites):
            rng = random_generator(seed, "varied", split, index)
            yield names, table
            yield names, varied_table(table, structures, rng)
            yield names, alone_table(table, index % structures)

    def looked_at(composites: Iterable[Composite], split: str) -> Iterator[Seen]:
        """Each of them, at the precision of each of its structures."""
        answered = _answered(apply, varied(composites, split), at_once)
        for index, (names, table, answer) in enumerate(answered):
            if index % 3 == 0:  # as it is, not varied
                right[split].append((names, _accuracy(table, answer)))
            copies = map(validation.points, at_each_precision(table))
            for copy, points in enumerate(copies):
                probabilities = soften(answer.log_probabilities, temperature.of(points))
                yield Seen(points, probabilities, names, index, copy, answer.appearance)

    known = learn_from(
        looked_at(training, "train"),
        looked_at(_composites(validation), "validation"),
        structures,
        validation.pixel_nm,
        validation.side_px,
    )
    return known, {split: mean for split, values in right.items() if (mean := _mean(values, structures))}


def _composites(validation: Composites) -> Iterator[Composite]:
    for index, names in enumerate(validation.sources):
        yield frozenset(names.values()), validation.table(index)


def _as_imaged_at_once(table: pd.DataFrame) -> pd.DataFrame:
    """Localizations of composites whose uncertainties are, on average, the same for each structure of each composite.

    Single structures were imaged each at a precision of its own, which tells them apart where a mixture does not.
    """
    logs = np.log(table["uncertainty_nm"].where(table["uncertainty_nm"] > 0).replace(np.inf, np.nan))
    own = logs.groupby([table["composite"], table["structure"]]).transform("mean")
    return table.assign(uncertainty_nm=np.exp(logs - own + logs.mean()))


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


def _mean(values: Sequence[tuple[frozenset[str], float]], structures: int) -> dict[str, float]:
    """Mean over composites, and its error by which acquisitions they are of, as in `evaluate.errors` to first order."""
    known = [(names, value) for names, value in values if not np.isnan(value)]
    if len(known) < 2:
        return {}
    mean = float(np.mean([value for _, value in known]))
    off = Counter()
    for names, value in known:
        off.update(dict.fromkeys(names, value - mean))
    result = {"composites": len(known), "accuracy": mean}
    if (of_each := len(off) / structures) > 1:
        alone = sum((value - mean) ** 2 for _, value in known)  # that of each composite, in that of each structure
        variance = of_each / (of_each - 1) * sum(each**2 for each in off.values()) - (structures - 1) * alone
        result["error"] = float(np.sqrt(max(variance, alone)) / len(known))
    return result


def _answered(
    apply: Apply, composites: Iterable[Composite], at_once: int
) -> Iterator[tuple[frozenset[str], pd.DataFrame, Answer]]:
    """Composites in their order, each with the model's answer."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting = deque()
        for composite in composites:
            waiting.append((composite, pool.submit(apply, composite[1])))
            if len(waiting) > at_once:  # no more in memory than need be
                first, answer = waiting.popleft()
                yield *first, answer.result()
        for first, answer in waiting:
            yield *first, answer.result()


def fit_temperature(log_probabilities: np.ndarray, counts: np.ndarray, points: Points) -> Temperature:
    """The temperature under which the true structures of localizations are likeliest.

    It rises with the uncertainty, by a power that is fitted too, where nearly all localizations have one.

    Parameters
    ----------
    log_probabilities, counts : numpy.ndarray
        Of each structure for each localization, shape (n, structures).
    points : Points
        The localizations.
    """
    typical_nm = 1.0
    if points.precision_is_known:
        typical_nm = float(np.exp(np.log(points.uncertainty_nm[points.uncertainty_is_known]).mean()))
    logs, total, ratio = log_probabilities.astype(np.float64), counts.sum(1), log_ratio(points, typical_nm)

    def loss(parameters: np.ndarray) -> float:
        scaled = logs / np.exp(parameters[0] + parameters[1] * ratio)[:, None]
        return float((total * np.logaddexp.reduce(scaled, 1) - (counts * scaled).sum(1)).sum() / total.sum())

    most = 1.0 if points.precision_is_known else 0.0  # the power; less precise ones are never surer
    fitted = minimize(loss, (0.0, 0.0), bounds=[(np.log(0.2), np.log(5)), (0.0, most)], method="L-BFGS-B").x
    return Temperature(float(np.exp(fitted[0])), float(fitted[1]), typical_nm)


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
