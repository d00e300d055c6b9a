"""Regions of an image as rows of numbers: all that lies there, and what of it the model takes for each structure.

Density, how counts cluster from one pixel to a quarter of the region, how undecided the model is, and how precise
localizations say they are; and, if that is known, how they look to the network. Each is averaged over the region and
its surroundings, because a single region varies too much to tell.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lusco.answer import of_pixels
from lusco.render import Points

REGION_NM = 1280.0
SURROUNDINGS = 4  # regions on a side of the square that is averaged over
LEAST_COUNTS = 50  # fewer say nothing about a region, or about a structure in it
LEAST_SHARE = 0.05  # of a region's counts: less of a structure is mostly what belongs to others
SCALES_PX = (1, 2, 4, 8, 16)
NM_PER_UM = 1000.0

PLACE = ["x_nm", "y_nm", "side_nm", "localizations"]
LESS_AND_MORE = {
    "log_density": ("lower density", "higher density"),
    **{f"clustering_{scale}px": ("less clustering", "more clustering") for scale in SCALES_PX},
    "indecision": ("less indecision", "more indecision"),
    "log_uncertainty": ("better precision", "worse precision"),
}
FEATURES = list(LESS_AND_MORE)
_APPEARANCE = "appearance_"
WHOLE = 0  # the part that all localizations are; that of a structure is its index and one


def appearance_columns(axes: int) -> list[str]:
    """Names of the columns of appearance along so many axes."""
    return [f"{_APPEARANCE}{number}" for number in range(axes)]


def appearance_of(regions: pd.DataFrame) -> list[str]:
    """Those of these columns that a table of regions has."""
    return [column for column in regions.columns if column.startswith(_APPEARANCE)]


def region_px(pixel_nm: float, composite_px: int) -> int:
    """Side of a region in pixels: `REGION_NM`, or less where a composite is smaller; a multiple of all `SCALES_PX`."""
    largest = SCALES_PX[-1]
    return max(largest, min(round(REGION_NM / pixel_nm), composite_px) // largest * largest)


def surroundings(side_px: int, composite_px: int) -> int:
    """Regions on a side of the square that is averaged over: `SURROUNDINGS`, or as many as a composite has."""
    return max(1, min(SURROUNDINGS, composite_px // side_px))


def regions_across(side_px: int, length_px: int) -> int:
    """Regions that a length has, of which the last overlaps where it must; at least one."""
    return max(1, len(_starts(length_px, side_px)))


def describe(
    points: Points,
    probabilities: np.ndarray,
    side_px: int,
    surroundings: int,
    appearance: np.ndarray | None = None,
) -> pd.DataFrame:
    """Describe the regions of an image, side by side, that have enough counts; the last overlap where they must.

    Parameters
    ----------
    points : Points
        The n localizations over the pixels of the image.
    probabilities : numpy.ndarray
        Of each structure for each localization, shape (n, structures).
    side_px : int
        Side of a region in pixels; an image that is smaller has none.
    surroundings : int
        Regions on a side of the square around each region, moved into the image, over which features are averaged.
    appearance : numpy.ndarray, optional
        How each localization looks to the network, shape (n, axes).

    Returns
    -------
    pandas.DataFrame
        A row for each region and part that has enough counts there. Columns `PLACE` (corner and side in nm from the
        image's first corner, all counts), `part` (`WHOLE`, or the index of a structure and one: counts times its
        probability), `FEATURES` and those of `appearance_columns`, means over localizations; of structures, and where
        it is not known, precision is NaN.
    """
    counts, pixel_nm = points.counts(points.pixel()), points.pixel_nm
    precise = points.precision_is_known
    uncertainty = of_pixels(_log_uncertainty(points)[:, None], points)[0] if precise else np.full_like(counts, np.nan)
    mean = of_pixels(probabilities, points)  # of large fields the largest: after what passes
    entropy = _entropy(mean)
    rows, columns = (_starts(length, side_px) for length in counts.shape)
    features = np.full((1 + len(mean), len(rows), len(columns), len(FEATURES)), np.nan)
    places = {}
    for index in np.ndindex(features.shape[1:3]):
        row, column = rows[index[0]], columns[index[1]]
        own = (slice(row, row + side_px), slice(column, column + side_px))
        total = float(counts[own].sum())
        if total < LEAST_COUNTS:
            continue
        places[index] = (column * pixel_nm, row * pixel_nm, side_px * pixel_nm, total)
        for part, share in enumerate((1.0, *mean[:, *own])):
            image = counts[own] * share
            if (number := float(image.sum())) >= max(LEAST_COUNTS, LEAST_SHARE * total):
                log_density = np.log10(number / image.size / (pixel_nm / NM_PER_UM) ** 2)
                clustering = [_clustering(image, scale) for scale in SCALES_PX]
                means = [float((values[own] * image).sum() / number) for values in (entropy, uncertainty)]
                features[part][index] = log_density, *clustering, *means
    features[WHOLE + 1 :, ..., FEATURES.index("log_uncertainty")] = np.nan  # that of the whole
    names = [*PLACE, "part", *FEATURES]
    if appearance is not None:
        looks = _looks(points, probabilities, appearance, rows, columns, side_px)
        features = np.concatenate([features, looks], -1)
        names += appearance_columns(appearance.shape[1])
    described = [
        (*place, part, *_averaged(own, index, surroundings))
        for index, place in places.items()
        for part, own in enumerate(features)
        if np.isfinite(own[index][0])
    ]
    return pd.DataFrame(described, columns=names, dtype=np.float64).astype({"part": int})


def structures_in(regions: pd.DataFrame) -> np.ndarray:
    """Number of structures that are described in the region of each row; of each region, the whole is first."""
    region = (regions["part"] == WHOLE).cumsum()
    return regions.groupby(region)["part"].transform("size").to_numpy(dtype=int) - 1


def _looks(
    points: Points,
    probabilities: np.ndarray,
    appearance: np.ndarray,
    rows: list[int],
    columns: list[int],
    side_px: int,
) -> np.ndarray:
    """Mean appearance of regions that start at these rows and columns, shape (parts, rows, columns, axes)."""
    row, column = np.divmod(points.pixel(), points.shape[1])
    looks = np.zeros((1 + probabilities.shape[1], len(rows), len(columns), appearance.shape[1]))
    for i, first in enumerate(rows):
        band = np.flatnonzero((row >= first) & (row < first + side_px))
        for j, left in enumerate(columns):
            here = band[(column[band] >= left) & (column[band] < left + side_px)]
            shares = np.column_stack([np.ones(len(here)), probabilities[here]])
            if points.weight is not None:
                shares *= points.weight[here, None]
            looks[:, i, j] = shares.T @ appearance[here] / np.maximum(shares.sum(0), 1e-9)[:, None]
    return looks


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of probabilities along the first axis, as a fraction of the most there can be."""
    entropy = np.zeros(probabilities.shape[1:], dtype=np.float32)
    for each in probabilities:  # one by one, as of large fields together they are gigabytes
        entropy -= each * np.log(np.maximum(each, 1e-9))
    return entropy / np.log(len(probabilities))


def _log_uncertainty(points: Points) -> np.ndarray:
    """Logarithm of each uncertainty, of those unknown the mean of the others."""
    known = points.uncertainty_is_known
    logs = np.log10(np.where(known, points.uncertainty_nm, 1))
    return np.where(known, logs, logs[known].mean())


def _averaged(features: np.ndarray, index: tuple[int, ...], side: int) -> np.ndarray:
    """Mean of the features in the square of `side` regions around one."""
    square = features[_square(index, features.shape, side)]
    return square[np.isfinite(square[..., 0])].mean(0)


def fields_around(regions: pd.DataFrame, across: int, shape: Sequence[int]) -> list[np.ndarray]:
    """Of each region, the numbers of the regions, of those given, in the square of so many a side around it.

    Parameters
    ----------
    regions : pandas.DataFrame
        Columns `PLACE` of the regions of an image that are described.
    across : int
        Regions on a side of the square.
    shape : sequence of int
        Rows and columns of regions that the image has.
    """
    # the last, which may overlap the one before, begins where another would not fit
    places = np.round(regions[["y_nm", "x_nm"]].div(regions["side_nm"], axis=0).to_numpy(), 6)
    index = np.ceil(places).astype(int)
    numbers = np.full(shape, -1)
    numbers[tuple(index.T)] = np.arange(len(regions))
    squares = [numbers[_square(place, shape, across)] for place in index]
    return [square[square >= 0] for square in squares]


def _square(index: Sequence[int], shape: Sequence[int], side: int) -> tuple[slice, ...]:
    """The square of `side` regions around one, moved into the image."""
    starts = [max(0, min(k - (side - 1) // 2, length - side)) for k, length in zip(index, shape, strict=False)]
    return tuple(slice(start, start + side) for start in starts)


def _starts(length: int, side_px: int) -> list[int]:
    """Where regions start so that they cover a length; none if it is shorter than one."""
    starts = list(range(0, length - side_px + 1, side_px))
    if starts and starts[-1] + side_px < length:
        starts.append(length - side_px)
    return starts


def _clustering(counts: np.ndarray, scale: int) -> float:
    """Logarithm of variance over mean of the counts of squares of `scale` pixels; 0 if they lie at random."""
    rows, columns = (length // scale * scale for length in counts.shape)
    squares = counts[:rows, :columns].reshape(rows // scale, scale, columns // scale, scale).sum((1, 3))
    return float(np.log10(max(squares.var() / max(squares.mean(), 1e-9), 1e-3)))
