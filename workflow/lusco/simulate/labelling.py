"""From epitopes to emitters: which epitopes carry a fluorophore, and how far the label holds it away."""

from dataclasses import dataclass

import numpy as np

from lusco.simulate.draws import Range, draw


@dataclass(frozen=True)
class Epitopes:
    """Places where a label can bind.

    Parameters
    ----------
    position_nm : numpy.ndarray
        Shape (n, 3), x, y, z in nm.
    outward : numpy.ndarray
        Shape (n, 3), unit vectors away from the structure.
    """

    position_nm: np.ndarray
    outward: np.ndarray


@dataclass(frozen=True)
class Labelling:
    """How one structure is labelled; the schema explains each."""

    efficiency: Range
    linker_nm: float


def label(epitopes: Epitopes, labelling: Labelling, rng: np.random.Generator) -> np.ndarray:
    """Emitters of the labelled epitopes.

    Each epitope is labelled independently. The linker points anywhere into the half space away from the
    structure: it swings freely but does not enter what it binds to.

    Parameters
    ----------
    epitopes : Epitopes
        Where labels can bind.
    labelling : Labelling
        Efficiency and length of the linker.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Shape (m, 3), x, y, z of the emitters in nm.
    """
    labelled = rng.random(len(epitopes.position_nm)) < draw(rng, labelling.efficiency)
    outward = epitopes.outward[labelled]
    direction = rng.normal(size=outward.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    inward = np.sum(direction * outward, axis=1) < 0
    direction[inward] *= -1
    return epitopes.position_nm[labelled] + labelling.linker_nm * direction
