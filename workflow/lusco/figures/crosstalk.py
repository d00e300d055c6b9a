"""What the labels of single localizations are worth: crosstalk against rejection."""

from collections.abc import Mapping, Sequence
from math import isnan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from lusco.figures.style import (
    ALL,
    GREY,
    INK,
    NARROW_IN,
    PALE,
    PERCENT,
    Drawing,
    cells,
    composites_only,
    look,
    order,
    shown,
    styled,
    width_in,
)

# Optical two-colour methods, (rejected, crosstalk), as their authors state them.
PUBLISHED = {
    "CC-DeepSTORM: 1 % at 40 % rejected": ("*", 0.40, 0.01),
    "CC-DenseSTORM: under 1 % at under 30 % rejected": ("P", 0.30, 0.01),
}
MIXED = {"color": INK, "marker": "o", "markeredgecolor": INK}
LOWEST_CROSSTALK = 1e-4  # where the logarithmic axis ends at the latest


@styled
def crosstalk(
    assignment: pd.DataFrame,
    structures: Sequence[str] | None = None,
    thresholds: Mapping[str, float] | None = None,
    target: float = 0.01,
) -> Drawing:
    """Crosstalk among accepted localizations against the fraction rejected, a plot per model.

    Parameters
    ----------
    assignment : pandas.DataFrame
        Columns model, threshold, structure (including `all`), rejected, crosstalk, recall, localizations, and
        optionally acquisition (empty or NaN for composites; scored mixed acquisitions are drawn as `all`, dotted).
    structures : sequence of str, optional
        In the order of the channels, which fixes the colours.
    thresholds : mapping of str to float, optional
        The chosen threshold of each model, marked on its curves.
    target : float
        Crosstalk that the threshold was chosen for, a fraction; drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table holds the rows drawn, with a column `chosen` that marks those at the chosen threshold.
    """
    structures = order(assignment["structure"], structures)
    models = list(assignment["model"].unique())
    table = _mark_chosen(assignment, thresholds or {})
    composites = composites_only(table)
    narrow = width_in() < NARROW_IN
    figure, parts = cells(len(models), 6.2 if narrow else 4.6)
    drawn = table.loc[table["crosstalk"] > 0, "crosstalk"]
    bottom, top = max(LOWEST_CROSSTALK, 0.7 * min([*drawn, target])), min(1.0, 1.4 * max([*drawn, target]))
    for part, model in zip(parts, models, strict=True):
        axes = part.subplots()
        others = composites[(composites["model"] != model) & (composites["structure"] == ALL)]
        for _, curve in others.groupby("model", sort=False):
            axes.plot(curve["rejected"], curve["crosstalk"], color=PALE, linewidth=2)
        _curves(axes, composites[composites["model"] == model], structures)
        mixed = table[(table["model"] == model) & ~table.index.isin(composites.index) & (table["structure"] == ALL)]
        for _, curve in mixed.groupby("acquisition", sort=False) if len(mixed) else ():
            axes.plot(curve["rejected"], curve["crosstalk"], color=INK, linewidth=1.2, linestyle=":")
            at = curve[curve["chosen"]]
            axes.plot(at["rejected"], at["crosstalk"], linestyle="", markersize=6, markerfacecolor="white", **MIXED)
        axes.axhline(target, color=GREY, linewidth=1, linestyle="--")
        for marker, rejected, published in PUBLISHED.values():
            axes.plot(rejected, published, marker=marker, color="white", markeredgecolor=INK, markersize=11, zorder=4)
        axes.set_title(_headline(composites[composites["model"] == model], model, len(models)))
        axes.set(xlim=(0, 1), xlabel="localizations rejected", ylabel="crosstalk among the accepted")
        axes.set_ylim(bottom, top)  # before the scale, which could not find limits where all crosstalk is zero
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(PERCENT)
        axes.yaxis.set_major_formatter(PERCENT)
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid()
    several = len(models) > 1
    handles = _legend(structures, target, several, _has_mixed(table), "\n" if narrow else " ")
    place = {"loc": "outside lower left"} if narrow else {"loc": "outside lower center", "ncols": 3}
    figure.legend(handles=handles, **place)
    return figure, table


def _mark_chosen(assignment: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """The rows of each curve whose threshold is nearest to the chosen one, marked."""
    distance = (assignment["threshold"] - assignment["model"].map(thresholds).astype(float)).abs()
    nearest = distance.groupby(assignment["model"]).transform("min")
    return assignment.assign(chosen=distance == nearest)


def _curves(axes: Axes, table: pd.DataFrame, structures: Sequence[str]) -> None:
    for name, style in look(structures).items():
        curve = table[(table["structure"] == name) & (table["crosstalk"] > 0)].sort_values("rejected")
        width = 2.6 if name == ALL else 1.4
        axes.plot(curve["rejected"], curve["crosstalk"], color=style["color"], linewidth=width, zorder=3)
        at = curve[curve["chosen"]]
        axes.plot(
            at["rejected"], at["crosstalk"], linestyle="", markersize=7, markeredgecolor="white", zorder=5, **style
        )


def _headline(table: pd.DataFrame, model: str, models: int) -> str:
    lines = [shown(model, 36)] if models > 1 else []
    for row in table[table["chosen"] & (table["structure"] == ALL)].head(1).itertuples():
        wrong = "nothing accepted" if isnan(row.crosstalk) else f"{100 * row.crosstalk:.2g} % crosstalk"
        lines.append(f"{wrong}, {100 * row.rejected:.0f} % rejected")
    return "\n".join(lines)


def _has_mixed(table: pd.DataFrame) -> bool:
    return len(composites_only(table)) < len(table)


def _legend(structures: Sequence[str], target: float, several: bool, mixed: bool, wrap: str) -> list[Line2D]:
    styles = look(structures)
    handles = [
        Line2D([], [], linewidth=2.6 if name == ALL else 1.4, label=shown(name), **style)
        for name, style in styles.items()
    ]
    handles.append(Line2D([], [], color=GREY, linestyle="--", label=f"target, {100 * target:g} %"))
    if several:
        handles.append(Line2D([], [], color=PALE, linewidth=2, label="all, the other models"))
    if mixed:
        handles.append(
            Line2D([], [], linestyle=":", label="all, scored mixed acquisitions", **MIXED, markerfacecolor="white")
        )
    for name, (marker, _, _) in PUBLISHED.items():
        label = f"{name}{wrap}(optical, as stated by its authors)"
        style = {"marker": marker, "markersize": 10, "linestyle": "", "color": "white", "markeredgecolor": INK}
        handles.append(Line2D([], [], label=label, **style))
    return handles
