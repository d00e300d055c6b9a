"""Clathrin-coated pits: spherical caps of all stages from shallow to closed, alone or in groups."""

from dataclasses import dataclass

import numpy as np

from lusco.simulate.draws import Range, draw
from lusco.simulate.labelling import Epitopes


@dataclass(frozen=True)
class ClathrinPits:
    """Dimensions of clathrin-coated pits; the schema explains each.

    Coats of 60-200 nm, triskelia with three light chains each: Kirchhausen, Owen and Harrison, Cold Spring Harb
    Perspect Biol 6, a016725 (2014). Caps close from shallow to spherical as they grow: Avinoam et al., Science 348,
    1369 (2015). Groups of pits: Saffarian, Cocucci and Kirchhausen, PLoS Biol 7, e1000191 (2009).
    """

    diameter_nm: Range
    closure: Range
    triskelia_per_um2: Range
    pits_per_um2: Range
    grouped: Range
    group_size: Range
    group_radius_nm: float


def epitopes(geometry: ClathrinPits, size_nm: tuple[float, float], rng: np.random.Generator) -> Epitopes:
    """Clathrin light chains of all pits in a field.

    Parameters
    ----------
    geometry : ClathrinPits
        Dimensions and ranges.
    size_nm : tuple of float
        Width and height of the field in nm.
    rng : numpy.random.Generator
        Source of randomness.
    """
    centres = pit_centres(geometry, size_nm, rng)
    radius = draw(rng, geometry.diameter_nm, len(centres)) / 2
    closure = draw(rng, geometry.closure, len(centres))
    area_um2 = 4e-6 * np.pi * radius**2 * closure
    chains = 3 * rng.poisson(draw(rng, geometry.triskelia_per_um2) * area_um2)
    which = np.repeat(np.arange(len(centres)), chains)
    # equal areas of a sphere have equal heights: uniform from the pole down to the rim of the cap
    height = 1 - 2 * closure[which] * rng.random(len(which))
    across = np.sqrt(1 - height**2)
    angle = rng.uniform(0, 2 * np.pi, len(which))
    outward = np.column_stack([across * np.cos(angle), across * np.sin(angle), height])
    position = radius[which, None] * outward
    position[:, :2] += centres[which]
    return Epitopes(position, outward)


def pit_centres(geometry: ClathrinPits, size_nm: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Centres of the pits, shape (n, 2) in nm: some uniform, the others scattered around centres of groups."""
    size = np.asarray(size_nm)
    margin = geometry.group_radius_nm + 100.0
    expected = draw(rng, geometry.pits_per_um2) * np.prod(size + 2 * margin) / 1e6
    grouped = draw(rng, geometry.grouped)
    per_group = draw(rng, geometry.group_size)
    alone = rng.uniform(-margin, size + margin, (rng.poisson(expected * (1 - grouped)), 2))
    groups = rng.uniform(-margin, size + margin, (rng.poisson(expected * grouped / per_group), 2))
    members = np.repeat(groups, rng.poisson(per_group, len(groups)), axis=0)
    members += rng.normal(0, geometry.group_radius_nm / 2, members.shape)
    return np.concatenate([alone, members])
