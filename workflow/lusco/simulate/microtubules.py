"""Microtubules: stiff curved filaments, radiating from an organising centre or crossing the field."""

from dataclasses import dataclass

import numpy as np

from lusco.errors import Fault, InputError
from lusco.simulate import curves
from lusco.simulate.draws import Range, draw
from lusco.simulate.labelling import Epitopes

DOUBLED = 6  # times at most, until there are enough to choose from


@dataclass(frozen=True)
class Microtubules:
    """Dimensions of microtubules; the schema explains each.

    Tube of 13 protofilaments and dimers every 8 nm: Amos and Klug, J Cell Sci 14, 523 (1974). 25 nm across, 50-60
    nm with two layers of antibodies: Weber, Rathke and Osborn, PNAS 75, 1820 (1978). Bent in cells as if their
    persistence length were about 30 um: Brangwynne, MacKintosh and Weitz, PNAS 104, 16128 (2007).
    """

    outer_diameter_nm: float
    protofilaments: int
    dimer_nm: float
    persistence_um: Range
    length_um_per_um2: Range
    filament_um: Range
    radiating: Range
    centre_distance_um: Range
    direction_spread_deg: Range


def epitopes(geometry: Microtubules, size_nm: tuple[float, float], rng: np.random.Generator) -> Epitopes:
    """Tubulin dimers on the outer surface of all microtubules in a field.

    Parameters
    ----------
    geometry : Microtubules
        Dimensions and ranges.
    size_nm : tuple of float
        Width and height of the field in nm.
    rng : numpy.random.Generator
        Source of randomness.
    """
    lines, length_nm = filaments(geometry, size_nm, rng)
    which, along = curves.places(length_nm, geometry.dimer_nm)
    near = curves.passing(lines, which, along, size_nm, margin_nm=100.0)
    point, normal = curves.locate(lines, which[near], along[near])
    point, normal = (np.repeat(array, geometry.protofilaments, axis=0) for array in (point, normal))
    turn = 2 * np.pi / geometry.protofilaments
    angle = turn * (np.arange(len(point)) % geometry.protofilaments + 0.5)
    return curves.around(point, normal, angle, geometry.outer_diameter_nm / 2)


def filaments(
    geometry: Microtubules, size_nm: tuple[float, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Centre lines of microtubules, as many as give the drawn length per area.

    Returns
    -------
    lines_nm : numpy.ndarray
        Shape (n, k, 2), in nm.
    length_nm : numpy.ndarray
        Shape (n,), length of each line that exists, from its first point, in nm.

    Raises
    ------
    InputError
        If they are too short, or begin too far away, to reach that length in the field.
    """
    size = np.asarray(size_nm)
    wanted_nm = draw(rng, geometry.length_um_per_um2) * size.prod() / 1e3
    # long ones have on average a quarter of their length in the field, or more; of others, more are drawn anew
    fewest = 20 + int(8 * wanted_nm / size.min())
    state = rng.bit_generator.state
    for count in fewest * 2 ** np.arange(DOUBLED + 1):
        rng.bit_generator.state = state
        lines, length, in_field_nm = _drawn(geometry, size_nm, int(count), rng)
        if in_field_nm.sum() >= wanted_nm:
            kept = np.count_nonzero(np.cumsum(in_field_nm) - in_field_nm / 2 < wanted_nm)
            return lines[:kept], length[:kept]
    reached_um, wanted_um = in_field_nm.sum() / 1e3, wanted_nm / 1e3
    what = f"{count} microtubules have {reached_um:.3g} um in the field, not the {wanted_um:.3g} that are asked for"
    raise InputError(Fault("microtubules", what, "make them longer or fewer, or their centre nearer"))


def _drawn(
    geometry: Microtubules, size_nm: tuple[float, float], count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """So many lines, the length of each that exists, and how much of it lies in the field."""
    size = np.asarray(size_nm)
    persistence_nm = 1e3 * draw(rng, geometry.persistence_um)
    length = 1e3 * draw(rng, geometry.filament_um, count)
    steps = int(np.ceil(length.max() / curves.STEP_NM))

    bearing = rng.uniform(0, 2 * np.pi)
    centre = size / 2 + 1e3 * draw(rng, geometry.centre_distance_um) * np.array([np.cos(bearing), np.sin(bearing)])
    target = rng.uniform(0, 1, (count, 2)) * size
    radiating = rng.random(count) < draw(rng, geometry.radiating)
    spread = np.deg2rad(draw(rng, geometry.direction_spread_deg))
    crossing_heading = rng.uniform(0, 2 * np.pi) + rng.normal(0, spread, count)
    centre_start = centre + rng.normal(0, 250.0, (count, 2))
    to_target = target - centre_start
    heading = np.where(radiating, np.arctan2(to_target[:, 1], to_target[:, 0]), crossing_heading)
    before = (rng.random(count) * length)[:, None] * np.column_stack([np.cos(heading), np.sin(heading)])
    start = np.where(radiating[:, None], centre_start, target - before)

    lines = curves.walks(start, heading, steps, persistence_nm, rng)
    exists = np.arange(steps + 1) * curves.STEP_NM <= length[:, None]
    return lines, length, curves.STEP_NM * np.sum(curves.inside(lines, size_nm) & exists, axis=1)
