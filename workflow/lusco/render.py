"""Rendering: localizations to counts per pixel.

A two-dimensional histogram by one `np.bincount` over the flat pixel index, the fastest of the ways compared
in `benchmarks/render.py`.
"""

from pathlib import Path

import numpy as np

from lusco.errors import Fault, InputError
from lusco.table import Localizations

MAX_PIXELS = 2**29  # 512 megapixels, 2 GB as float32
_BLOCK = 1 << 16  # localizations per block, so that temporaries stay in the processor's cache


def shape_px(field_nm: tuple[float, float, float, float], pixel_nm: float, file: str | Path = "") -> tuple[int, int]:
    """Rows and columns of the image of a field; a last partial pixel counts as one.

    Parameters
    ----------
    field_nm : tuple of float
        x0, x1, y0, y1 in nm.
    pixel_nm : float
        Pixel size in nm.
    file : str or Path
        Named in the error.

    Raises
    ------
    InputError
        If the image would have more than `MAX_PIXELS` pixels.
    """
    x0, x1, y0, y1 = field_nm
    # 1e-6 of a pixel of slack: a field of exactly n pixels must not become n + 1 by rounding
    rows, columns = (max(1, int(np.ceil(length / pixel_nm - 1e-6))) for length in (y1 - y0, x1 - x0))
    if rows * columns > MAX_PIXELS:
        raise InputError(
            Fault(
                file,
                f"a field of {(x1 - x0) / 1e3:.6g} x {(y1 - y0) / 1e3:.6g} um at {pixel_nm:g} nm per pixel"
                f" would be an image of {columns} x {rows} pixels",
                "check the unit of the coordinates, choose a larger `pixel_nm`, or cut with `region_nm`",
            )
        )
    return rows, columns


def pixel_index(
    x_nm: np.ndarray,
    y_nm: np.ndarray,
    origin_nm: tuple[float, float],
    pixel_nm: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """Flat index of the pixel of each localization; the field's far edges belong to the last pixel.

    Parameters
    ----------
    x_nm, y_nm : numpy.ndarray
        Coordinates, shape (n,), in nm.
    origin_nm : tuple of float
        x and y of the corner of the first pixel, in nm.
    pixel_nm : float
        Pixel size in nm.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    numpy.ndarray
        Shape (n,), int64, row * columns + column.
    """
    scale = 1.0 / pixel_nm
    column = ((x_nm - origin_nm[0]) * scale).astype(np.int64)
    row = ((y_nm - origin_nm[1]) * scale).astype(np.int64)
    np.clip(column, 0, shape[1] - 1, out=column)
    np.clip(row, 0, shape[0] - 1, out=row)
    row *= shape[1]
    row += column
    return row


def render_points(
    x_nm: np.ndarray,
    y_nm: np.ndarray,
    field_nm: tuple[float, float, float, float],
    pixel_nm: float,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Count localizations (or sum weights) per pixel; every localization is counted once.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), float32.

    Raises
    ------
    InputError
        If the image would be absurdly large.
    """
    shape = shape_px(field_nm, pixel_nm)
    index = np.empty(len(x_nm), dtype=np.int64)
    for start in range(0, len(x_nm), _BLOCK):
        block = slice(start, start + _BLOCK)
        index[block] = pixel_index(x_nm[block], y_nm[block], (field_nm[0], field_nm[2]), pixel_nm, shape)
    counts = np.bincount(index, weights, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(np.float32)


def render(acquisition: Localizations, pixel_nm: float) -> np.ndarray:
    """Render an acquisition over its field of view.

    Parameters
    ----------
    acquisition : Localizations
        The acquisition.
    pixel_nm : float
        Pixel size in nm.

    Returns
    -------
    numpy.ndarray
        Counts per pixel, shape (rows, columns), float32.
    """
    table = acquisition.table
    weights = table["weight"].to_numpy() if acquisition.is_image else None
    return render_points(table["x_nm"].to_numpy(), table["y_nm"].to_numpy(), acquisition.field_nm, pixel_nm, weights)
