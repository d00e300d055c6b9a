"""Applying a network to images of any size: tiles that join without seams, averaged over eight views.

Each tile is computed with a margin as wide as the network's context, and only its centre is kept; nothing
in the network depends on the rest of the image, so the result is that of the whole image.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from lusco.network import InPatches, UNet
from lusco.reach import coarsest_px, context_px
from lusco.render import Points

SYMMETRIES = tuple((turns, step) for turns in range(4) for step in (1, -1))  # right angles, and each one mirrored
# Where the pixels of each view begin, in pixels along x and y: spread evenly over a pixel. Odd sixteenths, so that the
# pixels of an image, whose centres lie at halves, quarters or eighths, never come to lie on an edge.
SHIFTS_PX = tuple(((2 * k + 1) / 16, (2 * (3 * k % 8) + 1) / 16) for k in range(len(SYMMETRIES)))


def apply_to_points(
    network: UNet, points: Points, tile_px: int, device: str, axes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What a network makes of each localization, averaged over views that differ in direction and in pixels.

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
        Side of the part of a tile that is kept, in pixels of the image.
    device : str
        Torch device.
    axes : numpy.ndarray, optional
        Shape (axes, features of the network).

    Returns
    -------
    numpy.ndarray
        Its output, shape (channels, n), float32.
    numpy.ndarray
        How the patch of each looks to it, its last features along the axes, shape (axes, n), float32.
    """
    axes = np.empty((0, network.features)) if axes is None else axes
    output, looks = (np.zeros((rows, len(points)), dtype=np.float32) for rows in (network.channels, len(axes)))
    in_patches = InPatches(network, torch.from_numpy(axes).float())
    seen = points.finer(network.subpixels)
    for symmetry, shift_px in zip(SYMMETRIES, SHIFTS_PX, strict=True):
        _add_view(output, looks, in_patches, seen, symmetry, shift_px, tile_px, device)
    output /= len(SYMMETRIES)
    looks /= len(SYMMETRIES)
    return output, looks


def _add_view(
    output: np.ndarray,
    looks: np.ndarray,
    in_patches: InPatches,
    points: Points,
    symmetry: tuple[int, int],
    shift_px: tuple[float, float],
    tile_px: int,
    device: str,
) -> None:
    """Add what one view gives, rendered and read tile by tile: those of a large field would be gigabytes."""
    turns, step = symmetry
    pixel = points.pixel(shift_px)
    rows, columns = np.divmod(pixel, points.shape[1])
    height, width = points.shape
    for _ in range(turns):
        rows, columns = width - 1 - columns, rows
        height, width = width, height
    if step < 0:
        columns = width - 1 - columns

    def within(row: slice, column: slice) -> np.ndarray:
        """Which localizations lie in a part of the view."""
        here = (rows >= row.start) & (rows < row.stop) & (columns >= column.start) & (columns < column.stop)
        return np.flatnonzero(here)

    def counts(row: slice, column: slice) -> np.ndarray:
        here, shape = within(row, column), (row.stop - row.start, column.stop - column.start)
        weight = None if points.weight is None else points.weight[here]
        own = (rows[here] - row.start) * shape[1] + columns[here] - column.start
        return np.bincount(own, weight, minlength=shape[0] * shape[1]).reshape(shape)

    network = in_patches.network
    places = network.channels * network.patch**2
    for row, column, tile in _outputs(in_patches, counts, (height, width), *_sizes(network, tile_px), device):
        here = within(row.kept, column.kept)
        patch_row, in_row = np.divmod(rows[here] - row.source.start, network.patch)
        patch_column, in_column = np.divmod(columns[here] - column.source.start, network.patch)
        in_place = tile[:places].reshape(network.channels, network.patch, network.patch, *tile.shape[1:])
        output[:, here] += in_place[:, in_row, in_column, patch_row, patch_column]
        looks[:, here] += tile[places:, patch_row, patch_column]


def apply_symmetric(network: UNet, counts: np.ndarray, tile_px: int, device: str, rectify: bool = False) -> np.ndarray:
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
    rectify : bool
        Whether what is below zero counts as zero in each view, where its size was not learned.

    Returns
    -------
    numpy.ndarray
        Shape (channels, rows, columns), float32.
    """
    total = np.zeros((network.channels, *counts.shape), dtype=np.float32)
    for symmetry in SYMMETRIES:
        view = _view(network, counts, symmetry, tile_px, device)
        total += np.maximum(view, 0) if rectify else view
    return total / len(SYMMETRIES)


def _view(network: UNet, counts: np.ndarray, symmetry: tuple[int, int], tile_px: int, device: str) -> np.ndarray:
    """Output for an image that is shown turned and mirrored, turned back."""
    turns, step = symmetry
    turned = np.rot90(counts, turns)[:, ::step]
    output = apply_tiled(network, turned, network.channels, *_sizes(network, tile_px), device)
    return np.rot90(output[:, :, ::step], -turns, axes=(1, 2))


def _sizes(network: UNet, tile_px: int) -> tuple[int, int, int]:
    """Side of a tile, margin and coarsest pixel, in what the network takes for pixels."""
    sizes = tile_px, context_px(network.depth, network.wide_blocks), coarsest_px(network.depth)
    return tuple(network.subpixels * size for size in sizes)


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
    output = np.empty((channels, *padded.shape), dtype=np.float32)
    tiles = _outputs(network, lambda *part: padded[part], counts.shape, tile_px, context_px, multiple, device)
    for row, column, tile in tiles:
        output[:, row.kept, column.kept] = tile[:, row.inner, column.inner]
    return output[:, :rows, :columns]


def _outputs(
    network: nn.Module,
    counts: Callable[[slice, slice], np.ndarray],
    shape: tuple[int, int],
    tile_px: int,
    context_px: int,
    multiple: int,
    device: str,
) -> Iterator[tuple["_Span", "_Span", np.ndarray]]:
    """Rows and columns of each tile, and its output, margins and all.

    The image has a shape that may be no multiple of the coarsest pixel; its counts are asked for beyond that too.
    """
    rows, columns = (side + -side % multiple for side in shape)
    # without gradients, convolutions of a processor are half as fast again with the features of a pixel side by side
    network = network.to(device, memory_format=torch.channels_last)
    for row in _tiles(rows, tile_px, context_px, multiple):
        for column in _tiles(columns, tile_px, context_px, multiple):
            image = np.ascontiguousarray(counts(row.source, column.source), dtype=np.float32)
            with torch.inference_mode():
                tile: Tensor = network(torch.from_numpy(image)[None, None].to(device)).float().cpu()
            yield row, column, tile[0].numpy()


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
