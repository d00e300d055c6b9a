"""Where recolouring breaks down: scores against what is changed in the test composites."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from lusco.figures.style import (
    ALARM,
    ALL,
    GREY,
    PERCENT,
    PLAIN,
    Drawing,
    blank,
    cut,
    look,
    order,
    styled,
    width_in,
)

LABELS = {
    "density": "localizations kept, fraction of all",
    "mixing": "localizations kept of one structure, the others complete",
    "number": "structures present",
    "precision_nm": "added to each position, standard deviation [nm]",
    "scale": "positions multiplied by, as by a wrong pixel size",
    "overlap": "localizations that share a square of 100 nm with another structure, fraction",
}
AT_THRESHOLD = {
    "rejected": ("rejected", GREY),
    "crosstalk": ("wrong among accepted", ALARM),
    "invented": ("accepted as one absent", "#E58A00"),
    "unfamiliar": ("regions flagged unfamiliar", "#7C3AED"),
}
LOGARITHMIC = ("density", "mixing", "scale")


@styled
def sweep(scores: pd.DataFrame, structures: Sequence[str] | None = None) -> Drawing:
    """Accuracy, what the chosen threshold lets through and rejects, and likeness of the images, against the level.

    Parameters
    ----------
    scores : pandas.DataFrame
        Columns sweep (one name), level, composites, structure (including `all`), measure, value.
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The rows drawn, with the place on the horizontal axis in the column `place`.
    """
    name = scores["sweep"].iloc[0]
    structures = order(scores["structure"], structures)
    table = scores.assign(place=scores["level"])
    if name == "overlap":  # a level is a rank; what it means in the image is measured
        measured = scores[scores["measure"] == "shared"].set_index("level")["value"]
        table["place"] = scores["level"].map(measured)

    figure = blank(width_in(), 3.6)
    accuracy, threshold, likeness = figure.subplots(1, 3, sharex=True)
    _curves(accuracy, table, "accuracy", structures)
    accuracy.set(title="Given to the right structure", ylim=(0, 1.02))
    _curves(likeness, table, "gap_closed_dssim", structures)
    likeness.set(title="Likeness: gap closed, 1 - SSIM")
    likeness.set_ylim(min(0, likeness.get_ylim()[0]), 1.02)  # further from the truth than chance is below zero
    for measure, (label, colour) in AT_THRESHOLD.items():
        if measure == "invented" and name != "number":  # nothing is absent
            continue
        curve = _curve(table, measure, ALL)
        threshold.plot(curve["place"], curve["value"], marker="o", markersize=4, color=colour, label=label)
    threshold.set(title="At the chosen threshold", ylim=(-0.02, 1.02))
    for axes in (accuracy, threshold, likeness):
        axes.yaxis.set_major_formatter(PERCENT)
        axes.grid()
        if name in LOGARITHMIC:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(PLAIN)
            axes.set_xticks([], minor=True)
        if name == "number" or name in LOGARITHMIC:
            axes.set_xticks(table["level"].unique())
    figure.supxlabel(f"{LABELS[name]} ({_number(name, scores['composites'].iloc[0], structures)})", fontsize=9)
    handles, labels = (
        [entry for axes in (accuracy, threshold) for entry in axes.get_legend_handles_labels()[part]] for part in (0, 1)
    )
    figure.legend(handles, labels, loc="outside right center")
    return figure, table


def _number(name: str, composites: int, structures: Sequence[str]) -> str:
    """How many composites stand behind a point; of mixing, each structure is thinned in some of them only."""
    number = f"{composites} composites per point"
    if name != "mixing":
        return number
    fewest, more = divmod(composites, len(structures))
    return f"{number} of all, {f'{fewest} or {fewest + 1}' if more else fewest} of a structure"


def _curves(axes: Axes, table: pd.DataFrame, measure: str, structures: Sequence[str]) -> None:
    fewest = min(2, len(table["level"].unique()))  # one point of several levels is no curve
    for name, style in look(structures).items():
        curve = _curve(table, measure, name)
        if len(curve) >= fewest:
            axes.plot(
                curve["place"],
                curve["value"],
                label=cut(name, 20),
                linewidth=2.6 if name == ALL else 1.4,
                markersize=4,
                **style,
            )
    if not axes.lines:
        axes.text(
            0.5, 0.5, "not defined where\na structure is absent", transform=axes.transAxes, ha="center", va="center"
        )


def _curve(table: pd.DataFrame, measure: str, structure: str) -> pd.DataFrame:
    rows = table[(table["measure"] == measure) & (table["structure"] == structure)]
    return rows.dropna(subset="value").sort_values("place")
