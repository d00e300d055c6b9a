"""What a biologist measures on a channel: count and radius of rings, length and width of filaments, size of spots.

The same code measures true and recoloured channels, so that its own bias is the same in both. Thresholds are
fractions of the structure's fixed scale, never of the image itself.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import sato
from skimage.measure import regionprops
from skimage.morphology import disk, label, remove_small_holes, remove_small_objects, skeletonize

NM_PER_UM = 1000.0

RING_NM = 50.0  # Nup96 lies 53.5 nm from the centre of a pore (Thevathasan et al. 2019)
RING_DISTANCE_NM = 90.0  # no two pores are closer
RING_REACH_NM = 100.0  # what belongs to a ring
RING_RESPONSE = 0.1

FILAMENT_SIGMA_NM = 40.0
FILAMENT_RESPONSE = 0.02
FILAMENT_LEAST_UM = 0.3  # shorter ridges are noise
PROFILE_NM = 200.0  # half the length of a profile across a filament
PROFILE_STEP_NM = 5.0

TUBE_SIGMA_NM = 40.0
TUBE_LEVEL = 0.03
TUBE_GAP_NM = 200.0  # gaps between clusters of TOM20 up to twice as wide are closed
TUBE_LEAST_UM2 = 0.1

SPOT_SIGMA_NM = 25.0
SPOT_LEVEL = 0.1
SPOT_LEAST_NM = 50.0


def rings(counts: np.ndarray, scale: float, pixel_nm: float) -> dict[str, float]:
    """Number per area and radius of rings such as nuclear pores.

    Rings are maxima of the Laplacian of a Gaussian about as wide as a pore's radius; the radius is the root mean
    square distance of a ring's counts from their centre, the median of all rings.

    Parameters
    ----------
    counts : numpy.ndarray
        Channel, shape (rows, columns).
    scale : float
        Scale of the structure's images in counts per pixel.
    pixel_nm : float
        Pixel size in nm.

    Returns
    -------
    dict
        `count_per_um2`, `radius_nm` (NaN where there is no ring).
    """
    sigma = RING_NM / pixel_nm
    response = -(sigma**2) * ndimage.gaussian_laplace(counts.astype(np.float64), sigma) / scale
    reach = int(np.ceil(RING_REACH_NM / pixel_nm))
    distance = max(1, round(RING_DISTANCE_NM / pixel_nm))
    centres = peak_local_max(response, min_distance=distance, threshold_abs=RING_RESPONSE, exclude_border=False)
    inside = ((centres >= reach) & (centres < np.array(counts.shape) - reach)).all(1)
    radii = [
        _radius(counts[row - reach : row + reach + 1, column - reach : column + reach + 1], pixel_nm)
        for row, column in centres[inside]
    ]
    return {"count_per_um2": len(centres) / _area_um2(counts, pixel_nm), "radius_nm": _median(radii)}


def filaments(counts: np.ndarray, scale: float, pixel_nm: float) -> dict[str, float]:
    """Length per area and width of filaments such as microtubules.

    Filaments are ridges (Sato et al. 1998) thinned to lines; the width is the full width at half maximum of the mean
    profile across all lines.

    Parameters
    ----------
    counts, scale, pixel_nm
        As for `rings`.

    Returns
    -------
    dict
        `length_um_per_um2`, `width_nm` (NaN where there is no filament).
    """
    scaled = counts.astype(np.float64) / scale
    ridges = sato(scaled, sigmas=[FILAMENT_SIGMA_NM / pixel_nm], black_ridges=False, mode="reflect")
    least = int(FILAMENT_LEAST_UM * NM_PER_UM / pixel_nm)
    lines = remove_small_objects(skeletonize(ridges > FILAMENT_RESPONSE), max_size=least - 1, connectivity=2)
    length_um = _length_px(lines) * pixel_nm / NM_PER_UM
    return {
        "length_um_per_um2": length_um / _area_um2(counts, pixel_nm),
        "width_nm": _full_width(*_profile(counts, lines, pixel_nm)) if lines.any() else np.nan,
    }


def tubes(counts: np.ndarray, scale: float, pixel_nm: float) -> dict[str, float]:
    """Covered area and width of tubes such as mitochondria.

    The width is twice the distance of the middle line from the edge, the median along it.

    Parameters
    ----------
    counts, scale, pixel_nm
        As for `rings`.

    Returns
    -------
    dict
        `covered` (fraction of the area), `width_nm` (NaN where there is no tube).
    """
    least = int(TUBE_LEAST_UM2 * NM_PER_UM**2 / pixel_nm**2)
    mask = ndimage.gaussian_filter(counts.astype(np.float64), TUBE_SIGMA_NM / pixel_nm) > TUBE_LEVEL * scale
    reach = round(TUBE_GAP_NM / pixel_nm)
    mask = ndimage.binary_closing(np.pad(mask, reach), disk(reach))[reach:-reach, reach:-reach]
    mask = remove_small_holes(remove_small_objects(mask, max_size=least - 1), max_size=least - 1)
    if mask.all():  # nowhere an edge
        return {"covered": 1.0, "width_nm": np.nan}
    distance = ndimage.distance_transform_edt(mask)[skeletonize(mask)]
    # distances are taken to the centre of the first pixel outside, half a pixel beyond the edge
    return {"covered": float(mask.mean()), "width_nm": _median((2 * distance - 1) * pixel_nm)}


def spots(counts: np.ndarray, scale: float, pixel_nm: float) -> dict[str, float]:
    """Number per area and diameter of spots such as clathrin-coated pits.

    Parameters
    ----------
    counts, scale, pixel_nm
        As for `rings`.

    Returns
    -------
    dict
        `count_per_um2`, `diameter_nm` (of the disc of the same area, the median; NaN where there is no spot).
    """
    mask = ndimage.gaussian_filter(counts.astype(np.float64), SPOT_SIGMA_NM / pixel_nm) > SPOT_LEVEL * scale
    least = max(1, int(np.pi / 4 * (SPOT_LEAST_NM / pixel_nm) ** 2))
    found = regionprops(label(remove_small_objects(ndimage.binary_fill_holes(mask), max_size=least - 1)))
    diameters = [region.equivalent_diameter_area * pixel_nm for region in found]
    return {"count_per_um2": len(found) / _area_um2(counts, pixel_nm), "diameter_nm": _median(diameters)}


SHAPES: dict[str, Callable[[np.ndarray, float, float], dict[str, float]]] = {
    "rings": rings,
    "filaments": filaments,
    "tubes": tubes,
    "spots": spots,
}


def _radius(window: np.ndarray, pixel_nm: float) -> float:
    """Root mean square distance of counts from their centre, within `RING_REACH_NM` of the window's middle."""
    half = window.shape[0] // 2
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1] * pixel_nm
    weight = window * (np.hypot(rows, columns) <= RING_REACH_NM)
    total = weight.sum()
    if total <= 0:
        return np.nan
    row, column = (weight * rows).sum() / total, (weight * columns).sum() / total
    return float(np.sqrt((weight * ((rows - row) ** 2 + (columns - column) ** 2)).sum() / total))


def _length_px(lines: np.ndarray) -> float:
    """Length of lines one pixel wide, without bias on the mean of all directions (Kulpa 1977)."""
    sideways = np.count_nonzero(lines[:, 1:] & lines[:, :-1]) + np.count_nonzero(lines[1:] & lines[:-1])
    falling = lines[1:, 1:] & lines[:-1, :-1] & ~lines[1:, :-1] & ~lines[:-1, 1:]
    rising = lines[1:, :-1] & lines[:-1, 1:] & ~lines[1:, 1:] & ~lines[:-1, :-1]
    return 0.948 * sideways + 1.340 * (np.count_nonzero(falling) + np.count_nonzero(rising))


def _profile(counts: np.ndarray, lines: np.ndarray, pixel_nm: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions in nm, and mean counts there, across all lines, whose directions a structure tensor gives."""
    rows, columns = np.nonzero(lines)
    smoothing = 2 * FILAMENT_SIGMA_NM / pixel_nm
    tensor = [ndimage.gaussian_filter(part, smoothing) for part in _gradients(lines, pixel_nm)]
    rr, rc, cc = (part[rows, columns] for part in tensor)
    across = 0.5 * np.arctan2(2 * rc, rr - cc)  # angle of the steepest change, from the row axis
    offsets = np.arange(-PROFILE_NM, PROFILE_NM + PROFILE_STEP_NM / 2, PROFILE_STEP_NM)
    at = np.stack(
        [
            rows[:, None] + np.cos(across)[:, None] * offsets / pixel_nm,
            columns[:, None] + np.sin(across)[:, None] * offsets / pixel_nm,
        ]
    )
    return offsets, ndimage.map_coordinates(counts.astype(np.float64), at, order=1).mean(0)


def _gradients(lines: np.ndarray, pixel_nm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Products of the gradients of smoothed lines (the structure tensor before its own smoothing)."""
    image = ndimage.gaussian_filter(lines.astype(np.float64), FILAMENT_SIGMA_NM / pixel_nm)
    row, column = np.gradient(image)
    return row * row, row * column, column * column


def _full_width(offsets: np.ndarray, profile: np.ndarray) -> float:
    """Full width at half maximum over the level at both ends, in the unit of the offsets."""
    base = (profile[0] + profile[-1]) / 2
    middle = len(profile) // 2
    half = (profile[middle] + base) / 2
    if profile[middle] <= base:
        return np.nan
    return _crossing(offsets[middle:], profile[middle:], half) + _crossing(
        -offsets[middle::-1], profile[middle::-1], half
    )


def _crossing(offsets: np.ndarray, profile: np.ndarray, level: float) -> float:
    """Where a profile first falls to a level, interpolated linearly; NaN if it never does."""
    below = np.flatnonzero(profile <= level)
    if not len(below):
        return np.nan
    last = below[0]
    share = (profile[last - 1] - level) / (profile[last - 1] - profile[last])
    return float(offsets[last - 1] + share * (offsets[last] - offsets[last - 1]))


def _area_um2(counts: np.ndarray, pixel_nm: float) -> float:
    return counts.size * (pixel_nm / NM_PER_UM) ** 2


def _median(values: "list[float] | np.ndarray") -> float:
    return float(np.median(values)) if len(values) else np.nan
