"""Cutting pieces out of acquisitions: windows under exact rotation and flips, and random thinning.

Everything happens to localizations, so a rotation by any angle is exact. An acquisition that is an image
is only turned by right angles on its own pixel grid, which is exact too.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lusco.render import check_pixels_fit, pixel_index
from lusco.table import Localizations


@dataclass(frozen=True)
class Field:
    """An acquisition prepared for cutting: its localizations sorted by y.

    Parameters
    ----------
    name, structure : str
        Acquisition and its structure.
    field_nm : tuple of float
        x0, x1, y0, y1 in nm.
    x_nm, y_nm : numpy.ndarray
        Coordinates, shape (n,), y ascending.
    row : numpy.ndarray
        Row of each in the acquisition's table, shape (n,).
    weight : numpy.ndarray or None
        Counts per row, where the acquisition is an image.
    pixel_nm : float or None
        Pixel size of the image, where the acquisition is one.
    kept : float
        Fraction of the acquisition's localizations that these are.
    thinned : tuple of Field
        The same acquisition with ever fewer localizations, where it was thinned before.
    """

    name: str
    structure: str
    field_nm: tuple[float, float, float, float]
    x_nm: np.ndarray
    y_nm: np.ndarray
    row: np.ndarray
    weight: np.ndarray | None = None
    pixel_nm: float | None = None
    kept: float = 1.0
    thinned: tuple["Field", ...] = ()

    def nearest(self, keep: float) -> "Field":
        """Of this and its thinned versions, the one with the fewest localizations that has a fraction `keep` of all."""
        return min((field for field in (self, *self.thinned) if field.kept >= keep), key=lambda field: field.kept)


@dataclass(frozen=True)
class Piece:
    """Localizations of one structure in a square crop whose first corner is the origin.

    Parameters
    ----------
    x_nm, y_nm : numpy.ndarray
        Coordinates within the crop, shape (n,), in [0, side).
    row : numpy.ndarray
        Row of each in the acquisition's table, shape (n,).
    weight : numpy.ndarray or None
        Counts per row, where the acquisition is an image.
    """

    x_nm: np.ndarray
    y_nm: np.ndarray
    row: np.ndarray
    weight: np.ndarray | None = None

    def render(self, side_px: int, pixel_nm: float) -> np.ndarray:
        """Counts per pixel, shape (side_px, side_px), float32."""
        index = pixel_index(self.x_nm, self.y_nm, (0.0, 0.0), pixel_nm, (side_px, side_px))
        counts = np.bincount(index, self.weight, minlength=side_px * side_px)
        return counts.reshape(side_px, side_px).astype(np.float32)


def prepare(acquisition: Localizations, pixel_nm: float, file: str | Path = "") -> Field:
    """Prepare an acquisition for cutting.

    Parameters
    ----------
    acquisition : Localizations
        A single-structure acquisition.
    pixel_nm : float
        Pixel size of the experiment, in nm.
    file : str or Path
        Named in the error.

    Raises
    ------
    InputError
        If the acquisition is an image whose pixels do not fit into those of the experiment.
    """
    table = acquisition.table
    order = np.argsort(table["y_nm"].to_numpy(), kind="stable")
    weight, image_pixel = None, None
    if acquisition.is_image:
        image_pixel = float(acquisition.source["pixel_nm"])
        check_pixels_fit(acquisition, pixel_nm, file)
        weight = table["weight"].to_numpy()[order]
    return Field(
        name=acquisition.source["acquisition"],
        structure=acquisition.source["structure"],
        field_nm=acquisition.field_nm,
        x_nm=table["x_nm"].to_numpy()[order],
        y_nm=table["y_nm"].to_numpy()[order],
        row=order,
        weight=weight,
        pixel_nm=image_pixel,
    )


def cut(field: Field, side_nm: float, keep: float, rng: np.random.Generator) -> Piece:
    """Cut a random square out of a field, turned and flipped at random, and thin it.

    A random localization lies in the upright square that holds the turned one, so that sparse fields mostly give pieces
    with something in them. Where the field is too small for a turned square it is turned by right angles only; where it
    is smaller than the square, the square holds all of it.

    Parameters
    ----------
    field : Field
        Where to cut.
    side_nm : float
        Side of the square in nm.
    keep : float
        Each localization of the acquisition is kept with this probability.
    rng : numpy.random.Generator
        Source of randomness.
    """
    field = field.nearest(keep)
    keep /= field.kept
    angle = _random_angle(field, side_nm, rng)
    cosine, sine = (float(np.round(value, 15)) for value in (np.cos(angle), np.sin(angle)))
    half = side_nm / 2 * (abs(cosine) + abs(sine))
    near = int(rng.integers(len(field.row))) if len(field.row) else None
    x0, x1, y0, y1 = field.field_nm
    cx = _centre(x0, x1, None if near is None else field.x_nm[near], half, rng)
    cy = _centre(y0, y1, None if near is None else field.y_nm[near], half, rng)
    if field.pixel_nm is not None:
        cx, cy = _on_grid(cx, x0, side_nm, field.pixel_nm), _on_grid(cy, y0, side_nm, field.pixel_nm)

    band = slice(*np.searchsorted(field.y_nm, [cy - half, cy + half]))
    dx, dy = field.x_nm[band] - cx, field.y_nm[band] - cy
    x = cosine * dx - sine * dy
    if rng.random() < 0.5:
        x = -x
    x += side_nm / 2
    y = sine * dx + cosine * dy + side_nm / 2
    inside = (x >= 0) & (x < side_nm) & (y >= 0) & (y < side_nm)
    weight = None
    if field.weight is None:
        if keep < 1:
            inside &= rng.random(len(x)) < keep
    else:
        weight = thin(field.weight[band][inside], keep, rng)
    return Piece(x[inside], y[inside], field.row[band][inside], weight)


def _random_angle(field: Field, side_nm: float, rng: np.random.Generator) -> float:
    angle = rng.uniform(0, 2 * np.pi)
    x0, x1, y0, y1 = field.field_nm
    needed = side_nm * (abs(np.cos(angle)) + abs(np.sin(angle)))
    if field.weight is not None or needed > min(x1 - x0, y1 - y0):
        return np.pi / 2 * int(angle / (np.pi / 2))
    return angle


def _centre(low: float, high: float, near: float | None, half: float, rng: np.random.Generator) -> float:
    """A coordinate of the square's centre so that square and field overlap as far as they can."""
    first, last = sorted((low + half, high - half))
    if near is None or high - low < 2 * half:
        return rng.uniform(first, last)
    return float(np.clip(near + rng.uniform(-half, half), first, last))


def _on_grid(centre: float, origin: float, side_nm: float, pixel_nm: float) -> float:
    corner = np.round((centre - side_nm / 2 - origin) / pixel_nm) * pixel_nm
    return float(origin + corner + side_nm / 2)


def thin(weight: np.ndarray, keep: float, rng: np.random.Generator) -> np.ndarray:
    """Thin counts binomially, each being kept with a probability; intensities that are no counts are scaled."""
    if keep == 1:
        return weight
    if np.array_equal(weight, np.round(weight)):
        return rng.binomial(weight.astype(np.int64), keep).astype(np.float32)
    return weight * np.float32(keep)
