"""Whether overlap measured on recoloured images is that of the sample: mixed acquisitions whose truth is known.

Composites superpose independent structures; in a mixed acquisition they may follow or avoid each other, which the
network never saw. The same measures are taken on true and on recoloured channels, window by window.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.signal import fftconvolve

from lusco.evaluate.distances import smooth
from lusco.evaluate.overlap import overlap
from lusco.model import ModelDescription
from lusco.render import render_points
from lusco.settings import EvaluateSettings

COLUMNS = ["window", "structure_a", "structure_b", "measure", "source", "value"]
NEAR_NM = 100.0
LEAST_COUNTS = 50  # of each structure, for a window to say anything about two


def coupling(table: pd.DataFrame, model: ModelDescription, side_px: int, settings: EvaluateSettings) -> pd.DataFrame:
    """Overlap and pair correlation of true and recoloured channels of an acquisition, in windows side by side.

    Parameters
    ----------
    table : pandas.DataFrame
        A recoloured table with the column `true_structure`.
    model : ModelDescription
        The model that recoloured it.
    side_px : int
        Side of a window in pixels.
    settings : EvaluateSettings
        Smoothing and threshold of overlap.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; measures are those of `overlap`, and `pair_correlation` within `NEAR_NM`; source is `truth`
        or `model`. Localizations of no known structure are left out of both. Channels are sums of shares, as those of a
        recoloured image are.
    """
    return pd.DataFrame(_rows(table, model, side_px, settings), columns=COLUMNS)


def pair_correlation(
    a: np.ndarray, b: np.ndarray, pixel_nm: float, near_nm: float = NEAR_NM, own: float = 0.0
) -> float:
    """How much likelier counts of a and b lie within a distance than if the two were independent.

    The cross-pair correlation function (Sengupta et al. 2011; Schnitzbauer et al. 2018), averaged over distances up
    to `near_nm`; 1 for independent images. What lies outside the image counts neither way.

    Parameters
    ----------
    a, b : numpy.ndarray
        Counts, shape (rows, columns).
    pixel_nm : float
        Pixel size in nm.
    near_nm : float
        Largest distance in nm.
    own : float
        Products of counts in a and in b of one and the same localization, which is no pair.
    """
    reach = int(near_nm / pixel_nm)
    row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = (np.hypot(row, column) * pixel_nm <= near_nm).astype(np.float64)
    neighbours = fftconvolve(b, disc, mode="same")
    pixels = fftconvolve(np.ones_like(b), disc, mode="same")
    expected = a.mean() * b.mean() * pixels.sum()
    return float(((a * neighbours).sum() - own) / expected) if expected > 0 else np.nan


def _rows(
    table: pd.DataFrame, model: ModelDescription, side_px: int, settings: EvaluateSettings
) -> Iterator[tuple[str, str, str, str, str, float]]:
    table = table[table["true_structure"].isin(model.structures)]  # both sides of the same localizations
    x_nm, y_nm = table["x [nm]"].to_numpy(), table["y [nm]"].to_numpy()
    weight = table["weight"].to_numpy() if "weight" in table else np.ones(len(table))
    field_nm = (x_nm.min(), x_nm.max() + model.pixel_nm, y_nm.min(), y_nm.max() + model.pixel_nm)

    def image(part: np.ndarray) -> np.ndarray:
        return render_points(x_nm, y_nm, field_nm, model.pixel_nm, weight * part)

    shares = table[[f"p_{name}" for name in model.structures]].to_numpy() ** model.sharpness
    shares /= shares.sum(axis=1, keepdims=True)
    true = np.stack([table["true_structure"] == name for name in model.structures], axis=1).astype(float)
    sources = {"truth": np.stack(list(map(image, true.T))), "model": np.stack(list(map(image, shares.T)))}
    pairs = list(combinations(range(len(model.structures)), 2))
    divided = {(a, b): image(shares[:, a] * shares[:, b]) for a, b in pairs}  # a localization between both
    rows, columns = sources["truth"].shape[1:]
    for row in range(0, max(1, rows - side_px + 1), side_px):
        for column in range(0, max(1, columns - side_px + 1), side_px):
            window = (slice(row, row + side_px), slice(column, column + side_px))
            for source, images in sources.items():
                enough = sources["truth"][:, *window].sum((1, 2)) >= LEAST_COUNTS
                for a, b in combinations(np.flatnonzero(enough), 2):
                    pair = (model.structures[a], model.structures[b])
                    own = float(divided[a, b][window].sum()) if source == "model" else 0.0
                    for measure, value in _measures(images[:, *window], a, b, own, model, settings):
                        yield f"{row}_{column}", *pair, measure, source, value


def _measures(
    images: np.ndarray, a: int, b: int, own: float, model: ModelDescription, settings: EvaluateSettings
) -> Iterator[tuple[str, float]]:
    scaled = [smooth(images[k], settings.smoothing_nm, model.pixel_nm) / model.scale_counts[k] for k in (a, b)]
    yield from overlap(*scaled, settings.overlap_threshold).items()
    yield "pair_correlation", pair_correlation(images[a], images[b], model.pixel_nm, own=own)
