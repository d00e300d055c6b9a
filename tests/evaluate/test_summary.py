"""The headline numbers by hand."""

import numpy as np
import pandas as pd
import pytest

from lusco.evaluate.summary import summarise

REFERENCES = {
    "model": (1.0, 2.0, 9.0),
    "shuffled_pairs": (10.0, 8.0, 3.0),
    "floor": (4.0, 5.0, 30.0),
    "composite": (0, 0, 0),
}


@pytest.fixture
def summary():
    """Three composites whose medians are 2, 8 and 5; means and single ones are others."""
    distances = pd.DataFrame(
        [
            ("rings", f"c{k}", distance, comparison, factor * value)
            for distance, factor in (("mse", 1.0), ("dssim", 0.1))
            for comparison, values in REFERENCES.items()
            for k, value in enumerate(values)
        ],
        columns=["structure", "composite", "distance", "comparison", "value"],
    )
    curve = pd.DataFrame(
        {"rejected": [0.0, 0.2, 0.4, 0.6], "crosstalk": [0.1, 0.03, 0.012, 0.008], "recall": [0.9, 0.7, 0.6, 0.4]}
    )
    assignment = pd.concat([curve.assign(structure=name) for name in ("rings", "all")])
    calibration = pd.DataFrame(
        {"structure": ["rings", "rings"], "confidence": [0.9, 0.5], "accuracy": [0.8, 0.5], "localizations": [3, 1]}
    )
    rows = summarise(distances, assignment, calibration, ["rings"])
    return {(structure, measure): value for structure, measure, value in rows}


def test_gaps_are_of_medians_over_composites(summary):
    for name in ("mse", "dssim"):
        assert summary["rings", f"gap_closed_{name}"] == pytest.approx(1 - 2 / 8)
        assert summary["rings", f"gap_closed_{name}_floor"] == pytest.approx((8 - 2) / (8 - 5))


def test_crosstalk_is_read_at_30_and_rejection_at_1_percent(summary):
    for name in ("rings", "all"):
        assert summary[name, "accuracy"] == 0.9
        assert summary[name, "crosstalk_at_30pct_rejected"] == pytest.approx(0.021)
        assert summary[name, "rejected_at_1pct_crosstalk"] == 0.6


def test_the_error_of_the_confidence_is_that_of_each_structure(summary):
    assert summary["rings", "expected_calibration_error"] == pytest.approx(3 / 4 * 0.1)
    assert np.isnan(summary["all", "expected_calibration_error"])
