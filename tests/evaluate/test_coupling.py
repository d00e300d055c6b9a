"""Pair correlation by hand and on geometry that is known; windows of a recoloured table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lusco.evaluate.coupling import coupling, pair_correlation
from lusco.evaluate.distances import smooth
from lusco.evaluate.overlap import overlap
from lusco.model import ModelDescription
from lusco.render import render_points
from lusco.settings import stage_settings


def test_pair_correlation_on_four_pixels():
    a, b = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 2.0], [0.0, 0.0]])
    # within one pixel of each pixel lie itself and two sides: 4 x 3 pairs of pixels, one of which holds 1 x 2
    assert pair_correlation(a, b, 20.0, 20.0) == pytest.approx(2 / (1 / 4 * 2 / 4 * 12))
    assert pair_correlation(a, b, 20.0, 0.0) == pytest.approx(0, abs=1e-9)
    assert np.isnan(pair_correlation(a, np.zeros((2, 2)), 20.0, 20.0))


def test_independent_images_have_one_and_images_that_follow_each_other_more():
    rng = np.random.default_rng(0)
    a, b = rng.poisson(0.05, (2, 256, 256)).astype(float)
    assert pair_correlation(a, b, 20.0) == pytest.approx(1, abs=0.05)
    assert pair_correlation(a, np.roll(a, 2, axis=0), 20.0) > 1.2
    left = np.where(np.arange(256) < 128, a, 0)
    assert pair_correlation(left, np.where(np.arange(256) < 128, 0, b), 20.0) < 0.1


@pytest.fixture
def model():
    return ModelDescription(("lines", "tubes"), 20.0, "shares", 4, 2, (2.0, 2.0), 1.0, 1.0, [], {}, {})


def recolored(right):
    rng = np.random.default_rng(1)
    true = np.repeat(["lines", "tubes"], 2000)
    p = np.where(true == "lines", right, 1 - right)
    x, y = rng.uniform(0, 2560, (2, 4000))
    columns = {"x [nm]": x, "y [nm]": y, "true_structure": true, "p_lines": p, "p_tubes": 1 - p}
    return pd.DataFrame(columns)


def test_perfect_recolouring_has_the_true_coupling_in_every_window(model):
    table = coupling(recolored(1.0), model, 64, stage_settings("evaluate", {}))
    pairs = table.pivot(index=["window", "measure"], columns="source", values="value")
    assert len(pairs) == 4 * 5
    np.testing.assert_allclose(pairs["model"], pairs["truth"])


def test_overlap_in_a_window_is_that_of_the_smoothed_channels_in_units_of_their_scales(model):
    settings = stage_settings("evaluate", {})
    table = recolored(1.0)
    found = coupling(table, replace(model, scale_counts=(2.0, 0.5)), 128, settings)
    x, y = table["x [nm]"], table["y [nm]"]
    field_nm = (x.min(), x.max() + 20, y.min(), y.max() + 20)
    a, b = (
        smooth(render_points(x[own].to_numpy(), y[own].to_numpy(), field_nm, 20.0), settings.smoothing_nm, 20.0)
        for own in (table["true_structure"] == "lines", table["true_structure"] == "tubes")
    )
    true = found[(found["source"] == "truth") & (found["window"] == "0_0")].set_index("measure")["value"]
    for measure, value in overlap(a[:128, :128] / 2.0, b[:128, :128] / 0.5, settings.overlap_threshold).items():
        assert true[measure] == pytest.approx(value, rel=1e-4), measure
    assert true["manders_a"] != pytest.approx(true["manders_b"], rel=0.1), "the scales tell them apart"


def test_localizations_of_no_known_structure_are_on_neither_side(model):
    table = recolored(1.0)
    table.loc[::2, "true_structure"] = "unspecific"
    table.loc[1::4, "true_structure"] = np.nan
    pairs = coupling(table, model, 64, stage_settings("evaluate", {})).pivot(
        index=["window", "measure"], columns="source", values="value"
    )
    np.testing.assert_allclose(pairs["model"], pairs["truth"])


def test_shares_that_know_nothing_make_any_two_structures_correlated(model):
    table = coupling(recolored(0.5), model, 64, stage_settings("evaluate", {}))
    pearson = table[table["measure"] == "pearson"].groupby("source")["value"].mean()
    assert pearson["model"] == pytest.approx(1)
    assert pearson["truth"] < 0.2


def test_a_localization_that_is_divided_between_two_structures_is_no_pair(model):
    """Structures that lie independently of each other, and a model that knows nothing: nobody is near by more."""
    table = coupling(recolored(0.5), model, 64, stage_settings("evaluate", {}))
    near = table[table["measure"] == "pair_correlation"].groupby("source")["value"].mean()
    assert near["truth"] == pytest.approx(1, abs=0.05)
    assert near["model"] == pytest.approx(1, abs=0.03)


def test_channels_are_as_sharp_as_those_of_the_recoloured_image(model):
    sharp = coupling(recolored(0.8), replace(model, sharpness=2.0), 64, stage_settings("evaluate", {}))
    plain = coupling(recolored(0.64 / 0.68), model, 64, stage_settings("evaluate", {}))
    np.testing.assert_allclose(sharp["value"], plain["value"])


def test_windows_with_hardly_any_of_a_structure_are_left_out(model):
    table = recolored(1.0)
    table = table[(table["true_structure"] == "lines") | (table["x [nm]"] < 1280)]
    found = coupling(table, model, 64, stage_settings("evaluate", {}))["window"].unique()
    assert set(found) == {"0_0", "64_0"}
