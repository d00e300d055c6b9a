"""Images for the report's viewer: JavaScript files, which a page embeds or loads from beside it.

A script may be loaded where a page was opened from a disk, which browsers forbid for every other kind of data. Layers
are PNG images of 8 bits, the square roots of counts, so that single localizations are still told apart.
"""

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import maximum_filter

from lusco.figures.pixels import SMOOTHING_NM, full_brightness, smoothed, summed
from lusco.files import atomic

MOST_PX = 1500  # larger images are binned for the viewer; the files beside the report have every pixel
CODES = 255
REACH = 4  # standard deviations that a smoothed localization lights up


def described(
    key: str,
    counts: np.ndarray,
    channels: np.ndarray,
    truth: np.ndarray | None,
    certainty: np.ndarray,
    structures: Sequence[str],
    pixel_nm: float,
    regions: pd.DataFrame,
) -> Mapping[str, Any]:
    """An image as the viewer takes it.

    Parameters
    ----------
    key : str
        By which the page asks for it.
    counts, certainty : numpy.ndarray
        What was measured, and the highest probability of each pixel's localizations (0 where there are none), shape
        (rows, columns).
    channels, truth : numpy.ndarray
        Counts of each structure, recoloured and true (None where unknown), shape (structures, rows, columns).
    structures : sequence of str
        Names of the channels.
    pixel_nm : float
        Pixel size in nm.
    regions : pandas.DataFrame
        Columns x_nm, y_nm (from the first corner of the image), side_nm, novelty, unfamiliar.

    Returns
    -------
    mapping
        Only what JSON holds.
    """
    counts, shown_nm = summed(counts, pixel_nm, MOST_PX)
    channels, _ = summed(channels, pixel_nm, MOST_PX)
    fulls = [full_brightness(channel, shown_nm) for channel in channels]

    def layers(images: np.ndarray) -> list[dict[str, Any]]:
        return [_layer(one, shown_nm, full) for one, full in zip(images, fulls, strict=True)]

    return {
        "key": key,
        "pixel_nm": shown_nm,
        "rows": counts.shape[0],
        "columns": counts.shape[1],
        "structures": list(structures),
        "measured": [_layer(counts, shown_nm, full_brightness(counts, shown_nm))],
        "recoloured": layers(channels),
        "truth": None if truth is None else layers(summed(truth, pixel_nm, MOST_PX)[0]),
        "certainty": _png(np.round(CODES * _spread(_highest(certainty, round(shown_nm / pixel_nm)), shown_nm))),
        "regions": regions[["x_nm", "y_nm", "side_nm", "novelty", "unfamiliar"]].to_dict("records"),
    }


def _layer(counts: np.ndarray, pixel_nm: float, full: float) -> dict[str, Any]:
    """Counts as a PNG: code v stands for peak x (v / 255)^2 counts; `full` of them are shown at full brightness."""
    seen = np.maximum(smoothed(counts, pixel_nm), 0)
    peak = float(seen.max(initial=0.0)) or 1.0
    return {"png": _png(np.round(CODES * np.sqrt(seen / peak))), "peak": peak, "full": full}


def _png(codes: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(codes.astype(np.uint8)).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _highest(values: np.ndarray, factor: int) -> np.ndarray:
    """The highest value of each block of pixels that `summed` makes one of."""
    blocks = np.pad(values, [(0, -side % factor) for side in values.shape])
    return blocks.reshape(blocks.shape[0] // factor, factor, -1, factor).max(axis=(1, 3))


def _spread(certainty: np.ndarray, pixel_nm: float) -> np.ndarray:
    """Certainty also of pixels that are lit only because a neighbour is smoothed: the highest nearby."""
    reach = math.ceil(REACH * SMOOTHING_NM / pixel_nm)
    return np.where(certainty > 0, certainty, maximum_filter(certainty, 2 * reach + 1, mode="constant"))


def write_images(images: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write images as `described`, atomically; the same images give the same bytes."""
    # a name may hold what would end the script that the page makes of this
    text = json.dumps(list(images), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    with atomic(out) as partial:
        partial.write_text(f"LuscoViewer.add({text});\n", encoding="utf-8")
