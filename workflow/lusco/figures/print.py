"""Figures in the widths of a journal's columns, with letters of 5 points or more."""

import re
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

from lusco.figures.style import LOOK, Drawing, settle, wide
from lusco.files import atomic

MM_PER_IN = 25.4
COLUMN_MM, PAGE_MM = 85, 178
DPI = 300
SCALE = 7 / 9  # 9 points become 7
NARROW = ("crosstalk", "calibration", "loss")  # a column is enough for one model


def save_print(draw: Callable[[], Drawing], folder: Path, name: str) -> None:
    """Draw and write `<name>.svg` and `.png` (300 dpi), atomically; the same drawing gives the same bytes.

    Letters are outlines, so that no font is missing anywhere.

    Parameters
    ----------
    draw : callable
        Draws the figure.
    folder : Path
        Created if missing.
    name : str
        Of the figure.
    """
    width_mm = PAGE_MM
    figure, table = _drawn(draw, width_mm)
    if name in NARROW and table["model"].nunique() == 1:
        width_mm = COLUMN_MM
        figure, _ = _drawn(draw, width_mm)
    scale = width_mm / MM_PER_IN / figure.get_figwidth()
    height_mm = figure.get_figheight() * MM_PER_IN * scale
    with mpl.rc_context(LOOK):
        settle(figure)
        with atomic(folder / f"{name}.png") as partial:
            stated = {"dpi": (DPI, DPI)}
            figure.savefig(partial, format="png", dpi=DPI * scale, metadata={"Software": None}, pil_kwargs=stated)
        with atomic(folder / f"{name}.svg") as partial:
            figure.savefig(partial, format="svg", dpi=DPI * scale, metadata={"Date": None, "Creator": None})
            size = f'width="{width_mm}mm" height="{height_mm:.3f}mm"'
            svg = partial.read_text(encoding="utf-8")
            partial.write_text(re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', size, svg, count=1), encoding="utf-8")


def _drawn(draw: Callable[[], Drawing], width_mm: float) -> Drawing:
    with wide(width_mm / MM_PER_IN / SCALE):
        return draw()
