"""Smooth random curves in the plane: worm-like chains, and places along them and beside them."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lusco.simulate.labelling import Epitopes

STEP_NM = 50.0  # distance of a curve's points; shorter than anything bends here


def walks(
    start_nm: np.ndarray,
    heading: np.ndarray,
    steps: int,
    persistence_nm: float,
    rng: np.random.Generator,
    smoothing_nm: float = 0.0,
) -> np.ndarray:
    """Worm-like chains: the heading is a Brownian motion whose variance grows as length / persistence length.

    Parameters
    ----------
    start_nm : numpy.ndarray
        Shape (n, 2), first points in nm.
    heading : numpy.ndarray
        Shape (n,), first directions in radians.
    steps : int
        Number of steps of `STEP_NM`.
    persistence_nm : float
        Persistence length in nm, in the convention <cos angle(s)> = exp(-s / 2P) of chains in a plane.
    rng : numpy.random.Generator
        Source of randomness.
    smoothing_nm : float
        Standard deviation of a Gaussian that smooths the heading along the chain, in nm: what is wide cannot bend
        sharply.

    Returns
    -------
    numpy.ndarray
        Shape (n, steps + 1, 2), points in nm.
    """
    turns = rng.normal(0.0, np.sqrt(STEP_NM / persistence_nm), (len(start_nm), steps))
    angle = heading[:, None] + np.cumsum(turns, axis=1)
    if smoothing_nm > 0:
        angle = gaussian_filter1d(angle, smoothing_nm / STEP_NM, axis=1, mode="nearest")
    stride = STEP_NM * np.stack([np.cos(angle), np.sin(angle)], axis=2)
    return np.concatenate([start_nm[:, None], start_nm[:, None] + np.cumsum(stride, axis=1)], axis=1)


def both_ways(
    middle_nm: np.ndarray, heading: np.ndarray, steps: int, persistence_nm: float, rng: np.random.Generator
) -> np.ndarray:
    """Worm-like chains through given points, `steps` forwards and backwards; shape (n, 2 steps + 1, 2) in nm."""
    back = walks(middle_nm, heading + np.pi, steps, persistence_nm, rng)[:, :0:-1]
    return np.concatenate([back, walks(middle_nm, heading, steps, persistence_nm, rng)], axis=1)


def inside(points_nm: np.ndarray, size_nm: tuple[float, float], margin_nm: float = 0.0) -> np.ndarray:
    """Which points lie in the field 0..width, 0..height widened by a margin; shape of `points_nm` less its last."""
    x, y = points_nm[..., 0], points_nm[..., 1]
    return (x >= -margin_nm) & (x <= size_nm[0] + margin_nm) & (y >= -margin_nm) & (y <= size_nm[1] + margin_nm)


def places(length_nm: np.ndarray, distance_nm: float) -> tuple[np.ndarray, np.ndarray]:
    """Places at equal distances along curves.

    Parameters
    ----------
    length_nm : numpy.ndarray
        Shape (n,), length of each curve in nm.
    distance_nm : float
        Distance of the places in nm.

    Returns
    -------
    which : numpy.ndarray
        Shape (m,), index of the curve.
    along_nm : numpy.ndarray
        Shape (m,), distance from the curve's first point in nm.
    """
    count = (length_nm / distance_nm).astype(np.int64)
    which = np.repeat(np.arange(len(count)), count)
    return which, (np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)) * distance_nm


def passing(
    curves_nm: np.ndarray, which: np.ndarray, along_nm: np.ndarray, size_nm: tuple[float, float], margin_nm: float
) -> np.ndarray:
    """Which places along curves may lie in the field widened by a margin, told by their steps alone; shape (m,).

    Cheaper than `locate`, which need then not be asked about the rest. Arguments as of `locate` and `inside`.
    """
    near = inside(curves_nm, size_nm, margin_nm + STEP_NM)
    return near.ravel().take(which * curves_nm.shape[1] + (along_nm * (1 / STEP_NM)).astype(np.int64))


def locate(curves_nm: np.ndarray, which: np.ndarray, along_nm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points along curves.

    Parameters
    ----------
    curves_nm : numpy.ndarray
        Shape (n, k, 2), points at equal steps of `STEP_NM`, in nm.
    which : numpy.ndarray
        Shape (m,), index of the curve.
    along_nm : numpy.ndarray
        Shape (m,), distance from the curve's first point in nm.

    Returns
    -------
    point_nm : numpy.ndarray
        Shape (m, 2), in nm.
    normal : numpy.ndarray
        Shape (m, 2), unit vectors across the curve.
    """
    points = curves_nm.shape[1]
    index = np.minimum((along_nm * (1 / STEP_NM)).astype(np.int64), points - 2)
    rest = (along_nm * (1 / STEP_NM) - index)[:, None]
    index += which * points
    line, tangents = curves_nm.reshape(-1, 2), np.gradient(curves_nm, axis=1).reshape(-1, 2)
    point = (1 - rest) * line.take(index, axis=0) + rest * line.take(index + 1, axis=0)
    tangent = (1 - rest) * tangents.take(index, axis=0) + rest * tangents.take(index + 1, axis=0)
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None]
    return point, np.column_stack([-tangent[:, 1], tangent[:, 0]])


def around(point_nm: np.ndarray, normal: np.ndarray, angle: np.ndarray, radius_nm: float | np.ndarray) -> Epitopes:
    """Epitopes on a tube around curves that lie in the plane z = 0.

    Parameters
    ----------
    point_nm, normal : numpy.ndarray
        Shape (m, 2), as returned by `locate`.
    angle : numpy.ndarray
        Shape (m,), around the tube in radians, 0 = in the plane.
    radius_nm : float or numpy.ndarray
        Radius of the tube in nm, shape (m,) if it varies.
    """
    outward = np.column_stack([np.cos(angle)[:, None] * normal, np.sin(angle)])
    position = np.column_stack([point_nm, np.zeros(len(point_nm))])
    return Epitopes(position + np.asarray(radius_nm).reshape(-1, 1) * outward, outward)
