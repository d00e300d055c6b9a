"""How far the recoloured channels are from the true ones, beside four references, with paired tests."""

from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from scipy.stats import wilcoxon

from lusco.figures.style import (
    ALARM,
    GREY,
    INK,
    PALE,
    PLAIN,
    Drawing,
    blank,
    jitter,
    look,
    order,
    shown,
    styled,
    width_in,
)

REFERENCES = {
    "floor": "noise floor\n(disjoint halves)",
    "composite": "composite as is\n(doing nothing)",
    "shuffled_pairs": "same structure of\nanother composite",
    "shuffled_pixels": "own pixels\nshuffled",
}
TESTED = ("floor", "composite", "shuffled_pairs")
DISTANCES = {"mse": "mean squared error", "dssim": "1 - SSIM"}
MARKS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
NOT = "n.s."


@styled
def distances(distances: pd.DataFrame, structures: Sequence[str] | None = None) -> Drawing:
    """Distributions of the distance to the true channel per structure: each model and the four references.

    Parameters
    ----------
    distances : pandas.DataFrame
        Columns model, composite, structure, distance (mse or dssim), comparison (model, floor, composite,
        shuffled_pixels or shuffled_pairs), value.
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table has a row per point: composite, structure, distance, series (a model's name or a reference),
        value, and of its group the median, n, and for each model and tested reference of that panel
        `p_holm_<model>` (NaN where not tested).
    """
    points = _points(distances)
    structures = order(points["structure"], structures)
    models = list(distances.loc[distances["comparison"] == "model", "model"].unique())
    tests = compare(points, models)
    series = [*models, *(name for name in REFERENCES if name in set(points["series"]))]
    kinds = [name for name in DISTANCES if name in set(points["distance"])]

    most = 4 if len(models) == 1 else 3
    blocks = -(-len(structures) // most)
    columns = -(-len(structures) // blocks)
    height = 0.34 * len(series) + 0.75
    figure = blank(width_in(), height * len(kinds) * blocks + 0.55)
    grid = figure.subplots(len(kinds) * blocks, columns, squeeze=False, sharey=True)
    for axes in grid.ravel():
        axes.set_visible(False)
    for place, kind in enumerate(kinds):
        for index, structure in enumerate(structures):
            axes = grid[place * blocks + index // columns, index % columns]
            axes.set_visible(True)
            here = points[(points["structure"] == structure) & (points["distance"] == kind)]
            tested = tests[(tests["structure"] == structure) & (tests["distance"] == kind)]
            axes.set_title(shown(structure, 24))
            axes.set_xlabel(f"{DISTANCES[kind]}  (smaller is closer)")
            _scale(axes, kind, points.loc[points["distance"] == kind, "value"])
            _panel(axes, here, series, models, tested, look(structures)[structure]["color"])
    if len(tests):
        figure.supxlabel(_footnote(tests), fontsize=8, color=GREY, x=0.01, ha="left")
    return figure, _with_summary(points, tests)


def compare(points: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Paired two-sided Wilcoxon signed-rank tests of each model against references, Holm-corrected over all.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns composite, structure, distance, series, value; pairs are made by composite.
    models : sequence of str
        The series to test against each reference in `TESTED`.

    Returns
    -------
    pandas.DataFrame
        Columns structure, distance, model, reference, n, p, p_holm, better (the model is the closer one),
        mark (`***`, `**`, `*` or `n.s.`). Pairs with a missing value are left out; p is 1 if no pair differs.
    """
    rows = []
    for (structure, distance), group in points.groupby(["structure", "distance"], sort=False):
        wide = group.pivot_table(index="composite", columns="series", values="value")
        for model in models:
            for reference in TESTED:
                if model not in wide or reference not in wide:
                    continue
                pairs = wide[[model, reference]].dropna()
                difference = (pairs[model] - pairs[reference]).to_numpy()
                p = float(wilcoxon(difference).pvalue) if np.any(difference) else 1.0
                better = bool(np.median(difference) < 0) if len(difference) else False
                rows.append((structure, distance, model, reference, len(pairs), p, better))
    tests = pd.DataFrame(rows, columns=["structure", "distance", "model", "reference", "n", "p", "better"])
    tests.insert(6, "p_holm", holm(tests["p"].to_numpy(dtype=float)))
    tests["mark"] = [next((mark for limit, mark in MARKS if p < limit), NOT) for p in tests["p_holm"]]
    return tests


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p values, shape (n,): the family-wise error stays under the level."""
    rank = np.argsort(p, kind="stable")
    corrected = np.maximum.accumulate(p[rank] * (len(p) - np.arange(len(p))))
    result = np.empty_like(p)
    result[rank] = np.minimum(corrected, 1.0)
    return result


def _points(distances: pd.DataFrame) -> pd.DataFrame:
    """One row per point; references, which do not depend on the model, once."""
    points = distances.assign(
        series=distances["model"].where(distances["comparison"] == "model", distances["comparison"])
    )
    keys = ["composite", "structure", "distance", "series"]
    return points.drop_duplicates(keys)[[*keys, "value"]].dropna(subset="value").reset_index(drop=True)


def _panel(
    axes: Axes, points: pd.DataFrame, series: list[str], models: list[str], tests: pd.DataFrame, colour: str
) -> None:
    for row, name in enumerate(series):
        values = points.loc[points["series"] == name, "value"].to_numpy()
        if not len(values):
            continue
        own = colour if name in models else GREY
        edge = axes.get_xlim()[0]
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        _beside(axes, row, 0, f"{middle:.2g}")
        values, low, middle, high = (np.maximum(value, edge) for value in (values, low, middle, high))
        axes.scatter(values, row + 0.5 * jitter(len(values)), s=7, color=own, alpha=0.35, linewidths=0)
        axes.plot([low, high], [row, row], color=own, linewidth=6, alpha=0.35, solid_capstyle="butt")
        axes.plot([middle, middle], [row - 0.34, row + 0.34], color=INK, linewidth=1.8)
        for column, model in enumerate(models, start=1):
            test = tests[(tests["model"] == model) & (tests["reference"] == name)]
            for mark, better in zip(test["mark"], test["better"], strict=True):
                _beside(axes, row, column, mark, GREY if mark == NOT else INK if better else ALARM)
    axes.axhline(len(models) - 0.5, color=PALE, linewidth=1)
    names = [shown(name, 20) for name in models]
    if len(models) > 1:
        names = [f"{letter}: {name}" for letter, name in zip(ascii_uppercase, names, strict=False)]
        for column, letter in zip(range(1, len(models) + 1), ascii_uppercase, strict=False):
            _beside(axes, len(models) - 1, column, letter)
    axes.set_yticks(range(len(series)), names + [REFERENCES[name] for name in series[len(models) :]])
    axes.set_ylim(len(series) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _beside(axes: Axes, row: int, column: int, text: str, colour: str = INK) -> None:
    """Write into the columns at the right of a plot: the median, then a mark per model."""
    right = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "va": "center", "fontsize": 7.5}
    axes.annotate(text, (1, row), (6 + (40 + 22 * (column - 1) if column else 0), 0), color=colour, **right)


def _scale(axes: Axes, kind: str, values: pd.Series) -> None:
    """The same scale for all structures; errors, which span decades, on a logarithmic one (zeros at its edge)."""
    positive = values[values > 0]
    if kind == "mse" and len(positive):
        low, high = positive.min() / 1.3, positive.max() * 1.3
        if high < 11 * low:  # at least a decade, so that a tick is in sight
            low, high = low / 2, high * 5
        axes.set_xlim(low, high)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10, numticks=5))
        axes.xaxis.set_major_formatter(PLAIN)
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(0, max(1e-9, 1.04 * values.max()))
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="x")


def _footnote(tests: pd.DataFrame) -> str:
    fewest, most = tests["n"].min(), tests["n"].max()
    number = f"n = {fewest}" if fewest == most else f"n = {fewest} to {most}"
    return (
        "Right of each plot: the median, then the model against that reference (paired two-sided Wilcoxon signed-rank"
        f" test, {number} composites,\nHolm-corrected over all {len(tests)} tests of the figure): *** p < 0.001,"
        " ** p < 0.01, * p < 0.05, n.s. otherwise; red where the reference is the closer one."
        "\nComposites are taken to be independent; those of the same acquisitions are less so than that."
    )


def _with_summary(points: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    group = points.groupby(["structure", "distance", "series"], sort=False)["value"]
    table = points.assign(median=group.transform("median"), n=group.transform("size"))
    for model, of_model in tests.groupby("model", sort=False):
        renamed = of_model.rename(columns={"reference": "series", "p_holm": f"p_holm_{model}"})
        keys = ["structure", "distance", "series"]
        table = table.merge(renamed[[*keys, f"p_holm_{model}"]], on=keys, how="left")
    return table
