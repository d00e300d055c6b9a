"""What the network's output means: shares of what was measured, or the channels themselves.

A head is a record of functions of the network's output `z`, shape (batch, structures, rows, columns).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lusco.settings import SHARES

TRACE_COUNTS = 1e-3  # keeps the shares defined where a regression predicts nothing at all


@dataclass(frozen=True)
class Head:
    """The meaning of an output.

    Parameters
    ----------
    loss : callable
        (z, counts, scale) to a sum and the number it is over; counts as z, scale (structures, 1, 1) in counts per
        pixel.
    log_probabilities : callable
        (z, scale) to the log probability of each structure in each pixel, as z.
    channels : callable
        (z, shares, composite, scale) to the recoloured channels in counts, as z.
    divides : bool
        Whether the channels are shares of what was measured, so that they follow from those of each localization.
    """

    loss: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    log_probabilities: Callable[[Tensor, Tensor], Tensor]
    channels: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    divides: bool


def _shares_loss(z: Tensor, counts: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the localizations: each one of a pixel is a draw from the pixel's shares."""
    return -(counts * functional.log_softmax(z, 1)).sum(), counts.sum().clamp(min=1)


def _shares_log_probabilities(z: Tensor, scale: Tensor) -> Tensor:
    return functional.log_softmax(z, 1)


def _shares_channels(z: Tensor, shares: Tensor, composite: Tensor, scale: Tensor) -> Tensor:
    return shares * composite


def _regression_loss(z: Tensor, counts: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error of the channels, each in units of its structure's scale.

    Of the output itself: rectified, it would learn nothing any more where all of it is below zero.
    """
    return functional.mse_loss(z, counts / scale, reduction="sum"), z.new_tensor(float(z.numel()))


def _regression_log_probabilities(z: Tensor, scale: Tensor) -> Tensor:
    channels = functional.relu(z) * scale + TRACE_COUNTS
    return torch.log(channels / channels.sum(1, keepdim=True))


def _regression_channels(z: Tensor, shares: Tensor, composite: Tensor, scale: Tensor) -> Tensor:
    return functional.relu(z) * scale


HEADS = {
    SHARES: Head(_shares_loss, _shares_log_probabilities, _shares_channels, divides=True),
    "regression": Head(_regression_loss, _regression_log_probabilities, _regression_channels, divides=False),
}
