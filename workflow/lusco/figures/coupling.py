"""Does overlap measured on the output mean anything: windows of mixed acquisitions whose truth is known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lusco.figures.style import GREY, INK, MARKERS, Drawing, blank, cut, shown, styled, width_in

MEASURES = {
    "manders_a": "Manders: part of A that lies in B",
    "pearson": "Pearson correlation of the pixels",
    "pair_correlation": "Pair correlation within 100 nm",
}
LEGEND_COLUMNS = 3
TONES = (
    INK,
    "#7C3AED",
    "#9AA1AE",
    "#C4B5FD",
    "#7A4B1E",
    "#48608A",
)  # of acquisitions; none is the colour of a structure


@styled
def coupling(coupling: pd.DataFrame) -> Drawing:
    """Draw overlap and correlation, recoloured against true, a point per window.

    Parameters
    ----------
    coupling : pandas.DataFrame
        Columns model, acquisition, window, structure_a, structure_b, measure, source (truth or model), value.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table has a row per point: acquisition, window, structure_a, structure_b, measure, truth, predicted.
    """
    table = paired(coupling)
    pairs = list(table[["structure_a", "structure_b"]].drop_duplicates().itertuples(index=False, name=None))
    acquisitions = list(table["acquisition"].unique())
    lines = -(-(len(acquisitions) + len(pairs)) // LEGEND_COLUMNS)
    figure = blank(width_in(), 0.3 * width_in() + 0.2 * lines + 0.55)
    for axes, (measure, label) in zip(figure.subplots(1, len(MEASURES)), MEASURES.items(), strict=True):
        here = table[table["measure"] == measure]
        values = here[["truth", "predicted"]].to_numpy()
        low, high = (min(0.0, values.min()), values.max()) if len(values) else (0.0, 1.0)
        room = 0.06 * (high - low) or 1.0
        ends = (low - room, high + room)
        axes.plot(ends, ends, color=GREY, linewidth=1, linestyle="--")
        for (acquisition, *pair), own in here.groupby(["acquisition", "structure_a", "structure_b"], sort=False):
            axes.plot(
                own["truth"],
                own["predicted"],
                linestyle="",
                marker=MARKERS[pairs.index(tuple(pair)) % len(MARKERS)],
                color=TONES[acquisitions.index(acquisition) % len(TONES)],
                markersize=4.5,
                markeredgewidth=0,
                alpha=0.6,
            )
        axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="true", ylabel="recoloured")
        axes.set_title(label, fontsize=9)
        axes.grid()
    _legend(figure, acquisitions, pairs)
    return figure, table


def paired(coupling: pd.DataFrame) -> pd.DataFrame:
    """A row per window, pair and measure with the true and the recoloured value."""
    keys = ["acquisition", "window", "structure_a", "structure_b", "measure"]
    table = coupling.pivot_table(index=keys, columns="source", values="value", sort=False)
    table = table.reindex(columns=["truth", "model"]).dropna().reset_index()
    return table.rename(columns={"model": "predicted"})


def slope(table: pd.DataFrame) -> float:
    """How much of a difference of the truth, from window to window, the recoloured images show; NaN if none differs."""
    truth, predicted = table["truth"].to_numpy(), table["predicted"].to_numpy()
    if len(truth) < 3 or truth.std() == 0:
        return float("nan")
    return float(np.polyfit(truth, predicted, 1)[0])


def _legend(figure: Figure, acquisitions: Sequence[str], pairs: Sequence[tuple[str, str]]) -> None:
    blank = {"linestyle": "", "markersize": 6, "markeredgewidth": 0}
    handles = [
        Line2D([], [], marker="_", color=TONES[index % len(TONES)], label=shown(name), **blank | {"markeredgewidth": 4})
        for index, name in enumerate(acquisitions)
    ] + [
        Line2D([], [], marker=MARKERS[k % len(MARKERS)], color=GREY, label=f"A {cut(a, 20)}, B {cut(b, 20)}", **blank)
        for k, (a, b) in enumerate(pairs)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=LEGEND_COLUMNS)
