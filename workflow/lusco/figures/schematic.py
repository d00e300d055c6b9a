"""How the network learns and how it is used, drawn from real images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon

from lusco.colours import ON_BLACK
from lusco.figures.pixels import full_brightness, grey, show, tinted
from lusco.figures.style import DPI, GREY, INK, Drawing, cut, fitted_in, styled

GAP, BIG, NETWORK, ARROW, LABEL, TITLE = 0.12, 1.75, 0.85, 0.5, 0.24, 0.45  # inches
MARGINS = 0.8  # at both ends and beside the line in the middle
CHARACTERS = 17  # of a name above an image, per inch


@dataclass(frozen=True)
class Stack:
    """Single-structure images one under the other, in one column or two.

    Parameters
    ----------
    structures : sequence of str
        One image each.
    per_column : int
        Images in a column.
    side : float
        Of an image, in inches.
    """

    structures: Sequence[str]
    per_column: int
    side: float

    @property
    def step(self) -> float:
        """Height of an image with its name, in inches."""
        return self.side + LABEL + GAP

    @property
    def width(self) -> float:
        """Width of all columns, in inches."""
        return -(-len(self.structures) // self.per_column) * (self.side + GAP) - GAP


@styled
def schematic(
    training: Sequence[np.ndarray],
    composite: np.ndarray,
    prediction: np.ndarray,
    mixed: np.ndarray | None,
    mixed_prediction: np.ndarray | None,
    structures: Sequence[str],
    pixel_nm: float,
) -> Drawing:
    """(a) Training: single structures, summed, separated by the network, compared. (b) Use: a mixture, separated.

    Parameters
    ----------
    training : sequence of numpy.ndarray
        C single-structure images (H, W) that make up the composite, counts per pixel.
    composite : numpy.ndarray
        Shape (H, W), their sum.
    prediction : numpy.ndarray
        Shape (C, H, W), the composite as separated by the network.
    mixed, mixed_prediction : numpy.ndarray or None
        Part of a mixed acquisition (H, W) and its channels (C, H, W); None for (b) with the composite.
    structures : sequence of str
        Names of the C channels.
    pixel_nm : float
        Pixel size in nm.

    Returns
    -------
    matplotlib.figure.Figure, pandas.DataFrame
        The table has a row per image: panel, image, structure (empty for sums), counts.
    """
    if mixed is None or mixed_prediction is None:
        mixed, mixed_prediction = composite, prediction
    fulls = [full_brightness(counts, pixel_nm) for counts in training]
    per_column = len(structures) if len(structures) <= 4 else -(-len(structures) // 2)
    side = min(1.6, 4.8 / per_column)
    natural = 3 * Stack(structures, per_column, side).width + 2 * (BIG + NETWORK) + 5 * ARROW
    width = fitted_in(natural + MARGINS)
    shrunk = (width - MARGINS) / natural  # pictures and arrows, but no letters
    columns = -(-len(structures) // per_column)
    gaps = GAP * (1 - 1 / columns)  # for each column of pictures
    stack = Stack(structures, per_column, shrunk * (side + gaps) - gaps)
    big, network, arrow = shrunk * BIG, shrunk * NETWORK, partial(_arrow, length=shrunk * ARROW)
    height = max(per_column * stack.step, big + 2 * LABEL) + TITLE + 0.2

    figure = Figure(figsize=(width, height), dpi=DPI)
    canvas = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    canvas.set_axis_off()
    middle = (height - TITLE) / 2

    x = 0.15
    canvas.text(x, height - 0.28, "(a) Training", weight="bold", fontsize=11)
    originals_x = x
    _stack(figure, stack, training, fulls, pixel_nm, x, middle)
    x = arrow(canvas, x + stack.width, middle, "sum")
    full = max(fulls)
    _picture(figure, grey(composite, pixel_nm, full), pixel_nm, x, middle, big, "composite")
    x = _network(canvas, arrow(canvas, x + big, middle), middle, network)
    x = arrow(canvas, x, middle)
    _stack(figure, stack, prediction, fulls, pixel_nm, x, middle)
    _comparison(canvas, originals_x + stack.width / 2, x + stack.width / 2, height - TITLE + 0.02)

    x += stack.width + 0.5
    canvas.plot([x - 0.25] * 2, [0.2, height - 0.2], color=GREY, linewidth=0.8, linestyle=":")
    canvas.text(x, height - 0.28, "(b) Use", weight="bold", fontsize=11)
    measured = "measured mixture" if mixed is not composite else "composite"
    _picture(figure, grey(mixed, pixel_nm, full_brightness(mixed, pixel_nm)), pixel_nm, x, middle, big, measured)
    x = arrow(canvas, _network(canvas, arrow(canvas, x + big, middle), middle, network), middle)
    mixed_fulls = [full_brightness(counts, pixel_nm) for counts in mixed_prediction]
    _stack(figure, stack, mixed_prediction, mixed_fulls, pixel_nm, x, middle)
    return figure, _table(training, composite, prediction, mixed, mixed_prediction, structures)


def _stack(
    figure: Figure,
    stack: Stack,
    images: Sequence[np.ndarray],
    fulls: Sequence[float],
    pixel_nm: float,
    x: float,
    middle: float,
) -> None:
    """Draw each image in the colour of its structure, with its name above."""
    for index, (counts, structure, full) in enumerate(zip(images, stack.structures, fulls, strict=True)):
        column, row = divmod(index, stack.per_column)
        top = middle + stack.per_column * stack.step / 2 - row * stack.step - LABEL
        axes = _axes(figure, x + column * (stack.side + GAP), top - stack.side, stack.side)
        show(axes, tinted(counts, pixel_nm, full, ON_BLACK[index % len(ON_BLACK)]), pixel_nm)
        axes.set_title(cut(structure, int(CHARACTERS * stack.side)), fontsize=7, weight="normal", pad=3)


def _picture(
    figure: Figure, image: np.ndarray, pixel_nm: float, x: float, middle: float, side: float, name: str
) -> None:
    axes = _axes(figure, x, middle - side / 2, side)
    show(axes, image, pixel_nm, bar=True)
    axes.set_title(name, fontsize=8, weight="normal", pad=3)


def _axes(figure: Figure, x: float, y: float, side: float) -> Axes:
    """Square axes at a place given in inches."""
    width, height = figure.get_size_inches()
    return figure.add_axes((x / width, y / height, side / width, side / height))


def _arrow(canvas: Axes, x: float, y: float, text: str = "", length: float = ARROW) -> float:
    """An arrow to the right; returns where it ends."""
    style = {"arrowstyle": "-|>", "mutation_scale": 14, "color": INK, "linewidth": 1.6}
    canvas.add_patch(FancyArrowPatch((x + 0.06, y), (x + length - 0.04, y), shrinkA=0, shrinkB=0, **style))
    canvas.text(x + length / 2 - 0.03, y + 0.09, text, ha="center", fontsize=8)
    return x + length


def _network(canvas: Axes, x: float, y: float, width: float) -> float:
    """The network as a waist; returns where it ends."""
    high, low, middle = 0.62, 0.28, x + width / 2
    outline = [(x, y + high), (middle, y + low), (x + width, y + high)]
    outline += [(x + width, y - high), (middle, y - low), (x, y - high)]
    canvas.add_patch(Polygon(outline, facecolor="#E8EDF5", edgecolor=INK, linewidth=1.4))
    canvas.text(middle, y - 0.01, "G", ha="center", va="center", fontsize=15, style="italic", family="DejaVu Serif")
    canvas.text(middle, y - high - 0.2, "network", ha="center", fontsize=8)
    return x + width


def _comparison(canvas: Axes, left: float, right: float, y: float) -> None:
    """The bracket that says: output and originals are compared."""
    style = {"arrowstyle": "<|-|>", "mutation_scale": 11, "color": GREY, "linewidth": 1.3, "linestyle": "--"}
    canvas.add_patch(FancyArrowPatch((left, y), (right, y), shrinkA=0, shrinkB=0, **style))
    canvas.text((left + right) / 2, y + 0.07, "compared, to learn", ha="center", fontsize=8, color=INK)


def _table(
    training: Sequence[np.ndarray],
    composite: np.ndarray,
    prediction: np.ndarray,
    mixed: np.ndarray,
    mixed_prediction: np.ndarray,
    structures: Sequence[str],
) -> pd.DataFrame:
    rows = [("a", "original", name, image.sum()) for name, image in zip(structures, training, strict=True)]
    rows.append(("a", "composite", "", composite.sum()))
    rows += [("a", "separated", name, image.sum()) for name, image in zip(structures, prediction, strict=True)]
    rows.append(("b", "mixture", "", mixed.sum()))
    rows += [("b", "separated", name, image.sum()) for name, image in zip(structures, mixed_prediction, strict=True)]
    return pd.DataFrame(rows, columns=["panel", "image", "structure", "counts"])
