"""Applying a network to images of any size: tiles that join without seams, averaged over eight views.

Each tile is computed with a margin as wide as the network's context, and only its centre is kept; nothing
in the network depends on the rest of the image, so the result is that of the whole image.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from lusco.network import UNet, coarsest_px, context_px
from lusco.render import Points

SYMMETRIES = tuple((turns, step) for turns in range(4) for step in (1, -1))  # right angles, and each one mirrored
# Where the pixels of each view begin, in pixels along x and y: spread evenly over a pixel. Odd sixteenths, so that the
# pixels of an image, whose centres lie at halves, quarters or eighths, never come to lie on an edge.
SHIFTS_PX = tuple(((2 * k + 1) / 16, (2 * (3 * k % 8) + 1) / 16) for k in range(len(SYMMETRIES)))


def apply_to_points(network: UNet, points: Points, tile_px: int, device: str) -> np.ndarray:
    """Output of the network for each localization, averaged over views that differ in direction and in pixels.

    No structure has a preferred direction, nor a preferred place within a pixel: each view is turned or mirrored
    differently, and its pixels begin elsewhere. So the answers differ by the network's own errors and by what pixels
    leave out of positions, and their mean has less of both, for the cost of the views alone.

    Parameters
    ----------
    network : UNet
        The network.
    points : Points
        The n localizations.
    tile_px : int
        Side of the part of a tile that is kept, in pixels.
    device : str
        Torch device.

    Returns
    -------
    numpy.ndarray
        Shape (channels, n), float32.
    """
    total = np.zeros((network.channels, len(points)), dtype=np.float32)
    for symmetry, shift_px in zip(SYMMETRIES, SHIFTS_PX, strict=True):
        _add_view(total, network, points, symmetry, shift_px, tile_px, device)
    total /= len(SYMMETRIES)
    return total


def _add_view(
    total: np.ndarray,
    network: UNet,
    points: Points,
    symmetry: tuple[int, int],
    shift_px: tuple[float, float],
    tile_px: int,
    device: str,
) -> None:
    """Add the output of one view; its image, of large fields half a gigabyte, is gone before the next is made."""
    pixel = points.pixel(shift_px)
    output = _view(network, points.counts(pixel), symmetry, tile_px, device)
    rows, columns = np.divmod(pixel, points.shape[1])
    for sums, channel in zip(total, output, strict=True):
        sums += channel[rows, columns]


def apply_symmetric(network: UNet, counts: np.ndarray, tile_px: int, device: str) -> np.ndarray:
    """Output of the network for each pixel, averaged over rotations by right angles and mirror images of the input.

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
    total = np.zeros((network.channels, *counts.shape), dtype=np.float32)
    for symmetry in SYMMETRIES:
        total += _view(network, counts, symmetry, tile_px, device)
    return total / len(SYMMETRIES)


def _view(network: UNet, counts: np.ndarray, symmetry: tuple[int, int], tile_px: int, device: str) -> np.ndarray:
    """Output for an image that is shown turned and mirrored, turned back."""
    turns, step = symmetry
    context, multiple = context_px(network.depth), coarsest_px(network.depth)
    turned = np.rot90(counts, turns)[:, ::step]
    output = apply_tiled(network, turned, network.channels, tile_px, context, multiple, device)
    return np.rot90(output[:, :, ::step], -turns, axes=(1, 2))


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
    # without gradients, convolutions of a processor are half as fast again with the features of a pixel side by side
    network = network.to(device, memory_format=torch.channels_last)
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
