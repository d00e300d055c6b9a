"""Mitochondria: tubes with round ends that run into one another, with TOM20 in clusters on their outer membrane."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lusco.simulate import curves
from lusco.simulate.draws import Range, draw
from lusco.simulate.labelling import Epitopes

MARGIN_NM = 1500.0  # tubes start so far outside the field
ATTEMPTS = 8  # tubes tried at most for each that is wanted: a dense network leaves no room for more


@dataclass(frozen=True)
class Mitochondria:
    """Dimensions of mitochondria labelled at TOM20; the schema explains each.

    TOM20 in clusters whose size and density follow the state of the cell: Wurm et al., PNAS 108, 13546 (2011). Tubes
    300-600 nm wide, from single rods to branched networks: Jakobs and Wurm, Curr Opin Chem Biol 20, 9 (2014).
    """

    width_nm: Range
    length_um: Range
    length_um_per_um2: Range
    persistence_um: Range
    direction_spread_deg: Range
    fused: Range
    gap_nm: float
    beading: float
    clusters_per_um2: Range
    cluster_diameter_nm: Range
    copies_per_cluster: Range


@dataclass(frozen=True)
class Tube:
    """One mitochondrion or branch.

    Parameters
    ----------
    line_nm : numpy.ndarray
        Shape (k, 2), centre line in steps of `curves.STEP_NM`.
    radius_nm : float
        Mean radius.
    trunk : int
        Index of the tube that it runs into at its last point; -1 if it ends freely.
    """

    line_nm: np.ndarray
    radius_nm: float
    trunk: int

    @property
    def length_nm(self) -> float:
        """Length of the centre line in nm."""
        return curves.STEP_NM * (len(self.line_nm) - 1)


@dataclass(frozen=True)
class Tracks:
    """Filaments of the same cell that mitochondria keep to, or keep away from.

    Parameters
    ----------
    lines_nm : numpy.ndarray
        Shape (n, k, 2), points at equal steps of `curves.STEP_NM`.
    length_nm : numpy.ndarray
        Shape (n,), length of each line that exists.
    along : bool
        Whether mitochondria lie along them; otherwise they end before them.
    """

    lines_nm: np.ndarray
    length_nm: np.ndarray
    along: bool


def epitopes(
    geometry: Mitochondria, size_nm: tuple[float, float], rng: np.random.Generator, tracks: Tracks | None = None
) -> Epitopes:
    """TOM20 on the outer membrane of all mitochondria in a field.

    Parameters
    ----------
    geometry : Mitochondria
        Dimensions and ranges.
    size_nm : tuple of float
        Width and height of the field in nm.
    rng : numpy.random.Generator
        Source of randomness.
    tracks : Tracks, optional
        What the mitochondria keep to or away from; without, they lie anywhere.
    """
    tubes = network(geometry, size_nm, rng, tracks)
    clusters_per_nm2 = draw(rng, geometry.clusters_per_um2) / 1e6
    cluster_radius_nm = draw(rng, geometry.cluster_diameter_nm) / 2
    copies = draw(rng, geometry.copies_per_cluster)
    membranes = [_membrane(geometry, tube, clusters_per_nm2, cluster_radius_nm, copies, rng) for tube in tubes]
    for index, tube in enumerate(tubes):
        if tube.trunk >= 0:
            membranes[index] = _outside(membranes[index], tubes[tube.trunk])
            membranes[tube.trunk] = _outside(membranes[tube.trunk], tube)
    position = np.concatenate([np.empty((0, 3)), *(membrane.position_nm for membrane in membranes)])
    outward = np.concatenate([np.empty((0, 3)), *(membrane.outward for membrane in membranes)])
    near = curves.inside(position, size_nm, margin_nm=100.0)
    return Epitopes(position[near], outward[near])


def network(
    geometry: Mitochondria, size_nm: tuple[float, float], rng: np.random.Generator, tracks: Tracks | None = None
) -> list[Tube]:
    """Tubes, one after another, until they have the drawn length per area.

    A tube that meets another one either runs into it, which makes the three-way junctions of the network, or ends
    before it. Tubes hence never cross.
    """
    size = np.asarray(size_nm)
    wanted_nm = draw(rng, geometry.length_um_per_um2) * np.prod(size + 2 * MARGIN_NM) / 1e3
    persistence_nm = 1e3 * draw(rng, geometry.persistence_um)
    direction = rng.uniform(0, 2 * np.pi)
    spread = np.deg2rad(draw(rng, geometry.direction_spread_deg))
    width_nm = draw(rng, geometry.width_nm)
    fused = draw(rng, geometry.fused)

    attempts = 20 + int(ATTEMPTS * wanted_nm / (1e3 * np.mean(geometry.length_um)))
    start = rng.uniform(-MARGIN_NM, size + MARGIN_NM, (attempts, 2))
    heading = direction + rng.normal(0, spread, attempts) + np.pi * rng.integers(0, 2, attempts)
    length = 1e3 * draw(rng, geometry.length_um, attempts)
    steps = int(np.ceil(length.max() / curves.STEP_NM))
    lines = curves.walks(start, heading, steps, persistence_nm, rng, smoothing_nm=width_nm)
    radius = width_nm / 2 * rng.uniform(0.85, 1.15, attempts)
    fuses = rng.random(attempts) < fused

    tubes: list[Tube] = []
    room = _Room(cKDTree(np.empty((0, 2))), np.empty(0), np.empty(0, dtype=np.int64))
    barrier = cKDTree(_points(tracks)) if tracks and not tracks.along and len(tracks.lines_nm) else None
    for index in range(attempts):
        line = lines[index, : 1 + int(length[index] / curves.STEP_NM)]
        if tracks and tracks.along and len(tracks.lines_nm):
            line = _on(tracks, length[index], size, rng)
        if barrier is not None:
            line = _before(barrier, line, radius[index] + geometry.gap_nm)
        tube = _grown(line, radius[index], room, bool(fuses[index]), geometry.gap_nm)
        if tube is not None:
            tubes.append(tube)
            room = _room(tubes)
        if sum(tube.length_nm for tube in tubes) >= wanted_nm:
            break
    return tubes


def _points(tracks: Tracks) -> np.ndarray:
    """All points of tracks that exist, shape (n, 2)."""
    exists = np.arange(tracks.lines_nm.shape[1]) * curves.STEP_NM <= tracks.length_nm[:, None]
    return tracks.lines_nm[exists]


def _on(tracks: Tracks, length_nm: float, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A line on a track, from a random point of it within the field and its margin; shape (k, 2)."""
    which = rng.integers(len(tracks.lines_nm))
    line = tracks.lines_nm[which, : 1 + int(tracks.length_nm[which] / curves.STEP_NM)]
    near = np.flatnonzero(curves.inside(line, tuple(size), MARGIN_NM))
    first = rng.choice(near) if len(near) else 0
    return line[first : first + 1 + int(length_nm / curves.STEP_NM)]


def _before(barrier: cKDTree, line_nm: np.ndarray, distance_nm: float) -> np.ndarray:
    """The part of a line before it comes nearer to a barrier than a distance."""
    near = np.flatnonzero(barrier.query(line_nm)[0] < distance_nm)
    return line_nm[: near[0]] if len(near) else line_nm


@dataclass(frozen=True)
class _Room:
    """Where tubes are: a tree of all points of their centre lines, and each point's radius in nm and tube."""

    tree: cKDTree
    radius_nm: np.ndarray
    tube: np.ndarray


def _room(tubes: list[Tube]) -> _Room:
    points = [len(tube.line_nm) for tube in tubes]
    return _Room(
        cKDTree(np.concatenate([tube.line_nm for tube in tubes])),
        np.repeat([tube.radius_nm for tube in tubes], points),
        np.repeat(np.arange(len(tubes)), points),
    )


def _grown(line_nm: np.ndarray, radius_nm: float, room: _Room, fuses: bool, gap_nm: float) -> Tube | None:
    """The tube as far as earlier ones let it grow, or None if that is not much longer than wide."""
    trunk = -1
    if len(line_nm) < 2:
        return None
    if room.tree.n:
        distance, nearest = room.tree.query(line_nm)
        clearance = distance - room.radius_nm[nearest]
        if clearance[0] < radius_nm + gap_nm:
            return None
        met = np.flatnonzero(clearance < (0.0 if fuses else radius_nm + gap_nm))
        if len(met):
            line_nm = line_nm[: met[0] + int(fuses)]  # a branch ends inside its trunk
            if fuses:
                trunk = int(room.tube[nearest[met[0]]])
    tube = Tube(line_nm, radius_nm, trunk)
    return tube if tube.length_nm >= 2.5 * radius_nm else None


def _membrane(
    geometry: Mitochondria,
    tube: Tube,
    clusters_per_nm2: float,
    cluster_radius_nm: float,
    copies_per_cluster: float,
    rng: np.random.Generator,
) -> Epitopes:
    """TOM20 on one tube: clusters at random on the membrane, their members at random within a disc of it.

    The ends are half spheres; on a sphere as on a cylinder equal heights have equal areas, so that clusters uniform
    along and around the tube are uniform on its surface.
    """
    area_nm2 = 2 * np.pi * tube.radius_nm * tube.length_nm
    clusters = rng.poisson(clusters_per_nm2 * area_nm2)
    which = np.repeat(np.arange(clusters), rng.poisson(copies_per_cluster, clusters))
    apart = cluster_radius_nm * np.sqrt(rng.random(len(which)))
    bearing = rng.uniform(0, 2 * np.pi, len(which))
    along = rng.uniform(0, tube.length_nm, clusters)[which] + apart * np.cos(bearing)
    along = np.abs(along)  # a cluster at an end folds over it
    along = np.where(along > tube.length_nm, 2 * tube.length_nm - along, along)
    along = np.clip(along, 0, tube.length_nm)  # of a cluster larger than its tube
    angle = rng.uniform(0, 2 * np.pi, clusters)[which] + apart * np.sin(bearing) / tube.radius_nm
    point, normal = curves.locate(tube.line_nm[None], np.zeros(len(which), dtype=np.int64), along)
    return curves.around(point, normal, angle, _radius(tube, along, geometry.beading, rng))


def _radius(tube: Tube, along_nm: np.ndarray, beading: float, rng: np.random.Generator) -> np.ndarray:
    """Radius in nm at distances along a tube: half spheres at free ends, and slow swelling in between."""
    wave_nm = tube.radius_nm * rng.uniform(5, 10)
    swelling = 1 + beading * np.sin(2 * np.pi * (along_nm / wave_nm + rng.random()))
    to_end = along_nm if tube.trunk >= 0 else np.minimum(along_nm, tube.length_nm - along_nm)
    depth = np.clip(1 - to_end / tube.radius_nm, 0, 1)
    return tube.radius_nm * swelling * np.sqrt(1 - depth**2)


def _outside(membrane: Epitopes, other: Tube) -> Epitopes:
    """The part of a membrane that is not inside another tube."""
    distance = cKDTree(other.line_nm).query(membrane.position_nm[:, :2], distance_upper_bound=other.radius_nm)[0]
    outside = np.hypot(distance, membrane.position_nm[:, 2]) > 0.95 * other.radius_nm
    return Epitopes(membrane.position_nm[outside], membrane.outward[outside])
