"""A mixed acquisition as measured and as recoloured."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from lusco.figures.pixels import binned, colour_key, full_brightness, grey, merged, show
from lusco.figures.style import Drawing, blank, cut, styled, width_in

WARNING = "#FF5A4F"  # of unfamiliar regions, on black
OTHERS = 0.7  # brightness of structures that have no colour


@styled
def mixed(
    name: str,
    composite: np.ndarray,
    channels: np.ndarray,
    structures: Sequence[str],
    pixel_nm: float,
    truth: np.ndarray | None,
    rejected: np.ndarray,
    unfamiliar: pd.DataFrame | None = None,
    foreign: np.ndarray | None = None,
) -> Drawing:
    """Draw an acquisition as measured, recoloured, true if known, its rejected localizations and unfamiliar regions.

    Parameters
    ----------
    name : str
        Of the acquisition; shown above the first image.
    composite : numpy.ndarray
        Shape (H, W), counts per pixel.
    channels : numpy.ndarray
        Shape (C, H, W), counts per pixel.
    structures : sequence of str
        Names of the C channels.
    pixel_nm : float
        Pixel size in nm.
    truth : numpy.ndarray or None
        Shape (C, H, W), counts per pixel, where the acquisition says what is what.
    rejected : numpy.ndarray
        Shape (H, W), counts per pixel of the localizations too uncertain for a colour.
    unfamiliar : pandas.DataFrame, optional
        Regions unlike what the model knows: columns x_nm, y_nm (from the first corner of the image), side_nm.
    foreign : numpy.ndarray, optional
        Shape (H, W), counts per pixel of true structures that the model does not know.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table has a row per structure and one for `rejected`: counts, fraction (of the composite's counts)
        and true_counts (NaN where unknown).
    """
    table = _table(composite, channels, structures, truth, rejected)
    (composite, shown_nm), (rejected, _) = binned(composite, pixel_nm), binned(rejected, pixel_nm)
    channels, _ = binned(channels, pixel_nm)
    fulls = [full_brightness(counts, shown_nm) for counts in channels]
    brightest = full_brightness(composite, shown_nm)
    images = {
        f"{cut(name, 24)}, as measured": grey(composite, shown_nm, brightest),
        "Recoloured": merged(channels, shown_nm, fulls),
        "Rejected as too uncertain": grey(rejected, shown_nm, brightest),
    }
    if truth is not None:
        images["True"] = merged(binned(truth, pixel_nm)[0], shown_nm, fulls)
        if foreign is not None and foreign.any():
            others = grey(binned(foreign, pixel_nm)[0], shown_nm, brightest)
            images["True (grey: unknown to the model)"] = np.clip(images.pop("True") + OTHERS * others, 0, 1)
    columns = 2 if len(images) == 4 else 3
    rows = -(-len(images) // columns)
    side = width_in() / columns
    figure = blank(
        width_in(), min(side * composite.shape[0] / composite.shape[1], 1.5 * side) * rows + 0.5 + 0.25 * rows
    )
    colour_key(figure, structures)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, image) in zip(grid, images.items(), strict=True):
        show(axes, image, shown_nm, bar=axes is grid[0])
        axes.set_title(title)
    for region in () if unfamiliar is None else unfamiliar.itertuples():
        # image pixels have their centres at whole numbers
        corner = (region.x_nm / shown_nm - 0.5, region.y_nm / shown_nm - 0.5)
        side = region.side_nm / shown_nm
        grid[1].add_patch(Rectangle(corner, side, side, fill=False, edgecolor=WARNING, linewidth=1, linestyle="--"))
    return figure, table


def _table(
    composite: np.ndarray,
    channels: np.ndarray,
    structures: Sequence[str],
    truth: np.ndarray | None,
    rejected: np.ndarray,
) -> pd.DataFrame:
    counts = [*channels.sum(axis=(1, 2), dtype=np.float64), rejected.sum(dtype=np.float64)]
    true = [np.nan] * len(structures) if truth is None else list(truth.sum(axis=(1, 2), dtype=np.float64))
    table = pd.DataFrame({"structure": [*structures, "rejected"], "counts": counts, "true_counts": [*true, np.nan]})
    table.insert(2, "fraction", table["counts"] / max(composite.sum(dtype=np.float64), 1e-12))
    return table
