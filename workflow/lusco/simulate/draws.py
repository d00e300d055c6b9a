"""Random numbers of a simulation: one generator per part of an acquisition, and draws from ranges."""

import hashlib
from collections.abc import Sequence

import numpy as np

# A number, or the low and high end between which each acquisition draws uniformly.
Range = float | Sequence[float]


def generator(seed: int, name: str, part: str) -> np.random.Generator:
    """Generator of one part of an acquisition; parts do not disturb each other.

    Parameters
    ----------
    seed : int
        Seed of the run.
    name : str
        Name of the acquisition.
    part : str
        What is drawn, such as a structure or `camera`.
    """
    digest = hashlib.sha256(f"{seed}:{name}:{part}".encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest)))


def draw(rng: np.random.Generator, value: Range, size: int | None = None) -> float | np.ndarray:
    """Draw uniformly from a range, in its own unit; a single number is itself."""
    low, high = (value, value) if isinstance(value, (int, float)) else value
    return rng.uniform(low, high, size)
