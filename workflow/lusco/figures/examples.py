"""Composites, recoloured and true, for the eye."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lusco.colours import ON_BLACK
from lusco.figures.pixels import colour_key, full_brightness, grey, merged, show, tinted
from lusco.figures.style import TALLEST_IN, Drawing, blank, fitted_in, shown, styled, width_in


@styled
def examples(
    examples: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
    structures: Sequence[str],
    pixel_nm: float,
    scales: Mapping[str, float],
) -> Drawing:
    """Draw a row per composite: as measured, recoloured, true, and what was given to the wrong structure.

    Parameters
    ----------
    examples : sequence of tuple
        (label, composite (H, W), prediction (C, H, W), truth (C, H, W)), all in counts per pixel.
    structures : sequence of str
        Names of the C channels.
    pixel_nm : float
        Pixel size in nm.
    scales : mapping of str to float
        Smoothed counts per pixel at which each structure is shown at full brightness, if any is that dense here.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table is that of `balance` for each example, with its label in the column `example`.
    """
    fulls = _lifted([scales[name] for name in structures], [truth for *_, truth in examples], pixel_nm)
    titles = ("Composite", "Recoloured", "True", "Given to the wrong structure")
    figure = blank(width_in(), 3.05 * len(examples) + 0.4)
    colour_key(figure, structures)
    grid = figure.subplots(len(examples), len(titles), squeeze=False)
    tables = []
    for row, (label, composite, prediction, truth) in zip(grid, examples, strict=True):
        table = balance(prediction, truth, structures)
        images = (
            grey(composite, pixel_nm, max(fulls)),
            merged(prediction, pixel_nm, fulls),
            merged(truth, pixel_nm, fulls),
            merged(np.maximum(prediction - truth, 0), pixel_nm, fulls),
        )
        for axes, image in zip(row, images, strict=True):
            show(axes, image, pixel_nm, bar=axes is row[0])
        row[0].set_ylabel(shown(label, 26), fontsize=9)
        row[3].set_xlabel(f"{100 * given_wrong(prediction, truth):.1f} % of the counts")
        tables.append(table.assign(example=label))
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title)
    return figure, pd.concat(tables, ignore_index=True)[["example", *tables[0].columns.drop("example")]]


@styled
def channels(
    name: str,
    prediction: np.ndarray,
    truth: np.ndarray,
    structures: Sequence[str],
    pixel_nm: float,
    scales: Mapping[str, float],
) -> Drawing:
    """Draw each channel of one composite, recoloured above true.

    Parameters
    ----------
    name : str
        Of the composite; shown as title.
    prediction, truth : numpy.ndarray
        Shape (C, H, W), counts per pixel.
    structures : sequence of str
        Names of the C channels.
    pixel_nm : float
        Pixel size in nm.
    scales : mapping of str to float
        Smoothed counts per pixel at which each structure is shown at full brightness, if any is that dense here.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table is that of `balance`.
    """
    table = balance(prediction, truth, structures)
    columns = len(structures) if len(structures) <= 4 else -(-len(structures) // 2)
    blocks = -(-len(structures) // columns)
    side = min(3.4, (width_in() - 0.3) / columns, (TALLEST_IN - 0.3) / blocks / 2 - 0.3)
    figure = blank(fitted_in(side * columns + 0.3), (2 * side + 0.6) * blocks + 0.3)
    figure.suptitle(shown(name), fontsize=10)
    grid = figure.subplots(2 * blocks, columns, squeeze=False)
    fulls = _lifted([scales[structure] for structure in structures], [truth], pixel_nm)
    for axes in grid.ravel():
        axes.set_visible(False)
    for index, structure in enumerate(structures):
        block, column = divmod(index, columns)
        colour, full = ON_BLACK[index % len(ON_BLACK)], fulls[index]
        upper, lower = grid[2 * block, column], grid[2 * block + 1, column]
        for axes, counts in ((upper, prediction[index]), (lower, truth[index])):
            axes.set_visible(True)
            show(axes, tinted(counts, pixel_nm, full, colour), pixel_nm, bar=index == 0 and axes is upper)
        row = table.iloc[index]
        upper.set_title(shown(structure, 28))
        upper.set_xlabel(f"{_part(row.matched, row.truth)} found, {_part(row.excess, row.predicted)} foreign")
        if column == 0:
            upper.set_ylabel("recoloured")
            lower.set_ylabel("true")
    return figure, table


def balance(prediction: np.ndarray, truth: np.ndarray, structures: Sequence[str]) -> pd.DataFrame:
    """Counts of each channel of (C, H, W) images that are right, in excess and missing, pixel by pixel.

    Returns
    -------
    pandas.DataFrame
        Columns structure, truth, predicted, matched (sum over pixels of the lesser of both), excess (predicted
        but not matched, that is given to the wrong structure), missing (true but not matched); all in counts.
    """
    matched = np.minimum(prediction, truth).sum(axis=(1, 2), dtype=np.float64)
    predicted = prediction.sum(axis=(1, 2), dtype=np.float64)
    true = truth.sum(axis=(1, 2), dtype=np.float64)
    columns = {"structure": list(structures), "truth": true, "predicted": predicted, "matched": matched}
    return pd.DataFrame({**columns, "excess": predicted - matched, "missing": true - matched})


def given_wrong(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Part of the counts of (C, H, W) images that is given to the wrong structure; 0 without counts."""
    excess = np.maximum(np.asarray(prediction, dtype=np.float64) - truth, 0).sum()
    return float(excess / max(prediction.sum(dtype=np.float64), 1e-12))


def _lifted(fulls: Sequence[float], truths: Sequence[np.ndarray], pixel_nm: float) -> list[float]:
    """Counts at full brightness, all lessened by the same factor until the brightest structure shown reaches it."""
    parts = [
        full_brightness(channel, pixel_nm) / full
        for truth in truths
        for channel, full in zip(truth, fulls, strict=True)
        if channel.any()
    ]
    return [full * min(1.0, max(parts, default=1.0)) for full in fulls]


def _part(counts: float, whole: float) -> str:
    return f"{100 * counts / whole:.0f} %" if whole > 0 else "\N{EN DASH}"
