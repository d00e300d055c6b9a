"""The network: exact size, what a pixel depends on, and what its output means."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from lusco.heads import HEADS
from lusco.network import UNet
from lusco.reach import coarsest_px, context_px
from lusco.recolor.tiles import SYMMETRIES, _view, apply_symmetric, apply_tiled


def small_network(channels=3, features=4, depth=2, subpixels=1, wide_blocks=0):
    torch.manual_seed(0)
    network = UNet(channels, features, depth, subpixels, wide_blocks).eval()
    for block in network.wide:
        torch.nn.init.normal_(block.second.weight, std=0.1)  # as after some training: they begin as zeros
    return network


@pytest.mark.parametrize(("subpixels", "wide_blocks"), [(1, 0), (2, 0), (2, 3)])
def test_parameter_count_follows_from_the_layers(subpixels, wide_blocks):
    features, depth, channels = 8, 3, 5
    widths = [features * 2**level for level in range(depth + 1)]
    block = {width: 2 * (9 * width * width + width) for width in widths}
    patch = 4 * subpixels**2
    expected = 9 * patch * features + features + patch * (features * channels + channels)
    expected += sum(block[width] for width in widths) + sum(block[width] for width in widths[:-1])
    expected += wide_blocks * block[widths[-1]]
    for fine, coarse in pairwise(widths):
        expected += 4 * fine * coarse + coarse + coarse * fine + fine
    network = UNet(channels, features, depth, subpixels, wide_blocks)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_a_level_that_is_switched_off_can_learn_again():
    network = small_network()
    with torch.no_grad():
        network.down[-1].bias.fill_(-100)  # the sums of the coarsest level are negative throughout
    network(torch.rand(1, 1, 32, 32)).square().sum().backward()
    assert network.down[-1].bias.grad.abs().min() > 0


@pytest.mark.parametrize(
    ("depth", "subpixels", "wide_blocks"), [(1, 1, 0), (2, 1, 0), (3, 1, 0), (2, 2, 0), (1, 1, 2), (2, 2, 3)]
)
def test_the_stated_context_covers_everything_a_pixel_depends_on(depth, subpixels, wide_blocks):
    network = small_network(depth=depth, subpixels=subpixels, wide_blocks=wide_blocks)
    for parameter in network.parameters():
        parameter.data.abs_()  # no unit is ever silent, and nothing cancels
    context = subpixels * context_px(depth, wide_blocks)
    side = 2 * context + subpixels * coarsest_px(depth) * 4
    middle = side // 2
    counts = torch.rand(1, 1, side, side, requires_grad=True)
    network(counts)[0, :, middle, middle].sum().backward()
    rows = torch.nonzero(counts.grad[0, 0].abs().sum(1))[:, 0]
    reach = max(middle - int(rows.min()), int(rows.max()) - middle)
    assert context // 2 < reach <= context


def test_tiles_join_without_seams():
    network = small_network(depth=2, wide_blocks=1)
    counts = np.random.default_rng(0).poisson(0.3, (150, 203)).astype(np.float32)
    whole = apply_tiled(network, counts, 3, 1024, context_px(2, 1), 8, "cpu")
    tiled = apply_tiled(network, counts, 3, 48, context_px(2, 1), 8, "cpu")
    assert whole.shape == (3, 150, 203)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_tiles_without_a_margin_would_show_seams():
    network = small_network(depth=2)
    counts = np.random.default_rng(0).poisson(0.3, (96, 96)).astype(np.float32)
    whole = apply_tiled(network, counts, 3, 1024, context_px(2), 8, "cpu")
    assert np.abs(apply_tiled(network, counts, 3, 48, 0, 8, "cpu") - whole).max() > 1e-3


def test_a_turned_or_mirrored_image_gets_the_turned_or_mirrored_answer():
    network = small_network(depth=2)
    counts = np.random.default_rng(0).poisson(0.3, (48, 64)).astype(np.float32)
    answer = apply_symmetric(network, counts, 64, "cpu")
    np.testing.assert_allclose(
        apply_symmetric(network, np.rot90(counts), 64, "cpu"), np.rot90(answer, axes=(1, 2)), atol=1e-5
    )
    np.testing.assert_allclose(apply_symmetric(network, counts[:, ::-1], 64, "cpu"), answer[:, :, ::-1], atol=1e-5)


def test_what_a_view_has_below_zero_takes_nothing_from_the_others_if_it_was_not_learned():
    network = small_network(depth=2)
    counts = np.random.default_rng(0).poisson(0.3, (48, 64)).astype(np.float32)
    views = [_view(network, counts, symmetry, 64, "cpu") for symmetry in SYMMETRIES]
    assert min(view.min() for view in views) < 0
    rectified = apply_symmetric(network, counts, 64, "cpu", rectify=True)
    np.testing.assert_allclose(rectified, np.mean([np.maximum(view, 0) for view in views], axis=0), atol=1e-6)


COUNTS = torch.tensor([[[[3.0, 0.0]], [[1.0, 2.0]]]])  # two structures, one row of two pixels
SCALE = torch.tensor([2.0, 4.0]).reshape(2, 1, 1)


def mean(loss):
    total, number = loss
    return (total / number).item()


def test_the_loss_of_shares_is_the_mean_surprise_per_localization():
    z = torch.log(torch.tensor([[[[0.75, 0.5]], [[0.25, 0.5]]]]))
    expected = -(3 * np.log(0.75) + np.log(0.25) + 2 * np.log(0.5)) / 6
    assert mean(HEADS["shares"].loss(z, COUNTS, SCALE)) == pytest.approx(expected)


def test_the_loss_of_a_regression_is_zero_for_the_true_channels():
    head = HEADS["regression"]
    assert mean(head.loss(COUNTS / SCALE, COUNTS, SCALE)) == 0
    assert mean(head.loss(torch.zeros_like(COUNTS), COUNTS, SCALE)) == pytest.approx((1.5**2 + 0.25**2 + 0.5**2) / 4)


def test_shares_conserve_what_was_measured_and_invent_nothing():
    head = HEADS["shares"]
    z = torch.randn(1, 3, 8, 8)
    composite = torch.poisson(torch.full((1, 1, 8, 8), 0.7))
    channels = head.channels(z, head.log_probabilities(z, SCALE).exp(), composite, SCALE)
    assert torch.allclose(channels.sum(1, keepdim=True), composite, atol=1e-5)
    assert (channels >= 0).all()
    assert (channels.sum(1)[composite[:, 0] == 0] == 0).all()


def test_a_regression_that_is_below_zero_everywhere_still_learns():
    z = torch.full_like(COUNTS, -1.0, requires_grad=True)
    HEADS["regression"].loss(z, COUNTS, SCALE)[0].backward()
    assert (z.grad < 0).all()


def test_a_regression_gives_probabilities_in_proportion_to_its_channels():
    probabilities = HEADS["regression"].log_probabilities(COUNTS / SCALE, SCALE).exp()
    assert probabilities[0, :, 0, 0].tolist() == pytest.approx([0.75, 0.25], abs=1e-3)
    assert torch.allclose(probabilities.sum(1), torch.ones(1, 1, 2))
