"""An input on which a package shows and proves what it does: a small mixture, simulated."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.image import imsave

from lusco.figures.pixels import full_brightness, grey, merged
from lusco.render import points_of
from lusco.repeats import Repeats, settled
from lusco.sheet import MIXED
from lusco.simulate import simulate
from lusco.simulate.description import GEOMETRIES, complete

SIDE_PX = 256  # at least, where the network takes it
SEED = 1


def example_counts(
    structures: Sequence[str], pixel_nm: float, sizes_px: tuple[int, int, int], repeats: Repeats
) -> np.ndarray:
    """Counts of a simulated mixture of those structures that LUSCo simulates, or of all that it simulates if none is.

    Parameters
    ----------
    structures : sequence of str
        Structures of the model.
    pixel_nm : float
        Pixel size in nm.
    sizes_px : tuple of int
        Smallest side, step and halo, as of `lusco.package.parts.sizes`.
    repeats : Repeats
        Of the model, which is shown localizations where these settle them.

    Returns
    -------
    numpy.ndarray
        Shape (1, 1, side, side), float32.
    """
    smallest, step, _ = sizes_px
    side_px = smallest + -(-max(0, SIDE_PX - smallest) // step) * step
    known = [name for name in structures if name in GEOMETRIES] or list(GEOMETRIES)
    side_um = side_px * pixel_nm / 1e3
    description = complete({"structures": {name: {} for name in known}, "field_um": [side_um, side_um]}, "test tensor")
    points = settled(points_of(simulate(description, "example", MIXED, SEED), pixel_nm), repeats)
    counts = points.counts(points.pixel())
    return np.ascontiguousarray(counts[None, None, :side_px, :side_px])


def cover(counts: np.ndarray, channels: np.ndarray, pixel_nm: float) -> bytes:
    """A picture, as PNG: on the left the counts, on the right the channels in colours.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (rows, columns).
    channels : numpy.ndarray
        Shape (structures, rows, columns), in counts.
    pixel_nm : float
        Pixel size in nm.
    """
    full = full_brightness(counts, pixel_nm)
    picture = np.hstack([grey(counts, pixel_nm, full), merged(channels, pixel_nm, [full] * len(channels))])
    buffer = io.BytesIO()
    imsave(buffer, picture, format="png", metadata={"Software": None})
    return buffer.getvalue()
