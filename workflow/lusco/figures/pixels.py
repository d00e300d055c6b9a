"""Counts per pixel to what is seen: brightness, additive colours, scale bars."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from scipy.ndimage import gaussian_filter

from lusco.colours import ON_BLACK
from lusco.figures.style import shown

GAMMA = 0.6  # lifts single localizations out of the black
SMOOTHING_NM = 12.0  # standard deviation, about one localization precision; only for the eye
MOST_PX = 700  # larger images are binned, since a panel has no more pixels than that
BRIGHTEST = 0.995  # this quantile of the filled pixels is shown at full brightness where no scale is given


def binned(counts: np.ndarray, pixel_nm: float) -> tuple[np.ndarray, float]:
    """`summed` to what a panel of a figure can show."""
    return summed(counts, pixel_nm, MOST_PX)


def summed(counts: np.ndarray, pixel_nm: float, most_px: int) -> tuple[np.ndarray, float]:
    """Sum blocks of pixels so that no side of (..., H, W) is above `most_px`; no count is lost.

    Returns
    -------
    numpy.ndarray, float
        Shape (..., H', W'), and the new pixel size in nm.
    """
    factor = -(-max(counts.shape[-2:]) // most_px)
    if factor <= 1:
        return counts, pixel_nm
    rows, columns = (-(-length // factor) for length in counts.shape[-2:])
    missing = [(0, 0)] * (counts.ndim - 2)
    missing += [(0, rows * factor - counts.shape[-2]), (0, columns * factor - counts.shape[-1])]
    blocks = np.pad(counts, missing).reshape(*counts.shape[:-2], rows, factor, columns, factor)
    return blocks.sum(axis=(-3, -1)), pixel_nm * factor


def full_brightness(counts: np.ndarray, pixel_nm: float) -> float:
    """Smoothed counts per pixel that are shown at full brightness: the `BRIGHTEST` quantile of filled pixels."""
    seen = smoothed(counts, pixel_nm)
    filled = seen[seen > 1e-3 * seen.max(initial=0.0)]
    return float(np.quantile(filled, BRIGHTEST)) if filled.size else 1.0


def grey(counts: np.ndarray, pixel_nm: float, full: float) -> np.ndarray:
    """Image (H, W, 3) in [0, 1] of counts (H, W): white at `full` counts per pixel."""
    return tinted(counts, pixel_nm, full, "white")


def tinted(counts: np.ndarray, pixel_nm: float, full: float, colour: str) -> np.ndarray:
    """Image (H, W, 3) in [0, 1] of counts (H, W) in one colour."""
    brightness = np.clip(smoothed(counts, pixel_nm) / full, 0, 1) ** GAMMA
    return brightness[..., None] * np.asarray(to_rgb(colour))


def merged(channels: np.ndarray, pixel_nm: float, fulls: Sequence[float]) -> np.ndarray:
    """Image (H, W, 3) in [0, 1] of channels (C, H, W), each in the colour of its structure, added."""
    layers = [
        tinted(counts, pixel_nm, full, ON_BLACK[index % len(ON_BLACK)])
        for index, (counts, full) in enumerate(zip(channels, fulls, strict=True))
    ]
    return np.clip(np.sum(layers, axis=0), 0, 1)


def show(axes: Axes, image: np.ndarray, pixel_nm: float, bar: bool = False) -> None:
    """Draw an image (H, W, 3) without ticks, with a scale bar in um if asked."""
    axes.imshow(image, interpolation="nearest")
    axes.autoscale(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if bar:
        _scale_bar(axes, image.shape[:2], pixel_nm)


def colour_key(figure: Figure, structures: Sequence[str]) -> None:
    """Name the colour of each structure above the images."""
    handles = [
        Patch(facecolor=ON_BLACK[index % len(ON_BLACK)], edgecolor="#333333", linewidth=0.6, label=shown(name))
        for index, name in enumerate(structures)
    ]
    columns = max(2, min(len(handles), 132 // (max(len(name) for name in structures) + 7)))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=9)


def smoothed(counts: np.ndarray, pixel_nm: float) -> np.ndarray:
    """Counts (H, W) blurred by `SMOOTHING_NM`, for the eye."""
    return gaussian_filter(np.asarray(counts, dtype=np.float32), SMOOTHING_NM / pixel_nm)


def _scale_bar(axes: Axes, shape: tuple[int, int], pixel_nm: float) -> None:
    """The longest of 1, 2, 5 x 10^k um that fits a third of the width, at the lower left."""
    third_um = shape[1] * pixel_nm / 3000
    power = 10.0 ** np.floor(np.log10(third_um))
    length_um = power * max(step for step in (1, 2, 5) if step * power <= third_um)
    x, y = 0.05 * shape[1], 0.94 * shape[0]
    outline = [withStroke(linewidth=3, foreground="black")]
    end = x + length_um * 1000 / pixel_nm
    axes.plot([x, end], [y, y], color="white", linewidth=2.5, solid_capstyle="butt", path_effects=outline)
    text = f"{length_um:g} µm" if length_um >= 0.1 else f"{1000 * length_um:g} nm"
    axes.text((x + end) / 2, y - 0.02 * shape[0], text, color="white", ha="center", va="bottom", fontsize=8).set(
        path_effects=outline
    )
