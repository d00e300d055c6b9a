"""Images for the report's viewer: JavaScript files, which a page embeds or loads from beside it.

A script may be loaded where a page was opened from a disk, which browsers forbid for every other kind of data. Layers
are PNG images of 8 bits: square roots of counts, so that single localizations are still told apart, and probabilities
in whole percent.
"""

import base64
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import distance_transform_cdt

from lusco.figures.pixels import SMOOTHING_NM, full_brightness, smoothed, summed
from lusco.files import atomic

MOST_PX = 1500  # larger images are binned for the viewer; the files beside the report have every pixel
CODES = 255
PERCENT = 100
REACH = 4  # standard deviations that a smoothed localization lights up


def described(
    key: str,
    counts: np.ndarray,
    channels: np.ndarray,
    truth: np.ndarray | None,
    chances: Iterable[np.ndarray],
    structures: Sequence[str],
    pixel_nm: float,
    regions: pd.DataFrame,
) -> Mapping[str, Any]:
    """An image as the viewer takes it.

    Parameters
    ----------
    key : str
        By which the page asks for it.
    counts : numpy.ndarray
        What was measured, shape (rows, columns).
    channels, truth : numpy.ndarray
        Counts of each structure, recoloured and true (None where unknown), shape (structures, rows, columns).
    chances : iterable of numpy.ndarray
        For each structure the probability of each pixel's localizations, 0 where there are none, shape (rows, columns);
        taken one by one, as together they are as large as the channels.
    structures : sequence of str
        Names of the channels.
    pixel_nm : float
        Pixel size in nm.
    regions : pandas.DataFrame
        Columns x_nm, y_nm (from the first corner of the image), side_nm, novelty, unfamiliar, differs_by (or NaN).

    Returns
    -------
    mapping
        Only what JSON holds.
    """
    certainty, chances = _certainty(chances, counts, pixel_nm)
    counts, shown_nm = summed(counts, pixel_nm, MOST_PX)
    channels, _ = summed(channels, pixel_nm, MOST_PX)
    fulls = [full_brightness(channel, shown_nm) for channel in channels]

    def layers(images: np.ndarray) -> list[dict[str, Any]]:
        return [_layer(one, shown_nm, full) for one, full in zip(images, fulls, strict=True)]

    return {
        "key": key,
        "pixel_nm": shown_nm,
        "measured_nm": pixel_nm,
        "rows": counts.shape[0],
        "columns": counts.shape[1],
        "structures": list(structures),
        "measured": [_layer(counts, shown_nm, full_brightness(counts, shown_nm))],
        "recoloured": layers(channels),
        "truth": None if truth is None else layers(summed(truth, pixel_nm, MOST_PX)[0]),
        # the highest of the probabilities, unless those are means of a block
        "certainty": None if shown_nm == pixel_nm else _png(np.round(PERCENT * certainty)),
        "chances": [_png(np.round(PERCENT * one)) for one in chances],
        "regions": regions[["x_nm", "y_nm", "side_nm", "novelty", "unfamiliar", "differs_by"]]
        .astype({"differs_by": object})  # numbers, where a table has none
        .fillna({"differs_by": ""})
        .to_dict("records"),
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


def _certainty(chances: Iterable[np.ndarray], counts: np.ndarray, pixel_nm: float) -> tuple[np.ndarray, np.ndarray]:
    """Certainty and probabilities of the pixels that are shown.

    Of a block of pixels that `summed` makes one of, the highest certainty, and the mean probabilities of its counts.
    Pixels that are lit only because a neighbour is smoothed have what their nearest neighbour has.
    """
    counts = np.maximum(counts, 1e-6)  # localizations that belong to nothing are not counted, but have probabilities
    highest, means = np.zeros_like(counts), []
    for one in chances:
        np.maximum(highest, one, out=highest)
        means.append(summed(one * counts, pixel_nm, MOST_PX)[0])
    number, shown_nm = summed(counts * (highest > 0), pixel_nm, MOST_PX)
    means = np.stack(means) / np.maximum(number, 1e-9)
    factor = round(shown_nm / pixel_nm)
    if factor > 1:
        blocks = np.pad(highest, [(0, -side % factor) for side in highest.shape])
        highest = blocks.reshape(number.shape[0], factor, number.shape[1], factor).max(axis=(1, 3))
    reach = math.ceil(REACH * SMOOTHING_NM / shown_nm)
    if not highest.any():
        return highest, means
    away, (rows, columns) = distance_transform_cdt(highest == 0, "chessboard", return_indices=True)
    lit = away <= reach
    return highest[rows, columns] * lit, means[:, rows, columns] * lit


def write_images(images: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write images as `described`, atomically; the same images give the same bytes."""
    # a name may hold what would end the script that the page makes of this
    text = json.dumps(list(images), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    with atomic(out) as partial:
        partial.write_text(f"LuscoViewer.add({text});\n", encoding="utf-8")
