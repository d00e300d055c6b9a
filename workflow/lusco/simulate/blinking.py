"""Blinking: how often and when each emitter is localized."""

from dataclasses import dataclass

import numpy as np

from lusco.simulate.draws import Range


@dataclass(frozen=True)
class Blinking:
    """Photophysics of the dye; the schema explains each."""

    localizations_per_emitter: Range
    frames_per_blink: float
    dark_frames: float


def blink(
    emitters: int, per_emitter: float, blinking: Blinking, frames: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Localizations of emitters that switch on and off until they bleach.

    An emitter is localized a geometric number of times, at least once. Localizations follow each other in
    consecutive frames while a blink lasts; between blinks the emitter is dark for a geometric number of frames. The
    acquisition lasts until every emitter has bleached: each starts at random within the frames that its blinks leave,
    and if they need more than there are, its dark times are shortened.

    Parameters
    ----------
    emitters : int
        Number of emitters.
    per_emitter : float
        Mean number of localizations of an emitter.
    blinking : Blinking
        Length of blinks and of dark times.
    frames : int
        Length of the acquisition.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    emitter : numpy.ndarray
        Shape (n,), index of each localization's emitter, in ascending order.
    frame : numpy.ndarray
        Shape (n,), frame of each localization, 0 to `frames` - 1.
    """
    count = rng.geometric(1 / per_emitter, emitters)
    emitter = np.repeat(np.arange(emitters), count)
    first = np.cumsum(count) - count
    gap = np.ones(len(emitter), dtype=np.int64)
    dark = rng.random(len(emitter)) < 1 / blinking.frames_per_blink
    gap[dark] += rng.geometric(1 / blinking.dark_frames, dark.sum())
    gap[first] = 0
    elapsed = np.cumsum(gap)
    elapsed -= elapsed[first][emitter]
    span = elapsed[first + count - 1]
    squeeze = np.minimum(1.0, (frames - 1) / np.maximum(span, 1))
    start = rng.integers(0, np.maximum(frames - span, 1))
    return emitter, start[emitter] + (elapsed * squeeze[emitter]).astype(np.int64)
