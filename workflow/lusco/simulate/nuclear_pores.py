"""Nuclear pores: rings of eight corners, scattered over a nuclear envelope seen from below."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from lusco.simulate import curves
from lusco.simulate.draws import Range, draw
from lusco.simulate.labelling import Epitopes

CORNERS = 8
RINGS = 2
COPIES = 2  # of Nup96 per corner and ring


@dataclass(frozen=True)
class NuclearPores:
    """Dimensions of nuclear pores labelled at Nup96; the schema explains each.

    32 copies of Nup96 in two rings of eight corners: von Appen et al., Nature 526, 140 (2015). Diameter of 107 nm,
    rings 50 nm apart: Thevathasan et al., Nat Methods 16, 1045 (2019). Several pores per um^2 of envelope: Maul and
    Deaven, J Cell Biol 73, 748 (1977).
    """

    ring_radius_nm: float
    ring_distance_nm: float
    copy_distance_nm: float
    pores_per_um2: Range
    spacing_nm: float
    tilt_deg: Range
    nucleus_radius_um: Range
    nucleus_distance_um: Range


def epitopes(geometry: NuclearPores, size_nm: tuple[float, float], rng: np.random.Generator) -> Epitopes:
    """Copies of Nup96 of all pores in a field.

    Parameters
    ----------
    geometry : NuclearPores
        Dimensions and ranges.
    size_nm : tuple of float
        Width and height of the field in nm.
    rng : numpy.random.Generator
        Source of randomness.
    """
    centres = pore_centres(geometry, size_nm, rng)
    copies, outward = pore(geometry)
    pores = len(centres)
    azimuth, bearing = rng.uniform(0, 2 * np.pi, (2, pores))
    tilt = np.deg2rad(draw(rng, geometry.tilt_deg)) * np.sqrt(-2 * np.log1p(-rng.random(pores)))
    # turned about its axis, then tilted towards a random bearing
    turned = Rotation.from_euler("ZYZ", np.column_stack([bearing, tilt, azimuth - bearing]))
    matrix = turned.as_matrix()[:, None]
    position = (matrix @ copies[None, :, :, None])[..., 0]
    position[..., :2] += centres[:, None]
    outward = (matrix @ outward[None, :, :, None])[..., 0]
    return Epitopes(position.reshape(-1, 3), outward.reshape(-1, 3))


def pore(geometry: NuclearPores) -> tuple[np.ndarray, np.ndarray]:
    """One upright pore around the origin: the positions in nm and the outward directions, shape (32, 3) each."""
    corner, ring, copy = np.meshgrid(np.arange(CORNERS), np.arange(RINGS), np.arange(COPIES), indexing="ij")
    aside = geometry.copy_distance_nm / geometry.ring_radius_nm * (copy - 0.5)
    angle = (2 * np.pi / CORNERS * corner + aside).ravel()
    outward = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(len(angle))])
    position = geometry.ring_radius_nm * outward
    position[:, 2] = geometry.ring_distance_nm * (ring.ravel() - 0.5)
    return position, outward


def pore_centres(geometry: NuclearPores, size_nm: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Centres of the pores, where the nucleus covers the field; shape (n, 2) in nm.

    Matern's second hard-core process: of random candidates, one goes if an earlier one is nearer than the
    spacing. Its density is (1 - exp(-c A)) / A for c candidates per area and A = pi spacing^2, solved here for c.
    """
    size = np.asarray(size_nm)
    density = draw(rng, geometry.pores_per_um2) / 1e6
    area = np.pi * geometry.spacing_nm**2
    margin = 2 * geometry.ring_radius_nm + geometry.spacing_nm
    candidates = rng.poisson(-np.log1p(-density * area) / area * np.prod(size + 2 * margin))
    centres = rng.uniform(-margin, size + margin, (candidates, 2))
    pairs = cKDTree(centres).query_pairs(geometry.spacing_nm, output_type="ndarray")
    kept = np.ones(candidates, dtype=bool)
    kept[pairs.max(axis=1)] = False
    kept &= _in_nucleus(geometry, centres, size, rng)
    return centres[kept & curves.inside(centres, size_nm, 2 * geometry.ring_radius_nm)]


def _in_nucleus(
    geometry: NuclearPores, points_nm: np.ndarray, size_nm: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    bearing, turn = rng.uniform(0, 2 * np.pi, 2)
    distance_nm = 1e3 * draw(rng, geometry.nucleus_distance_um)
    radii_nm = 1e3 * draw(rng, geometry.nucleus_radius_um, 2)
    relative = points_nm - size_nm / 2 - distance_nm * np.array([np.cos(bearing), np.sin(bearing)])
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.sum((relative @ axes / radii_nm) ** 2, axis=1) <= 1
