"""Scores of sweeps: known beforehand, or counted by hand."""

import numpy as np
import pandas as pd
import pytest
from swept import PIXEL_NM, SIDE_PX, STRUCTURES, made, uniform

from lusco.model import ModelDescription
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.settings import stage_settings
from lusco.superpose.composites import open_composites, write_composites
from lusco.sweep import shared, superpose_sweep
from lusco.sweep.scores import _at_threshold, _of_level, score_sweep


@pytest.fixture
def acquisitions():
    return uniform()


def scored(composites, probabilities_of, tmp_path, sweep, levels):
    counts = np.stack([composites.counts(index) for index in range(len(composites))])
    tables_ = [composites.table(index) for index in range(len(composites))]
    probabilities = np.concatenate([probabilities_of(table["structure"].to_numpy()) for table in tables_])
    np.save(tmp_path / CHANNELS, counts)
    np.save(tmp_path / PROBABILITIES, probabilities.astype(np.float32))
    unfamiliar = ["0.25" in name for name in composites.names]
    regions = pd.DataFrame({"composite": composites.names, "unfamiliar": unfamiliar})
    regions.to_csv(tmp_path / REGIONS, index=False)
    rejection = [{"threshold": 0.5, "rejected": 0.0, "crosstalk": 0.0}]
    model = ModelDescription(STRUCTURES, PIXEL_NM, "shares", 8, 2, (2.0,) * 3, 1.0, 1.0, rejection, {}, {})
    out = tmp_path / "scores.csv"
    score_sweep(composites, tmp_path, model, sweep, levels, 0.01, stage_settings("evaluate", {}), 1, out)
    return pd.read_csv(out).set_index(["level", "structure", "measure"])["value"]


def test_perfect_recolouring_is_perfect_at_every_level(acquisitions, tmp_path):
    made(acquisitions, tmp_path, "density", [1.0, 0.25])
    scores = scored(open_composites(tmp_path / "density.arrow"), lambda t: np.eye(3)[t], tmp_path, "density", [1, 0.25])
    for level in (1.0, 0.25):
        assert scores[level, "all", "accuracy"] == 1
        assert scores[level, "all", "crosstalk"] == 0
        assert scores[level, "all", "rejected"] == 0
        assert scores[level, "all", "unfamiliar"] == (level == 0.25)
        assert scores[level, "b", "gap_closed_mse"] == pytest.approx(1)


def test_a_level_that_leaves_nothing_has_no_scores(acquisitions, tmp_path):
    made(acquisitions, tmp_path, "density", [1e-9])
    scores = scored(open_composites(tmp_path / "density.arrow"), lambda t: np.eye(3)[t], tmp_path, "density", [1e-9])
    assert scores[:, "all", :].drop("unfamiliar", level="measure").isna().all()


def test_a_lost_minority_shows_in_the_mixing_sweep(acquisitions, tmp_path):
    made(acquisitions, tmp_path, "mixing", [0.1])

    def never_the_rarest(truth):
        """Right, but for the structure of which a composite has the least."""
        rarest = np.bincount(truth, minlength=3).argmin()
        return np.eye(3)[np.where(truth == rarest, (rarest + 1) % 3, truth)]

    scores = scored(open_composites(tmp_path / "mixing.arrow"), never_the_rarest, tmp_path, "mixing", [0.1])
    for structure in (*STRUCTURES, "all"):
        assert scores[0.1, structure, "accuracy"] == 0


def test_what_is_accepted_as_an_absent_structure_is_invented(acquisitions, tmp_path):
    made(acquisitions, tmp_path, "number", [1, 3])

    def all_to_the_first(truth):
        return np.tile([0.8, 0.1, 0.1], (len(truth), 1))

    scores = scored(open_composites(tmp_path / "number.arrow"), all_to_the_first, tmp_path, "number", [1, 3])
    # of three composites of one structure each, of like size, the first alone holds the first structure
    assert scores[1.0, "all", "invented"] == pytest.approx(2 / 3, abs=0.05)
    assert scores[1.0, "all", "crosstalk"] == pytest.approx(2 / 3, abs=0.05)
    assert scores[3.0, "all", "invented"] == 0
    assert (1.0, "a", "gap_closed_mse") not in scores.index
    assert (3.0, "a", "gap_closed_mse") in scores.index


FOUR_AND_THREE = np.array(
    [0.9, 0.8, 0.2, 0.6, 0.1, 0.3, 0.55]
)  # what a model gives to `a`; the first four are truly of it


@pytest.fixture
def by_hand(tmp_path):
    """Seven localizations, four of `a` and three of `b`, in a composite whose sources may be given."""

    def make(sources):
        rows = {"x_nm": np.arange(7.0), "y_nm": 1.0, "frame": 1, "photons": 1.0, "uncertainty_nm": 5.0, "trace": 0}
        rows |= {"weight": 1.0, "structure": [0, 0, 0, 0, 1, 1, 1], "unspecific": False, "row": np.arange(7)}
        write_composites(tmp_path / "c.arrow", ["a", "b"], PIXEL_NM, SIDE_PX, [("one", sources, pd.DataFrame(rows))])
        return open_composites(tmp_path / "c.arrow"), np.stack([FOUR_AND_THREE, 1 - FOUR_AND_THREE], axis=1)

    return make


def test_what_a_threshold_rejects_and_lets_through_is_counted(by_hand):
    """At .7 the fourth and the last are rejected, and the third is taken for `b`; .7 itself is accepted."""
    part, probabilities = by_hand({"a": "a_1", "b": "b_1"})
    probabilities[5] = 0.3, 0.7
    found = {(structure, measure): value for structure, measure, value in _at_threshold(part, probabilities, 0.7)}
    assert found == pytest.approx(
        {
            ("all", "rejected"): 2 / 7,
            ("all", "crosstalk"): 1 / 5,
            ("a", "crosstalk"): 0,
            ("b", "crosstalk"): 1 / 3,
            ("a", "rejected"): 1 / 4,
            ("b", "rejected"): 1 / 3,
        }
    )


def test_invented_is_what_the_threshold_accepts_as_one_that_is_absent(by_hand):
    """Without `b`, the third and the fifth are accepted as it at .75; the sixth, .7 sure of it, is not."""
    part, probabilities = by_hand({"a": "a_1"})
    found = {measure: value for _, measure, value in _of_level(part, probabilities, 0.75)}
    assert found["invented"] == pytest.approx(2 / 7)


def test_what_composites_share_counts_by_their_localizations(acquisitions, tmp_path):
    composites = made(acquisitions, tmp_path, "number", [1, 3])
    both = [composites[1].table(0), composites[3].table(0)]
    at_hand = sum(shared(table) * len(table) for table in both) / sum(map(len, both))
    write_composites(
        tmp_path / "two.arrow", STRUCTURES, PIXEL_NM, SIDE_PX, [(f"c{k}", {}, t) for k, t in enumerate(both)]
    )
    probabilities = np.tile([1.0, 0, 0], (sum(map(len, both)), 1))
    found = {
        measure: value for _, measure, value in _of_level(open_composites(tmp_path / "two.arrow"), probabilities, 0.5)
    }
    assert found["shared"] == pytest.approx(at_hand) and 0.1 < at_hand < 0.99


def test_scores_of_mixing_are_of_the_composites_that_thin_a_structure(acquisitions, tmp_path):
    """Six composites, so that those of a structure lie apart: right in the first three, wrong in the others."""
    out = tmp_path / "mixing.arrow"
    superpose_sweep(acquisitions, STRUCTURES, "mixing", [0.5], 6, SIDE_PX, PIXEL_NM, 1, out)
    turn = iter(range(6))

    def right_in_the_first_half(truth):
        return np.eye(3)[truth if next(turn) < 3 else (truth + 1) % 3]

    composites = open_composites(out)
    scores = scored(composites, right_in_the_first_half, tmp_path, "mixing", [0.5])
    for channel, structure in enumerate(STRUCTURES):
        first, second = (len(rows_with(composites, channel, index)) for index in (channel, channel + 3))
        assert scores[0.5, structure, "accuracy"] == pytest.approx(first / (first + second))


def rows_with(composites, channel, index):
    table = composites.table(index)
    return table[table["structure"] == channel]
