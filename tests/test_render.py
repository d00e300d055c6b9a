"""Rendering counts every localization once, in the right pixel."""

import numpy as np
import pytest

from lusco import table
from lusco.errors import InputError
from lusco.render import points_of, render, render_points, shape_px

FIELD = (100.0, 1100.0, -50.0, 450.0)


def test_no_localization_is_lost_by_rendering():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(100, 1100, 70_000), rng.uniform(-50, 450, 70_000)
    assert render_points(x, y, FIELD, 20).sum() == 70_000


def test_far_edges_belong_to_the_last_pixel():
    image = render_points(np.array([1100.0]), np.array([450.0]), FIELD, 20)
    assert image.shape == (25, 50)
    assert image[-1, -1] == 1


def test_rows_are_y_and_columns_are_x_from_the_corner_of_the_field():
    image = render_points(np.array([100.0, 119.9, 120.0]), np.array([-50.0, -50.0, -31.0]), FIELD, 20)
    assert image[0, 0] == 2
    assert image[0, 1] == 1


def test_a_partial_pixel_at_the_edge_counts_as_one_and_rounding_adds_none():
    assert shape_px((0, 1001, 0, 1000), 20) == (50, 51)
    assert shape_px((0, 0.1 * 3 * 100, 0, 30), 0.1) == (300, 300)  # 0.1 * 3 is not 0.3


def test_agrees_with_histogram2d():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 640, 5_000), rng.uniform(0, 320, 5_000)
    expected = np.histogram2d(y, x, bins=(16, 32), range=((0, 320), (0, 640)))[0]
    np.testing.assert_array_equal(render_points(x, y, (0, 640, 0, 320), 20), expected)


def test_weights_of_an_image_are_summed():
    acquisition = table.localizations(
        {"x_nm": [10.0, 12.0], "y_nm": [10.0, 12.0], "weight": [2.5, 4.0]}, (0, 40, 0, 40)
    )
    assert render(acquisition, 20)[0, 0] == 6.5


def test_an_absurdly_large_image_is_refused_with_the_size_it_would_have():
    with pytest.raises(InputError, match=r"1000 x 1000 um at 0\.1 nm.*10000000 x 10000000 pixels.*pixel_nm"):
        render_points(np.zeros(1), np.zeros(1), (0, 1e6, 0, 1e6), 0.1)
    stray = table.localizations({"x_nm": [0.0, 5e6], "y_nm": [0.0, 5e6]}, (0, 5e6, 0, 5e6), {"acquisition": "cell_7"})
    with pytest.raises(InputError, match=r"^cell_7: a field of 5000 x 5000 um"):
        points_of(stray, 0.1)
