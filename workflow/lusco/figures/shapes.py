"""Size and number of structures: measured on the recoloured channels against the same on the true ones."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
from matplotlib.axes import Axes

from lusco.figures.style import GREY, MARKERS, ON_WHITE, Drawing, cells, cut, free_corner, order, shown, styled

LABELS = {
    "count_per_um2": "number [1/µm²]",
    "radius_nm": "radius [nm]",
    "diameter_nm": "diameter [nm]",
    "width_nm": "width [nm]",
    "length_um_per_um2": "length [µm/µm²]",
    "covered": "covered part of the area",
}


@styled
def shapes(shapes: pd.DataFrame, structures: Sequence[str] | None = None) -> Drawing:
    """Draw every measure of every structure, recoloured against true, a point per composite.

    Parameters
    ----------
    shapes : pandas.DataFrame
        Columns model, composite, structure, shape, measure, source (truth or model), value; at least one row.
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table has a row per point: model, composite, structure, measure, truth, predicted.
    """
    structures = order(shapes["structure"], structures)
    colours = {name: ON_WHITE[index % len(ON_WHITE)] for index, name in enumerate(structures)}
    table = paired(shapes)
    panels = list(table[["structure", "measure"]].drop_duplicates().itertuples(index=False, name=None))
    figure, parts = cells(len(panels), 3.2, alone_in=5.0)
    for cell, (structure, measure) in zip(parts, panels, strict=True):
        here = table[(table["structure"] == structure) & (table["measure"] == measure)]
        axes = cell.subplots()
        _points(axes, here, colours[structure])
        axes.set_title(f"{cut(structure, 28)}\n{LABELS[measure]}", fontsize=9)
    return figure, table


def paired(shapes: pd.DataFrame) -> pd.DataFrame:
    """A row per model, composite, structure and measure with both values; without those that have none."""
    keys = ["composite", "structure", "measure"]
    truth = shapes[shapes["source"] == "truth"].drop_duplicates(keys)[[*keys, "value"]]
    predicted = shapes[shapes["source"] == "model"]
    table = predicted.merge(truth, on=keys, suffixes=("", "_of_truth"))
    table = table.rename(columns={"value": "predicted", "value_of_truth": "truth"})
    return table[["model", *keys, "truth", "predicted"]].dropna().reset_index(drop=True)


def _percent(error: float) -> str:
    return "\N{EN DASH}" if isnan(error) else f"{100 * error:+.1f} %"


def _points(axes: Axes, table: pd.DataFrame, colour: str) -> None:
    values = table[["truth", "predicted"]].to_numpy()
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    room = 0.06 * (high - low) or 1.0
    low, high = low - room, high + room
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")
    models = list(table["model"].unique())
    for index, model in enumerate(models):
        own = table[table["model"] == model]
        error = (own["predicted"] / own["truth"].where(own["truth"] > 0) - 1).median()
        axes.plot(
            own["truth"],
            own["predicted"],
            color=colour,
            linestyle="",
            marker=MARKERS[index % len(MARKERS)],
            markersize=4.5,
            markeredgewidth=0,
            alpha=0.6,
            label=f"{shown(model) if len(models) > 1 else 'median error'}: {_percent(error)}",
        )
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="true", ylabel="recoloured")
    axes.legend(loc=free_corner(table), handlelength=0, borderpad=0)
    axes.grid()
