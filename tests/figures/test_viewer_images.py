"""Images for the viewer: what their layers stand for."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lusco.figures.pixels import smoothed
from lusco.figures.viewer import described

REGIONS = pd.DataFrame(columns=["x_nm", "y_nm", "side_nm", "novelty", "unfamiliar", "differs_by"])


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def sure(counts):
    """Every localization is of the one structure for sure."""
    return (counts[None] > 0).astype(float)


def test_an_image_of_the_viewer_gives_its_counts_back():
    counts = np.random.default_rng(0).poisson(3, (50, 70)).astype(float)
    shown = described("mixed/a", counts, counts[None] / 2, counts[None], sure(counts), ["a"], 20.0, REGIONS)
    (layer,) = shown["measured"]
    back = layer["peak"] * (decoded(layer["png"]) / 255) ** 2
    np.testing.assert_allclose(back, smoothed(counts, 20.0), atol=layer["peak"] / 255)
    assert shown["recoloured"][0]["peak"] == pytest.approx(layer["peak"] / 2)
    assert (shown["rows"], shown["columns"], shown["pixel_nm"]) == (50, 70, 20.0)


def test_an_image_of_the_viewer_has_the_probabilities_of_each_structure_in_percent():
    chances = np.random.default_rng(0).dirichlet(np.ones(3), (30, 40)).transpose(2, 0, 1)
    counts = np.ones((30, 40))
    shown = described("mixed/a", counts, chances, None, chances, ["a", "b", "c"], 20.0, REGIONS)
    back = np.stack([decoded(png) for png in shown["chances"]])
    np.testing.assert_array_equal(back, np.round(100 * chances))
    assert shown["certainty"] is None, "it is the highest of them"


def test_what_only_smoothing_lights_up_has_the_probabilities_of_its_nearest_localization():
    chances = np.zeros((2, 20, 20))
    chances[:, 10, 10] = 0.9, 0.1
    chances[:, 10, 13] = 0.3, 0.7
    shown = described("mixed/a", chances.sum(0), chances, None, chances, ["a", "b"], 20.0, REGIONS)
    assert decoded(shown["chances"][0])[10, 6:18].tolist() == [0, 90, 90, 90, 90, 90, 30, 30, 30, 30, 30, 0]


def test_a_large_image_of_the_viewer_is_binned_and_keeps_its_size():
    counts = np.zeros((10, 3001))
    counts[9, 3000] = 1
    shown = described("mixed/a", counts, counts[None], None, 0.6 * sure(counts), ["a"], 10.0, REGIONS)
    assert (shown["rows"], shown["columns"], shown["pixel_nm"], shown["measured_nm"]) == (4, 1001, 30.0, 10.0)
    assert decoded(shown["certainty"])[3, 1000] == 60
    lit = np.argwhere(decoded(shown["certainty"]))  # with what smoothing by 12 nm lights up, 48 nm to each side
    assert lit.min(axis=0).tolist() == [1, 998] and len(lit) == 9


def test_a_binned_pixel_is_as_sure_as_its_surest_localization_and_probable_as_all_of_them():
    chances = np.zeros((2, 2, 3002))
    chances[:, 0, 0] = 1.0, 0.0
    chances[:, 1, 2] = 0.25, 0.75
    counts = np.zeros((2, 3002))
    counts[0, 0], counts[1, 2] = 1, 3
    shown = described("mixed/a", counts, chances, None, chances, ["a", "b"], 10.0, REGIONS)
    assert decoded(shown["certainty"])[0, 0] == 100
    assert [decoded(png)[0, 0] for png in shown["chances"]] == pytest.approx([44, 56], abs=1)
