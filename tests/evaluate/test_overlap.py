"""Overlap measures by hand on four pixels."""

import numpy as np
import pytest

from lusco.evaluate.overlap import overlap


def test_overlap_on_four_pixels():
    a = np.array([[1.0, 3.0], [0.0, 0.0]])
    b = np.array([[0.0, 2.0], [2.0, 0.0]])
    measured = overlap(a, b, 0.5)
    assert measured["manders_a"] == pytest.approx(3 / 4)
    assert measured["manders_b"] == pytest.approx(2 / 4)
    assert measured["iou"] == pytest.approx(1 / 3)
    # means 1 and 1; deviations (0, 2, -1, -1) and (-1, 1, 1, -1): covariance 2 / 4, variances 6 / 4 and 4 / 4
    assert measured["pearson"] == pytest.approx(2 / np.sqrt(6 * 4))


def test_identical_channels_overlap_completely_and_disjoint_ones_not_at_all():
    a = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert overlap(a, a, 0.1) == pytest.approx({"manders_a": 1, "manders_b": 1, "iou": 1, "pearson": 1})
    disjoint = overlap(a, a[::-1, ::-1], 0.1)
    assert (disjoint["manders_a"], disjoint["manders_b"], disjoint["iou"]) == (0, 0, 0)


def test_an_empty_channel_has_no_overlap_to_speak_of():
    measured = overlap(np.zeros((2, 2)), np.ones((2, 2)), 0.1)
    assert np.isnan(measured["manders_a"])
    assert np.isnan(measured["pearson"])
    assert measured["manders_b"] == 0
