"""The neighbourhood of each localization in numbers; lengths in nm.

Counts within radii and the density of the rings between them, distances to neighbours, and the principal axes of
the neighbours within a radius: how elongated they lie, how wide across, and how far off their centre of mass is.
"""

from functools import lru_cache

import numpy as np
from scipy import fft
from scipy.spatial import cKDTree

NEAR_NM = (15, 25, 40)  # radii within which neighbours are counted one by one
FAR_NM = (60, 90, 130, 200, 300, 450, 700)  # radii within which they are first gathered in cells
CELL_NM = 10.0
NEIGHBOURS = (1, 2, 4, 8, 16, 32)
MOMENTS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))  # powers of the offsets along x and y
NAMES = (
    *(f"log_count_{radius}nm" for radius in NEAR_NM + FAR_NM),
    *(f"log_ring_{radius}nm" for radius in NEAR_NM[1:] + FAR_NM),
    *(f"log_distance_{order}" for order in NEIGHBOURS),
    *(f"{what}_{radius}nm" for what in ("anisotropy", "width", "offset") for radius in FAR_NM),
    "border_nm",
)


def features(xy_nm: np.ndarray, chosen: np.ndarray, side_nm: float, threads: int) -> np.ndarray:
    """Describe the neighbourhoods of some localizations of a square composite.

    Parameters
    ----------
    xy_nm : numpy.ndarray
        Positions of all localizations, shape (n, 2).
    chosen : numpy.ndarray
        Indices of those to describe, shape (m,).
    side_nm : float
        Side of the composite; near its border neighbourhoods are cut off, and the distance to it says so.
    threads : int
        Processor threads to use.

    Returns
    -------
    numpy.ndarray
        Shape (m, len(NAMES)), float32.
    """
    tree, at = cKDTree(xy_nm), xy_nm[chosen]
    near = np.stack([tree.query_ball_point(at, r, return_length=True, workers=threads) for r in NEAR_NM], axis=1)
    sums = neighbourhood_sums(xy_nm, at, side_nm, threads)
    counts = np.maximum(np.hstack([near, sums[:, :, 0]]), 1)
    area = np.pi * np.square(NEAR_NM + FAR_NM)
    densities = np.diff(counts, axis=1).clip(0) / np.diff(area)
    relative = np.log(densities + 1 / area[-1]) - np.log(counts[:, -1:] / area[-1])
    anisotropy, width, offset = principal_axes(sums)
    border = np.minimum(at, side_nm - at).min(1).clip(0, FAR_NM[-1])
    columns = (np.log(counts), relative, neighbour_distances(tree, at, threads), anisotropy, width, offset, border)
    return np.column_stack(columns).astype(np.float32)


def neighbour_distances(tree: cKDTree, at: np.ndarray, threads: int) -> np.ndarray:
    """Logarithm of the distances in nm of localizations to their neighbours of the orders `NEIGHBOURS`."""
    orders = [order + 1 for order in NEIGHBOURS]  # the first that a tree finds is the localization itself
    distances, _ = tree.query(at, orders, distance_upper_bound=FAR_NM[-1], workers=threads)
    return np.log1p(np.minimum(distances, FAR_NM[-1]))


def neighbourhood_sums(xy_nm: np.ndarray, at: np.ndarray, side_nm: float, threads: int) -> np.ndarray:
    """Sums over the neighbours within each of `FAR_NM` of powers of their offsets, in units of the radius.

    Neighbours and positions are those of cells, so that a sum over neighbours is a correlation, which costs the same
    however dense they lie.

    Returns
    -------
    numpy.ndarray
        Shape (m, len(FAR_NM), len(MOMENTS)).
    """
    cells = int(np.ceil(side_nm / CELL_NM))
    size = fft.next_fast_len(cells + int(FAR_NM[-1] // CELL_NM), real=True)
    column, row = np.clip((xy_nm / CELL_NM).astype(np.int64), 0, cells - 1).T
    counts = np.bincount(row * size + column, minlength=size * size).reshape(size, size).astype(np.float32)
    spectrum = fft.rfft2(counts, workers=threads)
    column, row = np.clip((at / CELL_NM).astype(np.int64), 0, cells - 1).T
    sums = np.empty((len(at), len(FAR_NM), len(MOMENTS)))
    for place in np.ndindex(sums.shape[1:]):
        sums[:, *place] = fft.irfft2(spectrum * _spectra(size)[place], (size, size), workers=threads)[row, column]
    sums[:, :, 0] = np.rint(sums[:, :, 0])
    return sums


@lru_cache(maxsize=1)
def _spectra(size: int) -> dict[tuple[int, int], np.ndarray]:
    """Of each radius and moment, the transform of its kernel on a periodic grid, conjugate for a correlation."""
    distance = np.fft.fftfreq(size, 1 / size) * CELL_NM
    x, y = np.meshgrid(distance, distance)
    spectra = {}
    for index, radius in enumerate(FAR_NM):
        disc = np.hypot(x, y) <= radius
        for moment, (along_x, along_y) in enumerate(MOMENTS):
            kernel = disc * (x / radius) ** along_x * (y / radius) ** along_y
            spectra[index, moment] = fft.rfft2(kernel.astype(np.float32)).conj()
    return spectra


def principal_axes(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shape of the neighbours, from the variances a > b of their positions along their principal axes.

    Parameters
    ----------
    sums : numpy.ndarray
        From `neighbourhood_sums`, shape (m, radii, len(MOMENTS)).

    Returns
    -------
    tuple of numpy.ndarray
        Each of shape (m, radii): anisotropy (a - b) / (a + b), 1 on a line and 0 in a disc; the width sqrt(b) and
        the distance of the centre of mass, both over the radius.
    """
    number, x, y, xx, xy, yy = np.moveaxis(sums, 2, 0)
    number = np.maximum(number, 1)
    x, y, xx, xy, yy = (total / number for total in (x, y, xx, xy, yy))
    xx, xy, yy = xx - x * x, xy - x * y, yy - y * y
    total, difference = xx + yy, np.hypot(xx - yy, 2 * xy)
    anisotropy = np.where(total > 1e-4, difference / np.maximum(total, 1e-4), 0)  # 0 where nothing is near
    return anisotropy, np.sqrt(np.maximum(total - difference, 0) / 2), np.hypot(x, y)
