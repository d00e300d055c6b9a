"""Standard errors: what drawing acquisitions anew must give, from the textbook's formula for a mean."""

import numpy as np
import pandas as pd
import pytest

from lusco.evaluate.assignment import THRESHOLDS
from lusco.evaluate.errors import standard_errors

STRUCTURES = ("rings", "lines")


def distances_of(models):
    """A row for each composite, structure, distance and comparison that a gap needs; chance is 1, the floor 0.1."""
    rows = [
        (composite, structure, distance, comparison, value)
        for composite, model in enumerate(models)
        for structure in STRUCTURES
        for distance in ("mse", "dssim")
        for comparison, value in (("model", model), ("shuffled_pairs", 1.0), ("floor", 0.1))
    ]
    return pd.DataFrame(rows, columns=["composite", "structure", "distance", "comparison", "value"])


def accepted_of(right, number=100):
    """Of each composite, so many of 100 rings are told from lines, at every threshold, and all 100 lines."""
    counts = [[[ring, 0], [number - ring, number]] for ring in right]
    return np.repeat(np.array(counts, dtype=float)[:, None], len(THRESHOLDS), axis=1)


def errors_of(models, right, sources):
    rows = standard_errors(distances_of(models), accepted_of(right), sources, STRUCTURES, 1)
    table = pd.DataFrame(rows, columns=["structure", "measure", "error", "acquisitions"])
    return table.set_index(["structure", "measure"])


def test_the_error_of_a_mean_over_acquisitions_is_that_of_the_textbook():
    """Two composites of each of four acquisitions: the deviation of the acquisitions' means, over the root of four."""
    of_acquisition = np.array([100, 90, 80, 70])
    sources = [{"rings": f"rings_{k // 2}", "lines": f"lines_{k}"} for k in range(8)]
    errors = errors_of(np.zeros(8), np.repeat(of_acquisition, 2), sources)
    expected = (of_acquisition / 100).std(ddof=1) / np.sqrt(4)
    assert errors.loc[("rings", "accuracy"), "error"] == pytest.approx(expected, rel=0.15)
    assert errors.loc[("rings", "accuracy"), "acquisitions"] == 4
    assert errors.loc[("lines", "accuracy"), "error"] == pytest.approx(0, abs=1e-12), "all lines are right everywhere"


def test_composites_of_the_same_acquisition_do_not_make_it_surer():
    sources = [{"rings": f"rings_{k % 2}", "lines": f"lines_{k}"} for k in range(40)]
    errors = errors_of(np.zeros(40), np.tile([100, 50], 20), sources)
    assert errors.loc[("rings", "accuracy"), "error"] == pytest.approx(0.5 / 2, rel=0.15)


def test_what_lies_over_a_structure_adds_to_its_error_in_squares():
    """How many rings are found depends on the acquisition of rings and on that of lines, by as much."""
    of_rings, of_lines = np.array([20, 10, 0, -10]), np.array([10, -10, 20, 0])
    pairs = [(k, m) for k in range(4) for m in range(4)]
    sources = [{"rings": f"rings_{k}", "lines": f"lines_{m}"} for k, m in pairs]
    errors = errors_of(np.zeros(16), [70 + of_rings[k] + of_lines[m] for k, m in pairs], sources)
    of_each = (of_rings / 100).std(ddof=1) / np.sqrt(4)
    assert errors.loc[("rings", "accuracy"), "error"] == pytest.approx(np.sqrt(2) * of_each, rel=0.2)
    assert errors.loc[("all", "accuracy"), "error"] == pytest.approx(np.sqrt(2) * of_each / 2, rel=0.2), (
        "half are rings"
    )


def test_each_composite_goes_with_its_own_acquisition():
    """Acquisitions of other numbers of composites, which differ; within one, scores are the same."""
    names = 12 * ["a"] + 6 * ["b"] + 3 * ["c"]
    sources = [{"rings": name, "lines": f"lines_{k}"} for k, name in enumerate(names)]
    own = {"a": 100, "b": 60, "c": 20}
    right = errors_of([own[name] / 200 for name in names], [own[name] for name in names], sources)
    turned = errors_of([own[name] / 200 for name in names[::-1]], [own[name] for name in names[::-1]], sources)
    for measure in ("accuracy", "gap_closed_mse"):
        assert right.loc[("rings", measure), "error"] > 1.2 * turned.loc[("rings", measure), "error"], measure


def test_gaps_have_errors_and_equal_acquisitions_none():
    sources = [{"rings": f"rings_{k}", "lines": f"lines_{k}"} for k in range(6)]
    same = errors_of(np.full(6, 0.2), np.full(6, 90), sources)
    of_rejection = ["crosstalk_at_30pct_rejected", "rejected_at_1pct_crosstalk"]  # and none is rejected
    measured = same.drop(of_rejection, level="measure")
    np.testing.assert_allclose(measured["error"], 0, atol=1e-12)
    other = errors_of([0.1, 0.15, 0.2, 0.25, 0.3, 0.35], np.full(6, 90), sources)
    assert 0.02 < other.loc[("rings", "gap_closed_mse"), "error"] < 0.1


def test_errors_of_gaps_are_those_of_medians():
    """One composite of twenty is far off, which no drawing of twenty makes the median."""
    sources = [{"rings": f"rings_{k}", "lines": f"lines_{k}"} for k in range(20)]
    errors = errors_of([0.2] * 19 + [9.0], np.full(20, 90), sources)
    assert errors.loc[("rings", "gap_closed_mse"), "error"] == pytest.approx(0, abs=1e-9)


def test_a_single_acquisition_does_not_tell_how_others_differ():
    sources = [{"rings": "rings_0", "lines": f"lines_{k}"} for k in range(4)]
    errors = errors_of(np.zeros(4), [100, 90, 80, 70], sources)
    assert errors["error"].isna().all()
    assert (errors["acquisitions"] == 1).all()


def test_errors_are_the_same_for_the_same_seed():
    sources = [{"rings": f"rings_{k}", "lines": f"lines_{k}"} for k in range(4)]
    first, again = (errors_of([0.1, 0.2, 0.3, 0.4], [100, 90, 80, 70], sources) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("together", [1, 2])
def test_what_composites_differ_by_counts_once_however_many_structures_they_have(together):
    """Each composite differs by itself, whatever it is of: the error is the textbook's of a mean over composites."""
    right = np.random.default_rng(5).integers(60, 100, 24 * together)
    turned = np.random.default_rng(6).permuted(np.tile(np.arange(24), (2, together)), axis=1)
    sources = [{"rings": f"rings_{k}", "lines": f"lines_{m}"} for k, m in turned.T]
    error = errors_of(np.zeros(24 * together), right, sources).loc[("rings", "accuracy"), "error"]
    assert error == pytest.approx((right / 100).std(ddof=1) / np.sqrt(len(right)), rel=0.15)
