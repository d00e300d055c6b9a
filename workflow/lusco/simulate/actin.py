"""Actin: stress fibres, which are bundles of parallel filaments, above a cortical mesh of single filaments."""

from dataclasses import dataclass

import numpy as np

from lusco.simulate import curves
from lusco.simulate.draws import Range, draw
from lusco.simulate.labelling import Epitopes


@dataclass(frozen=True)
class Actin:
    """Dimensions of actin filaments and their bundles; the schema explains each.

    Filament of 7 nm with a subunit every 2.75 nm: Holmes et al., Nature 347, 44 (1990). Stress fibres of 10-30
    staggered filaments: Pellegrin and Mellor, J Cell Sci 120, 3491 (2007). Cortical mesh seen by SMLM: Xu, Babcock
    and Zhuang, Nat Methods 9, 185 (2012).
    """

    filament_diameter_nm: float
    subunit_nm: float
    fibres_per_10_um: Range
    fibre_width_nm: Range
    filaments_per_fibre: Range
    fibre_filament_um: Range
    fibre_persistence_um: float
    fibre_spread_deg: Range
    mesh_um_per_um2: Range
    mesh_filament_um: Range
    mesh_persistence_um: float


def epitopes(geometry: Actin, size_nm: tuple[float, float], rng: np.random.Generator) -> Epitopes:
    """Subunits of all actin filaments in a field.

    Parameters
    ----------
    geometry : Actin
        Dimensions and ranges.
    size_nm : tuple of float
        Width and height of the field in nm.
    rng : numpy.random.Generator
        Source of randomness.
    """
    point, normal = (
        np.concatenate(parts)
        for parts in zip(_fibres(geometry, size_nm, rng), _mesh(geometry, size_nm, rng), strict=True)
    )
    return curves.around(point, normal, rng.uniform(0, 2 * np.pi, len(point)), geometry.filament_diameter_nm / 2)


def _fibres(geometry: Actin, size_nm: tuple[float, float], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Subunits' points on the axes of filaments of stress fibres, and normals; shape (n, 2) each, points in nm.

    Thick fibres have more filaments abreast than thin ones. Filaments are staggered along the whole fibre.
    """
    lines = _fibre_lines(geometry, size_nm, rng)
    fibre_nm = curves.STEP_NM * (lines.shape[1] - 1)
    filament_nm = 1e3 * draw(rng, geometry.fibre_filament_um)
    thickness = rng.beta(1.0, 1.8, len(lines))  # 0 thinnest to 1 thickest, most of them thin
    width_nm = np.interp(thickness, [0, 1], np.broadcast_to(geometry.fibre_width_nm, 2))
    abreast = np.interp(thickness, [0, 1], np.broadcast_to(geometry.filaments_per_fibre, 2))

    fibre = np.repeat(np.arange(len(lines)), rng.poisson(abreast * (fibre_nm + filament_nm) / filament_nm))
    first = rng.uniform(-filament_nm, fibre_nm, len(fibre))
    aside = np.sqrt(rng.random(len(fibre))) * np.cos(rng.uniform(0, 2 * np.pi, len(fibre)))  # in a disc of radius 1

    filament, along = curves.places(np.full(len(fibre), filament_nm), geometry.subunit_nm)
    along += first[filament]
    on_fibre = (along >= 0) & (along <= fibre_nm)
    filament, along = filament[on_fibre], along[on_fibre]
    near = curves.passing(lines, fibre[filament], along, size_nm, margin_nm=width_nm.max(initial=0.0))
    filament, along = filament[near], along[near]
    point, normal = curves.locate(lines, fibre[filament], along)
    return point + (aside * width_nm[fibre] / 2)[filament, None] * normal, normal


def _fibre_lines(geometry: Actin, size_nm: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Centre lines of stress fibres from edge to edge of the field, shape (n, k, 2) in nm."""
    size = np.asarray(size_nm)
    diagonal = np.hypot(*size)
    count = rng.poisson(draw(rng, geometry.fibres_per_10_um) * diagonal / 1e4)
    direction = rng.uniform(0, np.pi)
    across = np.array([-np.sin(direction), np.cos(direction)])
    middle = size / 2 + rng.uniform(-diagonal / 2, diagonal / 2, (count, 1)) * across
    heading = direction + np.deg2rad(draw(rng, geometry.fibre_spread_deg)) * rng.normal(size=count)
    steps = int(np.ceil(0.6 * diagonal / curves.STEP_NM))
    return curves.both_ways(middle, heading, steps, 1e3 * geometry.fibre_persistence_um, rng)


def _mesh(geometry: Actin, size_nm: tuple[float, float], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Subunits' points on the axes of the filaments of the mesh, and normals; shape (n, 2) each, points in nm."""
    size = np.asarray(size_nm)
    longest = 1e3 * np.max(geometry.mesh_filament_um)
    mean = 1e3 * np.mean(geometry.mesh_filament_um)
    count = rng.poisson(draw(rng, geometry.mesh_um_per_um2) * np.prod(size + 2 * longest) / mean / 1e3)
    start = rng.uniform(-longest, size + longest, (count, 2))
    steps = int(np.ceil(longest / curves.STEP_NM))
    lines = curves.walks(start, rng.uniform(0, 2 * np.pi, count), steps, 1e3 * geometry.mesh_persistence_um, rng)
    filament, along = curves.places(1e3 * draw(rng, geometry.mesh_filament_um, count), geometry.subunit_nm)
    near = curves.passing(lines, filament, along, size_nm, margin_nm=100.0)
    return curves.locate(lines, filament[near], along[near])
