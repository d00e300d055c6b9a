"""Overlap between structures: what the recoloured channels say against what is true."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lusco.figures.style import (
    GREY,
    INK,
    ON_WHITE,
    PALE,
    Drawing,
    blank,
    cut,
    free_corner,
    jitter,
    order,
    shown,
    styled,
    width_in,
)

MEASURES = {
    "manders_a": "Manders 1\npart of A that lies in B",
    "manders_b": "Manders 2\npart of B that lies in A",
    "iou": "Intersection over union\nof the two areas",
    "pearson": "Pearson correlation\nof the two channels",
}


@styled
def overlap(overlap: pd.DataFrame, structures: Sequence[str] | None = None) -> Drawing:
    """Overlap of each pair of channels: recoloured against true, and both distributions side by side.

    Parameters
    ----------
    overlap : pandas.DataFrame
        Columns model, composite, structure_a, structure_b, measure (manders_a, manders_b, iou or pearson),
        source (truth or model), value.
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table has a row per point: model, composite, structure_a, structure_b, measure, truth, predicted,
        and the medians of both in the group of that pair and model.
    """
    structures = order(pd.concat([overlap["structure_a"], overlap["structure_b"]]), structures)
    table = _paired(overlap)
    models = list(overlap["model"].unique())  # also one that predicts nothing, whose overlap is none
    measures = [name for name in MEASURES if name in set(overlap["measure"])]
    pairs = list(overlap[["structure_a", "structure_b"]].drop_duplicates().itertuples(index=False, name=None))
    colours = {name: ON_WHITE[index % len(ON_WHITE)] for index, name in enumerate(structures)}

    per_pair = max(0.15 * (len(models) + 1) + 0.08, 0.34)
    heights = [0.26 * width_in() * len(models), per_pair * len(pairs) + 0.9]
    figure = blank(width_in(), sum(heights))
    upper, lower = figure.subfigures(2, 1, height_ratios=heights)
    _scatters(upper, table, models, measures, colours)
    _distributions(lower, table, models, measures, pairs)
    return figure, table


def _paired(overlap: pd.DataFrame) -> pd.DataFrame:
    pair = ["structure_a", "structure_b", "measure"]
    truth = overlap[overlap["source"] == "truth"].drop_duplicates(["composite", *pair])
    predicted = overlap[overlap["source"] == "model"]
    table = predicted.merge(truth, on=["composite", *pair], suffixes=("", "_of_truth"))
    table = table.rename(columns={"value": "predicted", "value_of_truth": "truth"})
    table = table[["model", "composite", *pair, "truth", "predicted"]].dropna().reset_index(drop=True)
    medians = table.groupby(["model", *pair])[["truth", "predicted"]].transform("median")
    return table.assign(truth_median=medians["truth"], predicted_median=medians["predicted"])


def _scatters(
    figure: Figure, table: pd.DataFrame, models: list[str], measures: list[str], colours: dict[str, str]
) -> None:
    grid = figure.subplots(len(models), len(measures), squeeze=False)
    for row, model in enumerate(models):
        for column, measure in enumerate(measures):
            axes = grid[row, column]
            here = table[(table["model"] == model) & (table["measure"] == measure)]
            low, high = _range(here)
            axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")
            for (a, b), points in here.groupby(["structure_a", "structure_b"], sort=False):
                axes.plot(points["truth"], points["predicted"], **_halves(colours[a], colours[b]), alpha=0.6)
            axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="true")
            axes.set_title(MEASURES[measure], fontsize=9)
            said = {"transform": axes.transAxes, "fontsize": 7.5}
            if free_corner(here) == "upper left":
                axes.text(0.04, 0.96, _agreement(here), va="top", **said)
            else:
                axes.text(0.96, 0.04, _agreement(here), ha="right", va="bottom", **said)
            axes.grid()
        named = f"recoloured by {shown(model)}" if len(models) > 1 else "recoloured"
        grid[row, 0].set_ylabel(named)


def _halves(left: str, right: str) -> dict[str, object]:
    """Line style of a marker in the colours of both structures of a pair."""
    return {
        "linestyle": "",
        "marker": "o",
        "markersize": 4.5,
        "fillstyle": "left",
        "markerfacecolor": left,
        "markerfacecoloralt": right,
        "markeredgewidth": 0,
        "rasterized": True,
    }


def _range(table: pd.DataFrame) -> tuple[float, float]:
    """The same limits for both axes: zero and all values, with a little room."""
    values = table[["truth", "predicted"]].to_numpy().ravel()
    values = values[np.isfinite(values)]
    low, high = (min(0.0, values.min()), max(values.max(), 0.02)) if len(values) else (0.0, 1.0)
    room = 0.06 * (high - low)
    return low - room, high + room


def _agreement(points: pd.DataFrame) -> str:
    """Between what the correlation with the truth and the mean error of single pairs lie."""
    if len(points) < 2:
        return f"n = {len(points)}"
    pairs = [own[["truth", "predicted"]].to_numpy().T for _, own in points.groupby(["structure_a", "structure_b"])]
    biases = [(predicted - truth).mean() for truth, predicted in pairs]
    correlations = [np.corrcoef(pair)[0, 1] for pair in pairs if (pair.std(axis=1) > 0).all()]
    correlation = f"r = {_span(correlations, '.2f')}\n" if correlations else ""
    return f"{correlation}bias {_span(biases, '+.3f')}"


def _span(values: Sequence[float], form: str) -> str:
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def _distributions(
    figure: Figure,
    table: pd.DataFrame,
    models: list[str],
    measures: list[str],
    pairs: list[tuple[str, str]],
) -> None:
    grid = figure.subplots(1, len(measures), squeeze=False, sharey=True)[0]
    series = [("truth", models[0], GREY), *(("predicted", model, INK) for model in models)]
    place = {pair: index for index, pair in enumerate(pairs)}
    for axes, measure in zip(grid, measures, strict=True):
        for index, (source, model, colour) in enumerate(series):
            here = table[(table["measure"] == measure) & (table["model"] == model)]
            groups = here.groupby(["structure_a", "structure_b"], sort=False)[source]
            offset = (index + 0.5) / len(series) * 0.8 - 0.4
            values = {place[pair] + offset: group.to_numpy() for pair, group in groups}
            if values:  # a model that predicts next to nothing has no overlap to measure
                _boxes(axes, values, 0.8 / len(series), colour)
        axes.hlines(np.arange(1, len(pairs)) - 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=PALE, linewidth=1)
        axes.set(ylim=(len(pairs) - 0.5, -0.5), xlabel=MEASURES[measure].split("\n")[0])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.grid(axis="x")
    grid[0].set_yticks(range(len(pairs)), [f"A: {cut(a, 32)}\nB: {cut(b, 32)}" for a, b in pairs])
    handles = [Line2D([], [], color=colour, linewidth=6, alpha=0.5) for colour in (GREY, INK)]
    names = " then ".join(shown(model) for model in models) if len(models) > 1 else "recoloured"
    figure.legend(handles, ["true", names], loc="outside upper right", ncols=2)


def _boxes(axes: Axes, values: Mapping[float, np.ndarray], height: float, colour: str) -> None:
    """Draw points, quartiles and median of each group of values at its place on the vertical axis."""
    at = np.array(list(values))
    low, middle, high = np.array([np.quantile(group, [0.25, 0.5, 0.75]) for group in values.values()]).reshape(-1, 3).T
    scattered = np.concatenate([y + 0.45 * height * jitter(len(group)) for y, group in values.items()])
    points = {"s": 4, "color": colour, "alpha": 0.3, "linewidths": 0, "rasterized": True}
    axes.scatter(np.concatenate(list(values.values())), scattered, **points)
    axes.hlines(at, low, high, color=colour, linewidth=5, alpha=0.35)
    axes.vlines(middle, at - 0.45 * height, at + 0.45 * height, color=colour, linewidth=2)
