"""What the network takes for a pixel, and how far it looks: sizes that follow from its shape, known without torch."""

PATCH_PX = 2  # the network works on patches of 2 x 2 pixels, all of which it reads and writes


def coarsest_px(depth: int) -> int:
    """Side of the network's coarsest pixel, in pixels of the image."""
    return PATCH_PX * 2**depth


def context_px(depth: int, wide_blocks: int = 0) -> int:
    """How far, in pixels, the output of a pixel can depend on the input, rounded up to whole coarsest pixels.

    A 3 x 3 convolution at level l reaches 2**l patches, and so does a halving by 2 x 2; there are four
    convolutions per level, two at the coarsest, and the stem. A wide block there has one more, and one that reaches
    as many times farther as it is dilated. A pixel may be the last of its patch.
    """
    coarse = 2 + sum(2**number + 1 for number in range(wide_blocks))
    reach = PATCH_PX * (1 + sum(5 * 2**level for level in range(depth)) + coarse * 2**depth) + PATCH_PX - 1
    coarsest = coarsest_px(depth)
    return -(-reach // coarsest) * coarsest
