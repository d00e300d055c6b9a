"""Rendering: localizations to counts per pixel.

A two-dimensional histogram by one `np.bincount` over the flat pixel index, the fastest of the ways compared
in `benchmarks/render.py`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lusco.errors import Fault, InputError
from lusco.table import Localizations

MAX_PIXELS = 2**29  # 512 megapixels, 2 GB as float32
NO_TRACE = -1
MOSTLY = 0.9  # of an acquisition's localizations: with an uncertainty for so many, its precision is known
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


@dataclass(frozen=True)
class Points:
    """Localizations over the pixels of an image.

    Parameters
    ----------
    x_nm, y_nm : numpy.ndarray
        Coordinates, shape (n,), in nm.
    weight : numpy.ndarray or None
        Counts of each, where they are pixels of an image; None counts each once.
    origin_nm : tuple of float
        x and y of the corner of the first pixel, in nm.
    pixel_nm : float
        Pixel size in nm.
    shape : tuple of int
        Rows and columns.
    frame, uncertainty_nm : numpy.ndarray or None
        When each was measured and how precisely, shape (n,), where that is asked for and known.
    trace : numpy.ndarray or None
        Number of the trace of each, `NO_TRACE` where it has none, shape (n,), where that is asked for and known.
    """

    x_nm: np.ndarray
    y_nm: np.ndarray
    weight: np.ndarray | None
    origin_nm: tuple[float, float]
    pixel_nm: float
    shape: tuple[int, int]
    frame: np.ndarray | None = None
    uncertainty_nm: np.ndarray | None = None
    trace: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x_nm)

    def pixel(self, shift_px: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """Flat index of the pixel of each, as `pixel_index`, if pixels begin later along x and y by a part of one.

        What then lies before the first pixel belongs to it.
        """
        x0, y0 = (start + shift * self.pixel_nm for start, shift in zip(self.origin_nm, shift_px, strict=True))
        index = np.empty(len(self), dtype=np.int64)
        for start in range(0, len(self), _BLOCK):
            block = slice(start, start + _BLOCK)
            index[block] = pixel_index(self.x_nm[block], self.y_nm[block], (x0, y0), self.pixel_nm, self.shape)
        return index

    @property
    def of_image(self) -> bool:
        """Whether these are the pixels of an image, with counts, and not localizations."""
        return self.weight is not None

    def subset(self, which: np.ndarray) -> "Points":
        """Those of them that a boolean array of shape (n,) names."""
        names = ("x_nm", "y_nm", "weight", "frame", "uncertainty_nm", "trace")
        own = {name: getattr(self, name) for name in names}
        return replace(self, **{name: values[which] for name, values in own.items() if values is not None})

    @property
    def uncertainty_is_known(self) -> np.ndarray:
        """Whether each has an uncertainty that is one, finite and more than 0, shape (n,)."""
        if self.uncertainty_nm is None:
            return np.zeros(len(self), dtype=bool)
        return np.isfinite(self.uncertainty_nm) & (self.uncertainty_nm > 0)

    @property
    def precision_is_known(self) -> bool:
        """Whether nearly all have an uncertainty; some fits fail to give one."""
        return len(self) > 0 and bool(self.uncertainty_is_known.mean() >= MOSTLY)

    def finer(self, parts: int) -> "Points":
        """The same over pixels with sides of so many times less."""
        rows, columns = self.shape
        return replace(self, pixel_nm=self.pixel_nm / parts, shape=(rows * parts, columns * parts))

    def counts(self, pixel: np.ndarray) -> np.ndarray:
        """Counts per pixel, shape (rows, columns), float32, from indices that `pixel` gave."""
        counts = np.bincount(pixel, self.weight, minlength=self.shape[0] * self.shape[1])
        return counts.reshape(self.shape).astype(np.float32)


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
    points = Points(x_nm, y_nm, weights, (field_nm[0], field_nm[2]), pixel_nm, shape)
    return points.counts(points.pixel())


def points_of(acquisition: Localizations, pixel_nm: float) -> Points:
    """An acquisition over the pixels of its field of view.

    Raises
    ------
    InputError
        If the image would be absurdly large.
    """
    table, (x0, _, y0, _) = acquisition.table, acquisition.field_nm
    weight = table["weight"].to_numpy() if acquisition.is_image else None
    shape = shape_px(acquisition.field_nm, pixel_nm, acquisition.source.get("acquisition", ""))
    x_nm, y_nm, frame, uncertainty_nm = (table[name].to_numpy() for name in ("x_nm", "y_nm", "frame", "uncertainty_nm"))
    trace = table["trace"].to_numpy() if "trace" in table else None
    return Points(x_nm, y_nm, weight, (x0, y0), pixel_nm, shape, frame, uncertainty_nm, trace)


def by_whole_pixels(name: str) -> Fault:
    """That an image of this name cannot be shown to a model that sees positions within pixels."""
    what = "it is an image, and the model needs to see where in a pixel a localization lies"
    return Fault(name, what, "give the localizations, or use a model that was trained with `subpixels: 1`")


def check_pixels_fit(acquisition: Localizations, pixel_nm: float, file: str | Path = "") -> None:
    """Check that whole pixels of an acquisition that is an image make up pixels of another size.

    Raises
    ------
    InputError
        If they do not, so that rendering would leave a pattern.
    """
    if not acquisition.is_image:
        return
    own_nm = float(acquisition.source["pixel_nm"])
    ratio = pixel_nm / own_nm
    if abs(ratio - round(ratio)) > 1e-3 or round(ratio) < 1:
        what = f"the image has pixels of {own_nm:g} nm, which do not fit into pixels of {pixel_nm:g} nm"
        mend = f"set `pixel_nm` to a whole multiple of {own_nm:g}, with a model of that pixel size"
        raise InputError(Fault(file or acquisition.source["acquisition"], what, mend))


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
    points = points_of(acquisition, pixel_nm)
    return points.counts(points.pixel())
