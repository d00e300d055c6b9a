"""The models of an experiment side by side, on the same test composites."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from lusco.figures.style import ALL, PALE, PERCENT, PLAIN, Drawing, blank, look, order, shown, styled, width_in

MEASURES = {  # heading and whether a fraction is meant as a percentage
    "gap_closed_mse": ("gap closed,\nsquared error", False),
    "gap_closed_dssim": ("gap closed,\n1 - SSIM", False),
    "accuracy": ("given to the right\nstructure", True),
    "crosstalk_at_30pct_rejected": ("crosstalk at\n30 % rejected", True),
    "expected_calibration_error": ("error of stated\nconfidence", True),
}
LOWEST_GAP = -0.5  # gaps further below chance are drawn there


@styled
def peers(summary: pd.DataFrame, structures: Sequence[str] | None = None) -> Drawing:
    """Headline numbers of each model, a row per model and a plot per measure.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns model, structure (including `all`), measure, value; all values are fractions.
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The rows drawn.
    """
    structures = order(summary["structure"], structures)
    table = summary[summary["measure"].isin(MEASURES)].reset_index(drop=True)
    models, styles = list(table["model"].unique()), look(structures)
    figure = blank(width_in(), 1.6 + 0.5 * len(models))
    plots = figure.subplots(1, len(MEASURES), sharey=True)
    for axes, (measure, (heading, percentage)) in zip(plots, MEASURES.items(), strict=True):
        own = table[table["measure"] == measure]
        for place, name in zip(np.linspace(-0.24, 0.24, len(styles)), styles, strict=True):
            points = own[own["structure"] == name].drop_duplicates("model").set_index("model")["value"].reindex(models)
            values = points if percentage else points.clip(lower=LOWEST_GAP)
            style = styles[name] | {"linestyle": "", "markersize": 8 if name == ALL else 6, "clip_on": False}
            axes.plot(values, np.arange(len(models)) + place, **style)
        axes.set_title(heading)
        axes.xaxis.set_major_formatter(PERCENT if percentage else PLAIN)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        for between in np.arange(len(models) - 1) + 0.5:
            axes.axhline(between, color=PALE, linewidth=0.8)
        if percentage and measure != "accuracy":
            axes.set_xlim(left=0)
        else:
            axes.set_xlim(right=1)
    plots[0].set_yticks(range(len(models)), [shown(model, 20) for model in models])
    plots[0].set_ylim(len(models) - 0.5, -0.5)
    handles = [Line2D([], [], linestyle="", label=shown(name), **style) for name, style in styles.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))
    return figure, table
