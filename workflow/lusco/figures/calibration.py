"""Whether a confidence of 90 % means right in 90 of 100."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lusco.figures.style import (
    ALL,
    GREY,
    NARROW_IN,
    PALE,
    PERCENT,
    Drawing,
    cells,
    cut,
    look,
    order,
    shown,
    styled,
    width_in,
)


@styled
def calibration(calibration: pd.DataFrame, structures: Sequence[str] | None = None) -> Drawing:
    """Reliability diagram per model, and under it the number of localizations in each bin of confidence.

    Parameters
    ----------
    calibration : pandas.DataFrame
        Columns model, structure (including `all`), bin, confidence (mean in the bin), accuracy, localizations.
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The rows drawn, with the expected calibration error of their curve in the column `ece`.
    """
    structures = order(calibration["structure"], structures)
    models = list(calibration["model"].unique())
    errors = {key: expected_error(bins) for key, bins in calibration.groupby(["model", "structure"], sort=False)}
    keys = zip(calibration["model"], calibration["structure"], strict=True)
    table = calibration.assign(ece=[errors[key] for key in keys])

    alone = len(models) == 1
    figure, parts = cells(len(models), 4.8 if alone else 4.5 + 0.2 * len(structures), alone_in=8.0)
    for cell, model in zip(parts, models, strict=True):
        curves, counts = cell.subplots(2, 1, height_ratios=[3, 1], sharex=True)
        of_model = table[(table["model"] == model) & (table["localizations"] > 0)]
        _reliability(curves, of_model, structures)
        _histogram(counts, of_model)
        if not alone:
            curves.set_title(shown(model, 40))
        cell.legend(loc="outside right center" if alone and width_in() > NARROW_IN else "outside lower left")
    return figure, table


def expected_error(bins: pd.DataFrame) -> float:
    """Mean of |accuracy - confidence| over the bins, weighted by their localizations (a fraction)."""
    filled = bins[bins["localizations"] > 0]
    if filled.empty:
        return float("nan")
    return float(np.average((filled["accuracy"] - filled["confidence"]).abs(), weights=filled["localizations"]))


def _reliability(axes: Axes, table: pd.DataFrame, structures: Sequence[str]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    for name, style in look(structures).items():
        curve = table[table["structure"] == name].sort_values("confidence")
        if curve.empty:
            continue
        axes.plot(
            curve["confidence"],
            curve["accuracy"],
            linewidth=2.6 if name == ALL else 1.4,
            markersize=4,
            label=f"{cut(name, 32)}  (error {100 * curve['ece'].iloc[0]:.1f} %)",
            zorder=4 if name == ALL else 3,
            **style,
        )
    least = table["confidence"].min() if len(table) else 0.0
    axes.set(xlim=(max(0.0, least - 0.05), 1.02), ylim=(0, 1.02), ylabel="fraction right")
    axes.yaxis.set_major_formatter(PERCENT)
    axes.grid()


def _histogram(axes: Axes, table: pd.DataFrame) -> None:
    whole = table[table["structure"] == ALL]
    bins = (whole if len(whole) else table).groupby("bin")[["confidence", "localizations"]]
    middle, number = bins.mean()["confidence"], bins.sum()["localizations"]
    gap = np.diff(np.sort(middle)).min() if len(middle) > 1 else 0.1
    axes.bar(middle, number / number.sum(), width=0.8 * gap, color=PALE, edgecolor=GREY, linewidth=0.8)
    axes.set(xlabel="confidence stated by the model", ylabel="localizations")
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.grid(axis="y")
