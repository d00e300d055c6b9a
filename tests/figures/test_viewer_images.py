"""Images for the viewer: what their layers stand for."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lusco.figures.pixels import smoothed
from lusco.figures.viewer import described

REGIONS = pd.DataFrame(columns=["x_nm", "y_nm", "side_nm", "novelty", "unfamiliar"])


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def test_an_image_of_the_viewer_gives_its_counts_back():
    counts = np.random.default_rng(0).poisson(3, (50, 70)).astype(float)
    shown = described("mixed/a", counts, counts[None] / 2, counts[None], np.ones_like(counts), ["a"], 20.0, REGIONS)
    (layer,) = shown["measured"]
    back = layer["peak"] * (decoded(layer["png"]) / 255) ** 2
    np.testing.assert_allclose(back, smoothed(counts, 20.0), atol=layer["peak"] / 255)
    assert shown["recoloured"][0]["peak"] == pytest.approx(layer["peak"] / 2)
    assert (shown["rows"], shown["columns"], shown["pixel_nm"]) == (50, 70, 20.0)


def test_a_large_image_of_the_viewer_is_binned_and_keeps_its_size():
    counts = np.zeros((10, 3001))
    counts[9, 3000] = 1
    certainty = np.zeros_like(counts)
    certainty[9, 3000] = 0.6
    shown = described("mixed/a", counts, counts[None], None, certainty, ["a"], 10.0, REGIONS)
    assert (shown["rows"], shown["columns"], shown["pixel_nm"]) == (4, 1001, 30.0)
    assert decoded(shown["certainty"])[3, 1000] == round(0.6 * 255)
    lit = np.argwhere(decoded(shown["certainty"]))  # with what smoothing by 12 nm lights up, 48 nm to each side
    assert lit.min(axis=0).tolist() == [1, 998] and len(lit) == 9
