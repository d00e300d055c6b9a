"""Figures: data in, a matplotlib figure and the table it was drawn from out; `save` writes both."""

from lusco.figures.calibration import calibration
from lusco.figures.coupling import coupling
from lusco.figures.crosstalk import crosstalk
from lusco.figures.distances import distances
from lusco.figures.examples import channels, examples
from lusco.figures.loss import loss
from lusco.figures.mixed import mixed
from lusco.figures.overlap import overlap
from lusco.figures.peers import peers
from lusco.figures.schematic import schematic
from lusco.figures.shapes import shapes
from lusco.figures.style import save
from lusco.figures.sweep import sweep

__all__ = [
    "calibration",
    "channels",
    "coupling",
    "crosstalk",
    "distances",
    "examples",
    "loss",
    "mixed",
    "overlap",
    "peers",
    "save",
    "schematic",
    "shapes",
    "sweep",
]
