"""What a model, ours or a peer's, says of an image's localizations, and the recoloured image that follows from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lusco.render import Points

MOST = 4.0  # times a typical uncertainty, or so many times less: what a fit gives beyond is no precision


@dataclass(frozen=True)
class Answer:
    """What a model says of n localizations.

    Parameters
    ----------
    log_probabilities : numpy.ndarray
        Log probability of each structure for each localization, shape (n, structures).
    channels : numpy.ndarray or None
        Counts per structure and pixel, shape (structures, rows, columns), float32, of a model that predicts an image;
        the channels of any other are the sums of its probabilities.
    appearance : numpy.ndarray or None
        How each localization looks to the network, along some axes of its last features, shape (n, axes); None of a
        model without such.
    """

    log_probabilities: np.ndarray
    channels: np.ndarray | None = None
    appearance: np.ndarray | None = None


@dataclass(frozen=True)
class Temperature:
    """What log probabilities are divided by: the more, the less precisely a localization was measured.

    A network sees where localizations lie, and not how precise each is; without this the precise ones are surer to be
    right than they say, and the others less.

    Parameters
    ----------
    typical : float
        That of a localization of typical uncertainty, or of one whose uncertainty is not known.
    exponent : float
        Power of an uncertainty, in units of the typical one, with which the temperature rises.
    uncertainty_nm : float
        The typical uncertainty.
    """

    typical: float
    exponent: float = 0.0
    uncertainty_nm: float = 1.0

    def of(self, points: Points) -> np.ndarray:
        """Temperatures of n localizations, shape (n, 1), float32."""
        each = self.typical * np.exp(self.exponent * log_ratio(points, self.uncertainty_nm))
        return each[:, None].astype(np.float32)  # as log probabilities, of which there are many in a large field


def log_ratio(points: Points, typical_nm: float) -> np.ndarray:
    """Logarithm of each uncertainty over a typical one, 0 where it is not known, within what can be; shape (n,)."""
    ratio, known = np.ones(len(points)), points.uncertainty_is_known
    if known.any():
        ratio[known] = points.uncertainty_nm[known] / typical_nm
    return np.log(np.clip(ratio, 1 / MOST, MOST))


Apply = Callable[[pd.DataFrame], Answer]  # from the localizations of a composite, or of a part of one


@dataclass(frozen=True)
class Recolored:
    """A recoloured image.

    Parameters
    ----------
    channels : numpy.ndarray
        Counts per structure and pixel, shape (structures, rows, columns), float32.
    probabilities : numpy.ndarray
        Calibrated probability of each structure for each localization, shape (n, structures).
    appearance : numpy.ndarray or None
        As of `Answer`.
    """

    channels: np.ndarray
    probabilities: np.ndarray
    appearance: np.ndarray | None = None


def finish(answer: Answer, points: Points, temperature: Temperature, sharpness: float) -> Recolored:
    """The recoloured image of an answer.

    Parameters
    ----------
    answer : Answer
        Of the localizations `points`.
    points : Points
        Where they are.
    temperature : Temperature
        Divides log probabilities.
    sharpness : float
        Power of the calibrated probabilities that makes the shares of the channels.
    """
    channels, divisor = answer.channels, temperature.of(points)
    if channels is None:
        channels = _summed(soften(answer.log_probabilities, divisor / sharpness), points)
    return Recolored(channels, soften(answer.log_probabilities, divisor), answer.appearance)


def soften(log_probabilities: np.ndarray, temperature: ArrayLike) -> np.ndarray:
    """Probabilities at a temperature, or at one for each row; structures along axis 1."""
    scaled = log_probabilities / temperature
    scaled = np.exp(scaled - scaled.max(1, keepdims=True))
    return scaled / scaled.sum(1, keepdims=True)


def of_pixels(probabilities: np.ndarray, points: Points) -> np.ndarray:
    """Mean probabilities of each pixel's localizations, equal where there is none.

    Parameters
    ----------
    probabilities : numpy.ndarray
        Shape (n, structures).
    points : Points
        The n localizations.

    Returns
    -------
    numpy.ndarray
        Shape (structures, rows, columns), float32.
    """
    mean = _summed(probabilities, points)
    counts = points.counts(points.pixel())
    np.divide(mean, counts, out=mean, where=counts > 0)
    mean[:, counts == 0] = 1 / len(mean)
    return mean


def _summed(columns: np.ndarray, points: Points) -> np.ndarray:
    """Weighted sums per pixel of a column for each channel, shape (channels, rows, columns), float32."""
    pixel, weight = points.pixel(), 1 if points.weight is None else points.weight
    sums = np.empty((columns.shape[1], *points.shape), dtype=np.float32)  # of large fields, a gigabyte
    for image, column in zip(sums, columns.T, strict=True):
        image.flat = np.bincount(pixel, weight * column, minlength=image.size)
    return sums
