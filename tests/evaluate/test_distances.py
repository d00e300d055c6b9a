"""Distances by hand on a few pixels, and the meaning of each reference."""

import numpy as np
import pytest

from lusco.evaluate.distances import comparisons, distance, prepare, structure_scale


def test_mse_on_four_pixels():
    a = np.array([[0.0, 0.5], [1.0, 0.0]], dtype=np.float32)
    b = np.array([[0.0, 0.0], [0.0, 0.5]], dtype=np.float32)
    assert distance("mse", a, b) == pytest.approx((0.25 + 1 + 0.25) / 4)


def test_one_minus_ssim_of_two_constant_images_follows_the_definition():
    """Without variance SSIM is (2 a b + C1) / (a^2 + b^2 + C1) with C1 = 0.01^2."""
    a, b = np.full((16, 16), 0.2), np.full((16, 16), 0.6)
    ssim = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert distance("dssim", a, b) == pytest.approx(1 - ssim, rel=1e-6)


def test_a_single_count_smoothed_has_the_peak_of_a_gaussian():
    counts = np.zeros((41, 41))
    counts[20, 20] = 1
    sigma_px = 60 / 20
    assert prepare(counts, 1.0, 60, 20)[20, 20] == pytest.approx(1 / (2 * np.pi * sigma_px**2), rel=0.01)


def test_prepared_images_are_clipped_to_one():
    assert prepare(np.full((9, 9), 50.0), 2.0, 0, 20).max() == 1.0


def test_the_scale_depends_on_the_training_renderings_only_and_is_linear_in_counts():
    rendering = np.random.default_rng(0).poisson(2.0, (64, 64)).astype(float)
    once = structure_scale([rendering], 12, 20)
    assert structure_scale([3 * rendering], 12, 20) == pytest.approx(3 * once, rel=1e-5)
    assert structure_scale([rendering, 3 * rendering], 12, 20) == pytest.approx(2 * once, rel=1e-5)


def test_the_scale_is_of_occupied_pixels():
    """Of a single count among many empty pixels it is the peak of that count."""
    rendering = np.zeros((65, 65))
    rendering[32, 32] = 7.0
    assert structure_scale([rendering], 12, 20) == pytest.approx(
        prepare(rendering, 1e6, 12, 20)[32, 32] * 1e6, rel=1e-4
    )


def test_each_comparison_takes_the_images_it_is_named_after():
    rng = np.random.default_rng(0)
    truth, prediction, composite, first, second, other = rng.random((6, 16, 16))
    values = {
        (name, comparison): value
        for name, comparison, value in comparisons(truth, prediction, composite, (first, second), other, rng)
    }
    assert values["mse", "model"] == pytest.approx(np.mean((truth - prediction) ** 2))
    assert values["mse", "composite"] == pytest.approx(np.mean((truth - composite) ** 2))
    assert values["mse", "floor"] == pytest.approx(np.mean((first - second) ** 2))
    assert values["mse", "shuffled_pairs"] == pytest.approx(np.mean((truth - other) ** 2))
    # a permutation of pixels keeps mean and variance, so its distance is near twice the variance
    assert values["mse", "shuffled_pixels"] == pytest.approx(2 * truth.var(), rel=0.3)
    assert len(values) == 10
