"""Accuracy, crosstalk, recall, rejection and calibration counted by hand."""

import numpy as np
import pandas as pd
import pytest

from lusco.evaluate.assignment import (
    accepted_counts,
    assignment_table,
    calibration_table,
    crosstalk_at,
    expected_calibration_error,
    rejected_at,
)

# five localizations, two structures: the third is wrong and unsure, the fifth wrong and fairly sure
PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.45, 0.55], [0.05, 0.95], [0.7, 0.3]])
TRUTH = np.array([0, 1, 0, 1, 1])
ONES = np.ones(5)
THRESHOLDS = np.array([0.0, 0.6, 0.75])


@pytest.fixture
def table():
    counts = accepted_counts(PROBABILITIES, TRUTH, ONES, THRESHOLDS)
    return assignment_table(counts, ["rings", "lines"], THRESHOLDS).set_index(["structure", "threshold"])


def test_counts_by_threshold_assigned_and_true():
    counts = accepted_counts(PROBABILITIES, TRUTH, ONES, THRESHOLDS)
    np.testing.assert_array_equal(counts[0], [[1, 1], [1, 2]])
    np.testing.assert_array_equal(counts[1], [[1, 1], [0, 2]])
    np.testing.assert_array_equal(counts[2], [[1, 0], [0, 2]])


def test_rejection_is_of_all_localizations(table):
    for structure in ("rings", "lines", "all"):
        assert table.loc[structure, "rejected"].tolist() == pytest.approx([0, 0.2, 0.4])


def test_crosstalk_is_among_the_accepted_assigned_to_a_structure(table):
    assert table.loc["rings", "crosstalk"].tolist() == pytest.approx([1 / 2, 1 / 2, 0])
    assert table.loc["lines", "crosstalk"].tolist() == pytest.approx([1 / 3, 0, 0])
    assert table.loc["all", "crosstalk"].tolist() == pytest.approx([2 / 5, 1 / 4, 0])


def test_recall_is_among_those_truly_of_the_structure(table):
    assert table.loc["rings", "recall"].tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 2])
    assert table.loc["lines", "recall"].tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert table.loc["lines", "localizations"].tolist() == [3, 3, 3]


def test_a_pixel_of_an_image_counts_as_often_as_its_weight():
    doubled = accepted_counts(PROBABILITIES, TRUTH, 2 * ONES, THRESHOLDS)
    np.testing.assert_array_equal(doubled, 2 * accepted_counts(PROBABILITIES, TRUTH, ONES, THRESHOLDS))


def test_nothing_assigned_has_no_crosstalk():
    counts = accepted_counts(np.array([[0.9, 0.1]]), np.array([0]), np.ones(1), THRESHOLDS)
    lines = assignment_table(counts, ["rings", "lines"], THRESHOLDS).query("structure == 'lines'")
    assert lines["crosstalk"].isna().all() and lines["recall"].isna().all()


def test_reading_the_curve_at_a_rejection_and_at_a_crosstalk():
    curve = pd.DataFrame({"rejected": [0.0, 0.2, 0.4, 0.6], "crosstalk": [0.1, 0.02, 0.005, 0.0]})
    assert crosstalk_at(curve, 0.3) == pytest.approx(0.0125)
    assert np.isnan(crosstalk_at(curve, 0.7)), "of what is not measured nothing is said"
    assert rejected_at(curve, 0.01) == 0.4
    assert np.isnan(rejected_at(curve.assign(crosstalk=0.5), 0.01))
    rising = curve.assign(crosstalk=[0.1, 0.005, 0.02, 0.0])
    assert rejected_at(rising, 0.01) == 0.6, "from there on it stays under"
    assert rejected_at(rising, 0.02) == 0.2, "at it is not above"


def test_calibration_error_by_hand():
    """Confidences .9 .8 .55 .95 .7: right, right, wrong, right, wrong, each alone in its bin of fifteen."""
    table = calibration_table(PROBABILITIES, TRUTH, ONES, ["rings", "lines"])
    assert table.groupby("structure")["localizations"].sum().to_dict() == {"all": 5, "lines": 3, "rings": 2}
    own = table[table["structure"] == "all"]
    assert expected_calibration_error(own) == pytest.approx((0.1 + 0.2 + 0.55 + 0.05 + 0.7) / 5)


def test_calibration_counts_localizations_and_not_rows_or_bins():
    """Confidences .9 (twice) and .88 fall into one bin, .6 into another: of the first two of three are right."""
    p, truth, weight = np.array([0.9, 0.88, 0.6]), np.array([0, 1, 1]), np.array([2, 1, 1])
    probabilities = np.stack([p, 1 - p], 1)
    weighted = calibration_table(probabilities, truth, weight.astype(float), ["rings", "lines"])
    repeated = probabilities.repeat(weight, axis=0), truth.repeat(weight), np.ones(4), ["rings", "lines"]
    pd.testing.assert_frame_equal(weighted, calibration_table(*repeated))
    expected = (3 * (2.68 / 3 - 2 / 3) + 0.6) / 4
    assert expected_calibration_error(weighted[weighted["structure"] == "all"]) == pytest.approx(expected)
    assert (
        (weighted["bin"] / 15 <= weighted["confidence"]) & (weighted["confidence"] <= (weighted["bin"] + 1) / 15)
    ).all()


def test_a_bin_of_less_than_one_localization_has_no_calibration_error():
    table = calibration_table(PROBABILITIES, TRUTH, 0.1 * ONES, ["rings", "lines"])
    assert np.isnan(expected_calibration_error(table[table["structure"] == "rings"]))


def test_probabilities_that_are_right_as_often_as_they_say_have_no_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 200_000)
    truth = (rng.random(200_000) > p).astype(int)
    table = calibration_table(np.stack([p, 1 - p], 1), truth, np.ones(200_000), ["rings", "lines"])
    assert expected_calibration_error(table[table["structure"] == "all"]) < 0.005
