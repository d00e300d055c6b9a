"""Applying a network to images of any size: tiles that join without seams, averaged over the eight symmetries.

Each tile is computed with a margin as wide as the network's context, and only its centre is kept; nothing
in the network depends on the rest of the image, so the result is that of the whole image.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from lusco.network import UNet, coarsest_px, context_px


def apply_symmetric(network: UNet, counts: np.ndarray, tile_px: int, device: str) -> np.ndarray:
    """Output of the network, averaged over the rotations by right angles and the mirror images of the input.

    No structure has a preferred direction, so the eight answers differ only by the network's own errors.

    Parameters
    ----------
    network : UNet
        The network.
    counts : numpy.ndarray
        Shape (rows, columns).
    tile_px : int
        Side of the part of a tile that is kept, in pixels.
    device : str
        Torch device.

    Returns
    -------
    numpy.ndarray
        Shape (channels, rows, columns), float32.
    """
    context, multiple = context_px(network.depth), coarsest_px(network.depth)
    total = np.zeros((network.channels, *counts.shape), dtype=np.float32)
    for turns in range(4):
        for step in (1, -1):
            turned = np.rot90(counts, turns)[:, ::step]
            output = apply_tiled(network, turned, network.channels, tile_px, context, multiple, device)
            total += np.rot90(output[:, :, ::step], -turns, axes=(1, 2))
    return total / 8


def apply_tiled(
    network: nn.Module,
    counts: np.ndarray,
    channels: int,
    tile_px: int,
    context_px: int,
    multiple: int,
    device: str,
) -> np.ndarray:
    """Output of the network for an image.

    Parameters
    ----------
    network : torch.nn.Module
        Maps (1, 1, rows, columns) to (1, channels, rows, columns) for sides that are multiples of `multiple`.
    counts : numpy.ndarray
        Shape (rows, columns).
    channels : int
        Number of output channels.
    tile_px : int
        Side of the part of a tile that is kept, in pixels.
    context_px : int
        Margin in pixels, a multiple of `multiple`.
    multiple : int
        The coarsest pixel of the network, in pixels.
    device : str
        Torch device.

    Returns
    -------
    numpy.ndarray
        Shape (channels, rows, columns), float32.
    """
    rows, columns = counts.shape
    padded = np.pad(counts, ((0, -rows % multiple), (0, -columns % multiple)))
    image = torch.from_numpy(np.ascontiguousarray(padded, dtype=np.float32))[None, None]
    output = np.empty((channels, *padded.shape), dtype=np.float32)
    network = network.to(device)
    with torch.inference_mode():
        for row in _tiles(padded.shape[0], tile_px, context_px, multiple):
            for column in _tiles(padded.shape[1], tile_px, context_px, multiple):
                tile: Tensor = network(image[:, :, row.source, column.source].to(device)).float().cpu()
                output[:, row.kept, column.kept] = tile[0, :, row.inner, column.inner].numpy()
    return output[:, :rows, :columns]


class _Span:
    """Where a tile reads, which part of it is kept, and where that part lies in the image."""

    def __init__(self, start: int, stop: int, length: int, context_px: int) -> None:
        first, last = max(0, start - context_px), min(length, stop + context_px)
        self.source = slice(first, last)
        self.kept = slice(start, stop)
        self.inner = slice(start - first, stop - first)


def _tiles(length: int, tile_px: int, context_px: int, multiple: int) -> Iterator[_Span]:
    tile_px = max(multiple, tile_px // multiple * multiple)
    for start in range(0, length, tile_px):
        yield _Span(start, min(length, start + tile_px), length, context_px)
