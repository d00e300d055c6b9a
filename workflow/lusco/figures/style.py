"""What all figures share: colours, names as shown, panels, and saving.

Structures have the colours of `lusco.colours`; a marker shape per structure says the same again.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter

from lusco.colours import ON_WHITE
from lusco.files import atomic

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
ALL = "all"  # the row of a table that holds all structures together
INK, GREY, PALE, ALARM = "#1F2430", "#6B7280", "#E2E5EA", "#B42318"

SCREEN_IN = 12.0  # a full-width figure; 9 points are then 12 pixels high on a laptop of 1366 pixels
DPI = 160
TALLEST_IN = 11.5  # of what has to fit a journal's page
NARROW_IN = 6.0  # legends no longer fit beside or in columns

_width_in: ContextVar[float] = ContextVar("width_in", default=SCREEN_IN)

LOOK = {
    "font.family": "DejaVu Sans",  # ships with matplotlib
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
    "svg.fonttype": "path",  # looks the same on machines without the font
    "svg.hashsalt": "lusco",  # element names of an SVG follow from its content
}

PERCENT = FuncFormatter(lambda fraction, _: f"{100 * fraction:g} %")
PLAIN = FuncFormatter(lambda value, _: f"{value:g}")  # a logarithmic axis without mathematical typesetting

Drawing = tuple[Figure, pd.DataFrame]


def styled(draw: Callable[..., Drawing]) -> Callable[..., Drawing]:
    """Run a drawing function under the look of this module, whatever the user's matplotlib settings are."""

    @wraps(draw)
    def draw_with_look(*arguments, **keywords) -> Drawing:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(LOOK)
            return draw(*arguments, **keywords)

    return draw_with_look


def width_in() -> float:
    """Width of a full-width figure in inches: that of a screen, or what `wide` says."""
    return _width_in.get()


def fitted_in(natural: float) -> float:
    """Width in inches of a figure that needs less than the full one on a screen; in print it takes all of it."""
    return natural if width_in() == SCREEN_IN else width_in()


@contextmanager
def wide(width: float) -> Iterator[None]:
    """Draw full-width figures so many inches wide."""
    token = _width_in.set(width)
    try:
        yield
    finally:
        _width_in.reset(token)


def save(figure: Figure, table: pd.DataFrame, folder: str | Path, name: str) -> None:
    """Write `<name>.svg`, `<name>.png` and `<name>.csv`, each atomically; the same drawing gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        As returned by the functions of this folder.
    table : pandas.DataFrame
        What the figure was drawn from.
    folder : str or Path
        Created if missing.
    name : str
        File name without extension.
    """
    folder = Path(folder)
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    with mpl.rc_context(LOOK):
        settle(figure)
        for extension, without in metadata.items():
            with atomic(folder / f"{name}.{extension}") as partial:
                figure.savefig(partial, format=extension, dpi=DPI, metadata=without)
    with atomic(folder / f"{name}.csv") as partial:
        table.to_csv(partial, index=False, lineterminator="\n")


def settle(figure: Figure) -> None:
    """Lay the figure out for good, so that both files agree.

    Ticks and the shapes of images depend on the layout, and the layout on them: the second pass sees the first.
    """
    layout = figure.get_layout_engine()
    for _ in range(2 if layout else 0):
        layout.execute(figure)
    figure.set_layout_engine("none")


def blank(width_in: float, height_in: float) -> Figure:
    """Return an empty figure, sizes in inches, whose layout keeps labels apart."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    FigureCanvasAgg(figure)
    return figure


def cells(number: int, height_in: float, alone_in: float = SCREEN_IN) -> tuple[Figure, list[SubFigure]]:
    """Return a figure of `number` parts, three in a row; sizes in inches: height of a row, width if there is one."""
    columns = min(number, 3)
    rows = -(-number // columns)
    height = height_in * rows if width_in() == SCREEN_IN else min(height_in * rows, TALLEST_IN)
    figure = blank(width_in() if number > 1 else fitted_in(alone_in), height)
    return figure, list(figure.subfigures(rows, columns, squeeze=False).ravel()[:number])


def shown(name: str, width: int = 0) -> str:
    """Return a name as people read it: spaces for underscores, in lines of up to `width` characters if not 0."""
    text = str(name).replace("_", " ")
    return "\n".join(textwrap.wrap(text, width)) if width else text


def cut(name: str, most: int) -> str:
    """Return a name as people read it, shortened to `most` characters."""
    text = shown(name)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def order(found: pd.Series, given: Sequence[str] | None) -> list[str]:
    """Structures in the order of the channels if `given`, otherwise as they come in the table; never `all`."""
    return list(given) if given is not None else [name for name in found.dropna().unique() if name != ALL]


def look(structures: Sequence[str]) -> dict[str, dict[str, str]]:
    """Colour and marker of each structure in plots, and those of `all`."""
    styles = {
        name: {"color": ON_WHITE[index % len(ON_WHITE)], "marker": MARKERS[index % len(MARKERS)]}
        for index, name in enumerate(structures)
    }
    return styles | {ALL: {"color": INK, "marker": "o"}}


def free_corner(table: pd.DataFrame) -> str:
    """The corner of a plot of `predicted` over `truth` on that side of the diagonal that has fewer points."""
    above = (table["predicted"] > table["truth"]).mean()
    return "lower right" if above > 0.5 else "upper left"


def composites_only(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of composites, that is without the rows that `acquisition` ascribes to a scored mixed acquisition."""
    if "acquisition" not in table:
        return table
    return table[table["acquisition"].isna() | (table["acquisition"] == "")]


def jitter(number: int) -> np.ndarray:
    """Offsets in [-0.5, 0.5), shape (number,), spread evenly without chance (golden ratio), so that points part."""
    return (np.arange(number) * 0.6180339887498949) % 1 - 0.5
