"""What our own network says of localizations, by either head."""

from collections.abc import Sequence

import numpy as np
import torch

from lusco.answer import Answer
from lusco.heads import HEADS
from lusco.network import UNet
from lusco.recolor.tiles import apply_symmetric, apply_to_points
from lusco.render import Points
from lusco.repeats import Repeats, settled


def answer_of(
    network: UNet,
    head: str,
    scale_counts: Sequence[float],
    repeats: Repeats,
    points: Points,
    tile_px: int,
    device: str,
    axes: np.ndarray | None = None,
) -> Answer:
    """Apply a network to localizations.

    Parameters
    ----------
    network : UNet
        The network.
    head : str
        What its output means, a name in `lusco.heads.HEADS`.
    scale_counts : sequence of float
        Scale of each structure's images, in counts per pixel.
    repeats : Repeats
        How molecules repeat; localizations are shown to the network where these settle them.
    points : Points
        The localizations, over an image at the pixel size of the network.
    tile_px : int
        Side of the tiles in pixels.
    device : str
        Torch device.
    axes : numpy.ndarray, optional
        Along which the appearance of localizations is told, shape (axes, features of the network).
    """
    how, scale = HEADS[head], torch.tensor(scale_counts, dtype=torch.float32).reshape(-1, 1, 1)
    channels = appearance = None
    if how.divides:
        z, looks = apply_to_points(network, settled(points, repeats), tile_px, device, axes)
        appearance = None if axes is None else looks.T
    else:
        pixel = points.pixel()
        counts = points.counts(pixel)
        image = torch.from_numpy(apply_symmetric(network, counts, tile_px, device, rectify=True))[None]
        z = image[0].reshape(len(scale), -1)[:, pixel].numpy()
        channels = how.channels(image, image, torch.from_numpy(counts), scale)[0].numpy()
    logs = how.log_probabilities(torch.from_numpy(z)[None, :, None], scale)[0, :, 0]
    return Answer(np.ascontiguousarray(logs.numpy().T), channels, appearance)
