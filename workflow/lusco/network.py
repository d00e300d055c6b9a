"""The auto-encoder G: a residual U-Net without normalization layers.

Ronneberger et al. 2015, with residual blocks whose branches start small (Zhang et al. 2019, Fixup) on weights
drawn as by He et al. 2015, in place of normalization: nothing depends on the rest of the image, so that tiles
join without seams, and a training step spends its time in convolutions.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lusco.reach import PATCH_PX

HEAD_SCALE = 0.1  # at the start every structure is nearly as likely
LEAK = 0.1  # slope of the residual stream below zero
BRANCH_SCALE = 0.4  # of a residual branch at the start, so that the signal neither grows nor fades with depth


class ResidualBlock(nn.Module):
    """leaky_relu(x + conv(relu(conv(x)))).

    The stream leaks, because a level whose sums all turn negative would otherwise never learn again: a plain relu
    has switched off the coarsest level, and with it the wide context, of a network that trained on.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, features, rows, columns) in and out."""
        # in place wherever the convolutions allow: passes over memory cost as much as they do
        branch = self.second(functional.relu_(self.first(x)))
        return functional.leaky_relu_(branch.add_(x), LEAK)


class WideBlock(nn.Module):
    """x + conv(leaky_relu(dilated conv(x))), at the start x itself, so that a network that gets it answers as before.

    What the first convolution learns before anything depends on it is noise, by which plain relus fall silent for good.

    Parameters
    ----------
    features : int
        Features in and out.
    dilation : int
        Pixels between the places that the first convolution reads.
    """

    def __init__(self, features: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, features, rows, columns) in and out."""
        return x + self.second(functional.leaky_relu_(self.first(x), LEAK))


class UNet(nn.Module):
    """U-Net on patches of pixels, whose skips are added.

    At full resolution a U-Net spends most of its time on passes over memory; on patches of 2 x 2 pixels the same
    time buys more steps, wider features and a wider context.

    Parameters
    ----------
    channels : int
        Output channels.
    features : int
        Features at half resolution; each further halving doubles them.
    depth : int
        Number of further halvings.
    subpixels : int
        Parts of a pixel's side; input and output have so many rows and columns for each of the image's. A patch is
        still one of 2 x 2 pixels, so that finer positions cost next to nothing.
    wide_blocks : int
        Further blocks at the coarsest level, each dilated twice as much as the one before.
    """

    def __init__(self, channels: int, features: int, depth: int, subpixels: int = 1, wide_blocks: int = 0) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(depth + 1)]
        self.channels = channels
        self.features = features
        self.depth = depth
        self.subpixels = subpixels
        self.wide_blocks = wide_blocks
        self.patch = PATCH_PX * subpixels
        self.stem = nn.Conv2d(self.patch**2, features, 3, padding=1)
        self.encoder = nn.ModuleList(ResidualBlock(width) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.wide = nn.Sequential(*(WideBlock(widths[-1], 2**number) for number in range(wide_blocks)))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in itertools.pairwise(widths))
        self.decoder = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.head = nn.Conv2d(features, channels * self.patch**2, 1)
        self._initialize()

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        for block in (*self.encoder, *self.decoder):
            block.second.weight.data *= BRANCH_SCALE
        for block in self.wide:
            nn.init.zeros_(block.second.weight)
        self.head.weight.data *= HEAD_SCALE

    def forward(self, counts: Tensor) -> Tensor:
        """Map counts, shape (batch, 1, rows, columns), to output, (batch, channels, rows, columns).

        Rows and columns must be multiples of `subpixels * coarsest_px(depth)`.
        """
        return functional.pixel_shuffle(self.head(self.look(counts)), self.patch)

    def look(self, counts: Tensor) -> Tensor:
        """Features of each patch that the output is made of, shape (batch, features, rows / patch, columns / patch)."""
        x = self.stem(functional.pixel_unshuffle(torch.log1p(counts), self.patch))
        skips = []
        for level in range(self.depth):
            x = self.encoder[level](x)
            skips.append(x)
            x = self.down[level](x)
        x = self.wide(self.encoder[self.depth](x))
        for level in reversed(range(self.depth)):
            x = functional.interpolate(self.up[level](x), scale_factor=2, mode="nearest")
            x = self.decoder[level](x + skips[level])
        return x


class InPatches(nn.Module):
    """Output of a network as channels of patches, and how each looks to it: its last features along given axes.

    Parameters
    ----------
    network : UNet
        The network.
    axes : torch.Tensor
        Shape (axes, features of the network).
    """

    def __init__(self, network: UNet, axes: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("axes", axes)

    def forward(self, counts: Tensor) -> Tensor:
        """Map counts to channels of patches: each output at each place in a patch, then the axes."""
        x = self.network.look(counts)
        return torch.cat([self.network.head(x), torch.einsum("af,bfrc->barc", self.axes, x)], 1)


def in_parts(network: UNet, subpixels: int) -> UNet:
    """A network that sees pixels in other parts, and gives of each nearly what the given one gives there.

    What is read and written of a pixel is read and written of each of its parts: counts are few, so that the sum of
    their log(1 + x) is about that of the pixel. Of parts that become one, it is the mean.
    """
    other = UNet(network.channels, network.features, network.depth, subpixels, network.wide_blocks)
    weights = network.state_dict()
    for name, axis in (("stem.weight", 1), ("head.weight", 0), ("head.bias", 0)):
        weights[name] = _resampled(weights[name], axis, network.subpixels, subpixels)
    other.load_state_dict(weights)
    return other


def _resampled(weight: Tensor, axis: int, before: int, after: int) -> Tensor:
    """Weights of the places of a patch, rows by columns along an axis, for other parts of its pixels."""
    common = math.gcd(before, after)
    side = PATCH_PX * before
    weight = weight.unflatten(axis, (-1, side, side))
    for place in (axis + 1, axis + 2):
        weight = weight.repeat_interleave(after // common, place)
        weight = weight.unflatten(place, (-1, before // common)).mean(place + 1)
    return weight.flatten(axis, axis + 2)
