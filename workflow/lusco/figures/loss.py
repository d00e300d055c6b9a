"""How training went: loss on training and validation, the best step, the learning rate."""

import pandas as pd
from matplotlib.axes import Axes

from lusco.figures.style import ALARM, GREY, INK, ON_WHITE, Drawing, cells, shown, styled


@styled
def loss(history: pd.DataFrame) -> Drawing:
    """Loss against training steps, a plot per model, with the learning rate under it.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns model, step, train_loss, validation_loss (NaN between validations), learning_rate.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The rows drawn, with a column `best` that marks the step of the lowest validation loss of its model.
    """
    lowest = history.groupby("model")["validation_loss"].transform("min")
    table = history.assign(best=history["validation_loss"] == lowest)
    models = list(history["model"].unique())
    figure, parts = cells(len(models), 4.0)
    for cell, model in zip(parts, models, strict=True):
        losses, rates = cell.subplots(2, 1, height_ratios=[4, 1], sharex=True)
        of_model = table[table["model"] == model].sort_values("step")
        _losses(losses, of_model)
        losses.set_title(f"{shown(model, 36)}\n{_summary(of_model)}" if len(models) > 1 else _summary(of_model))
        rates.plot(of_model["step"], of_model["learning_rate"], color=GREY, linewidth=1.2)
        rates.set(xlabel="training step", ylabel="learning\nrate")
        rates.set_ylim(bottom=0)
        rates.ticklabel_format(axis="y", style="plain")
    return figure, table


def _losses(axes: Axes, table: pd.DataFrame) -> None:
    trained = table.dropna(subset="train_loss")
    validated = table.dropna(subset="validation_loss")
    axes.plot(trained["step"], trained["train_loss"], color=ON_WHITE[0], linewidth=1.0, alpha=0.8, label="training")
    axes.plot(
        validated["step"],
        validated["validation_loss"],
        color=INK,
        linewidth=1.8,
        marker="o",
        markersize=4,
        label="validation",
    )
    best = table[table["best"]].head(1)
    axes.plot(best["step"], best["validation_loss"], color=ALARM, marker="D", markersize=8, linestyle="", label="best")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best")  # a short training ends high up, where a long one leaves room
    axes.grid()


def _summary(table: pd.DataFrame) -> str:
    """The best step and the last one."""
    best, last = table.loc[table["best"], "step"], table["step"].max()
    return f"best step {best.iloc[0]:.0f} of {last:.0f}" if len(best) else f"{last:.0f} steps, none validated"
