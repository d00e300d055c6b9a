"""From what a model says of localizations to a recoloured image; the views of our own network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from lusco.answer import MOST, Answer, Temperature, finish, log_ratio, of_pixels, soften
from lusco.network import UNet
from lusco.reach import PATCH_PX
from lusco.recolor.tiles import SHIFTS_PX, SYMMETRIES, apply_to_points
from lusco.render import Points

SIDE_PX, PIXEL_NM = 16, 20.0


def scattered(number=400, weight=None):
    x_nm, y_nm = np.random.default_rng(0).uniform(0, SIDE_PX * PIXEL_NM, (2, number))
    return Points(x_nm, y_nm, weight, (0.0, 0.0), PIXEL_NM, (SIDE_PX, SIDE_PX))


def logs(number=400):
    return np.log(soften(np.random.default_rng(1).normal(0, 1, (number, 3)), 1.0))


def at(*x_nm):
    """Localizations in the second row of pixels."""
    return Points(np.array(x_nm), np.full(len(x_nm), 1.5 * PIXEL_NM), None, (0.0, 0.0), PIXEL_NM, (SIDE_PX, SIDE_PX))


class Counts(nn.Module):
    """A network whose answer is what it sees."""

    channels, depth, wide_blocks = 1, 1, 0

    def __init__(self, subpixels=1):
        super().__init__()
        self.subpixels = subpixels
        self.patch = PATCH_PX * subpixels
        self.features = self.patch**2
        self.head = nn.Identity()

    def look(self, counts):
        return functional.pixel_unshuffle(counts, self.patch)


# recoloured images


@pytest.mark.parametrize("weight", [None, np.random.default_rng(2).integers(1, 9, 400).astype(np.float32)])
def test_channels_are_sums_of_the_sharpened_probabilities_of_their_localizations(weight):
    points = scattered(weight=weight)
    result = finish(Answer(logs()), points, Temperature(1.3), 2.0)
    np.testing.assert_allclose(result.channels.sum(0), points.counts(points.pixel()), atol=1e-4)
    counted = 1 if weight is None else weight[:, None]
    sharpened = result.probabilities**2 / (result.probabilities**2).sum(1, keepdims=True)
    np.testing.assert_allclose(result.channels.sum((1, 2)), (counted * sharpened).sum(0), rtol=1e-5)


def test_the_less_precise_a_localization_the_less_sure_it_is():
    """Four times the typical uncertainty, at the power 1/2, is twice the temperature: the root of each probability."""
    points = replace(scattered(5), uncertainty_nm=np.array([8.0, 32.0, np.nan, 8e9, 1e-6]))
    log = np.log(np.tile([0.64, 0.36], (5, 1)))
    result = finish(Answer(log), points, Temperature(1.0, 0.5, 8.0), 1.0)
    surest = np.array([0.64, 0.36]) ** 2 / (0.64**2 + 0.36**2)
    expected = [[0.64, 0.36], [0.8 / 1.4, 0.6 / 1.4], [0.64, 0.36], [0.8 / 1.4, 0.6 / 1.4], surest]
    np.testing.assert_allclose(result.probabilities, expected, rtol=1e-6)
    np.testing.assert_allclose(result.channels.sum((1, 2)), np.sum(expected, 0), rtol=1e-6)
    assert MOST == 4
    np.testing.assert_array_equal(log_ratio(scattered(4), 8.0), 0)  # no uncertainties at all


def test_predicted_channels_are_left_as_they_are():
    predicted = np.random.default_rng(0).random((3, SIDE_PX, SIDE_PX)).astype(np.float32)
    np.testing.assert_array_equal(
        finish(Answer(logs(), predicted), scattered(), Temperature(1.0), 2.0).channels, predicted
    )


def test_probabilities_of_a_pixel_are_the_mean_over_its_localizations():
    points = Points(
        np.array([5.0, 15.0, 25.0]), np.full(3, 5.0), np.array([1.0, 3.0, 1.0]), (0.0, 0.0), PIXEL_NM, (1, 3)
    )
    mean = of_pixels(np.array([[1.0, 0.0], [0.2, 0.8], [0.5, 0.5]]), points)
    np.testing.assert_allclose(mean[:, 0], [[0.4, 0.5, 0.5], [0.6, 0.5, 0.5]], atol=1e-6)


# views


def test_the_pixels_of_the_views_begin_everywhere_in_a_pixel():
    for axis in (0, 1):
        assert sorted(shift[axis] for shift in SHIFTS_PX) == [k / 16 for k in range(1, 16, 2)]


def test_a_localization_alone_is_seen_alone_wherever_it_lies():
    for x_nm in (0.0, 3.0, 20.0, 39.9, SIDE_PX * PIXEL_NM):
        assert apply_to_points(Counts(), at(x_nm), 64, "cpu")[0] == pytest.approx(np.ones((1, 1)))


@pytest.mark.parametrize("apart_px", [0.25, 0.5, 0.75])
def test_localizations_share_a_pixel_in_fewer_views_the_farther_apart_they_are(apart_px):
    """Of pixels that begin anywhere, a part 1 - d holds both of two localizations a part d of a pixel apart."""
    both, _ = apply_to_points(Counts(), at(105.0, 105.0 + apart_px * PIXEL_NM), 64, "cpu")
    np.testing.assert_allclose(both, 1 + (1 - apart_px))


@pytest.mark.parametrize("subpixels", [2, 4])
def test_in_parts_of_a_pixel_localizations_share_less(subpixels):
    """Half a part of a pixel apart, they share every other part."""
    both, _ = apply_to_points(Counts(subpixels), at(105.0, 105.0 + PIXEL_NM / subpixels / 2), 64, "cpu")
    np.testing.assert_allclose(both, 1.5)
    apart, _ = apply_to_points(Counts(subpixels), at(105.0, 105.0 + PIXEL_NM / subpixels), 64, "cpu")
    np.testing.assert_allclose(apart, 1)


@pytest.mark.parametrize("subpixels", [1, 2])
def test_every_localization_gets_the_output_at_its_own_place_from_whichever_tile(subpixels):
    """The field is no square, so that turning it changes its sides; what a view shows is that of whole images."""
    torch.manual_seed(0)
    network = UNet(2, 4, 1, subpixels).eval()
    x_nm, y_nm = np.random.default_rng(0).uniform(0, PIXEL_NM, (2, 500)) * [[30], [21]]
    points = Points(x_nm, y_nm, None, (0.0, 0.0), PIXEL_NM, (21, 30))
    axes = np.random.default_rng(1).normal(size=(3, 4))
    expected = np.zeros((2 + 3, len(points)))  # output, and looks along the axes
    for (turns, step), shift in zip(SYMMETRIES, SHIFTS_PX, strict=True):
        fine = points.finer(subpixels)
        pixel = fine.pixel(shift)
        turned = np.rot90(fine.counts(pixel), turns)[:, ::step]
        rows, columns = turned.shape
        padded = np.pad(turned, [(0, -side % (4 * subpixels)) for side in (rows, columns)])
        with torch.inference_mode():
            shown = torch.from_numpy(padded)[None, None]
            output, look = network(shown)[0].numpy(), network.look(shown)[0].numpy()
        looks = np.kron(np.tensordot(axes, look, 1), np.ones((1, network.patch, network.patch)))
        output = np.concatenate([output, looks])[:, :rows, :columns]
        back = np.rot90(output[:, :, ::step], -turns, axes=(1, 2))
        expected += back.reshape(2 + 3, -1)[:, pixel] / len(SYMMETRIES)
    for tile_px in (4, 64):
        found, none = apply_to_points(network, points, tile_px, "cpu")
        np.testing.assert_allclose(found, expected[:2], atol=1e-5)
        assert none.shape == (0, len(points))
        both = apply_to_points(network, points, tile_px, "cpu", axes)
        np.testing.assert_allclose(np.concatenate(both), expected, atol=1e-5)


def test_pixels_of_an_image_are_seen_as_they_are():
    """Their centres stay within one pixel each in every view, also of pixels of half and of quarter the size."""
    for ratio in (1, 2, 4):
        corner = np.repeat(np.arange(3, 8) * PIXEL_NM, ratio)
        centre = corner + np.tile((np.arange(ratio) + 0.5) * PIXEL_NM / ratio, 5)
        seen = apply_to_points(Counts(), at(*centre), 64, "cpu")[0][0]
        np.testing.assert_allclose(seen[ratio:-ratio], ratio)


def test_of_an_answer_that_depends_on_the_direction_only_the_mean_is_left():
    """But for the part of a pixel by which the views differ; a single view would give 0 to 15."""

    class Rows(Counts):
        def look(self, counts):
            return super().look(torch.arange(counts.shape[2], dtype=torch.float32)[:, None].expand_as(counts))

    answers, _ = apply_to_points(Rows(), scattered(), 64, "cpu")
    np.testing.assert_allclose(answers, (SIDE_PX - 1) / 2, atol=0.5)
