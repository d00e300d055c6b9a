"""Merging finds the molecules again, and neither loses nor invents photons."""

import numpy as np
import pandas as pd
import pytest

from lusco.ingest import merge

SIGMA_NM = 10.0


@pytest.fixture
def blinking():
    """200 molecules 200 nm apart, each seen in 1 to 6 frames with gaps of at most 2 dark frames."""
    rng = np.random.default_rng(1)
    rows = []
    for molecule in range(200):
        frame = int(rng.integers(1000))
        for _ in range(rng.integers(1, 7)):
            place = rng.normal((molecule % 20 * 200, molecule // 20 * 200), 3)
            rows.append((*place, frame, rng.uniform(500, 2000), SIGMA_NM, molecule))
            frame += int(rng.integers(1, 4))
    names = ["x_nm", "y_nm", "frame", "photons", "uncertainty_nm", "trace"]
    return pd.DataFrame(rows, columns=names).sort_values("frame", ignore_index=True)


def table(x_nm, frame, **columns):
    rows = {"x_nm": np.array(x_nm, float), "y_nm": 0.0, "frame": frame, "photons": 100.0, "uncertainty_nm": SIGMA_NM}
    return pd.DataFrame(rows | columns)


@pytest.mark.parametrize("how", ["trace", "radius"])
def test_every_molecule_becomes_one_row_with_all_its_photons(blinking, how):
    merged = merge.by_trace(blinking) if how == "trace" else merge.by_radius(blinking, 30, 2)
    expected = blinking.groupby("trace").agg({"x_nm": "mean", "photons": "sum", "frame": "min"})
    found = merged.set_index("trace").sort_index()
    assert len(merged) == 200
    np.testing.assert_allclose(found["x_nm"], expected["x_nm"])
    np.testing.assert_allclose(found["photons"], expected["photons"])
    assert found["frame"].tolist() == expected["frame"].tolist()


def test_repeats_sharpen_the_uncertainty_by_the_root_of_their_number():
    merged = merge.by_trace(table([0, 1, 2, 3], [0, 1, 2, 3], trace=5))
    assert merged["uncertainty_nm"].tolist() == pytest.approx([SIGMA_NM / 2])


def test_the_position_is_weighted_by_inverse_variance():
    merged = merge.by_trace(table([0, 10], [0, 1], trace=1, uncertainty_nm=[5.0, 10.0]))
    assert merged["x_nm"].tolist() == pytest.approx([2.0])


def test_without_uncertainties_the_position_is_weighted_by_photons():
    merged = merge.by_trace(table([0, 10], [0, 1], trace=1, uncertainty_nm=[5.0, np.nan], photons=[100.0, 300.0]))
    assert merged["x_nm"].tolist() == pytest.approx([7.5]) and merged["uncertainty_nm"].isna().all()


def test_without_photons_either_the_position_is_the_mean():
    merged = merge.by_trace(table([0, 10], [0, 1], trace=1, uncertainty_nm=np.nan, photons=np.nan))
    assert merged["x_nm"].tolist() == pytest.approx([5.0]) and merged["photons"].isna().all()


def test_localizations_of_one_frame_are_never_merged_with_each_other():
    merged = merge.by_radius(table([0, 10, 4], [1, 1, 2]), 30, 3)
    assert len(merged) == 2
    assert sorted(merged["photons"]) == [100, 200]


def test_a_localization_continues_the_nearest_one():
    merged = merge.by_radius(table([0, 10, 9, 1], [1, 1, 2, 2]), 30, 3)
    assert sorted(merged["x_nm"]) == pytest.approx([0.5, 9.5])


@pytest.mark.parametrize(("gap", "molecules"), [(1, 1), (4, 1), (5, 2)])
def test_a_molecule_may_be_dark_for_so_many_frames_and_no_more(gap, molecules):
    assert len(merge.by_radius(table([0, 0], [10, 10 + gap]), 30, 3)) == molecules


@pytest.mark.parametrize(("distance_nm", "molecules"), [(30, 1), (30.1, 2)])
def test_repeats_lie_within_the_radius(distance_nm, molecules):
    assert len(merge.by_radius(table([0, distance_nm], [1, 2]), 30, 0)) == molecules


def test_the_order_of_rows_does_not_matter(blinking):
    shuffled = blinking.sample(frac=1, random_state=1).reset_index(drop=True)
    one, other = (merge.by_radius(rows, 30, 2).sort_values("x_nm") for rows in (blinking, shuffled))
    np.testing.assert_allclose(one[["x_nm", "y_nm"]], other[["x_nm", "y_nm"]])


def test_nothing_to_merge_changes_nothing():
    rows = table([0, 100, 200], [1, 2, 3])
    pd.testing.assert_frame_equal(merge.by_radius(rows, 30, 3), rows)


def test_nothing_is_lost_far_from_the_origin():
    merged = merge.by_trace(table([1e7, 1e7 + 1], [0, 1], trace=1))
    assert merged["x_nm"].tolist() == [1e7 + 0.5]


def test_localizations_of_no_trace_stay_apart():
    merged = merge.by_trace(table([0, 1000, 2000, 2010], [0, 1, 2, 3], trace=[-1, -1, 7, 7]))
    assert merged["x_nm"].tolist() == [0, 1000, 2005]


def test_traces_are_preferred_to_a_radius(minflux, bring):
    path = minflux([[1e-6, 0, 0], [1.2e-6, 0, 0], [1e-6, 0, 0]], trace=[4, 4, 5])
    acquisition, record = bring(path, {"merge": "radius"})
    assert sorted(acquisition.table["x_nm"]) == pytest.approx([1000, 1100])
    assert record["rows_dropped"] == {"merged": 1}


def test_a_file_without_traces_is_kept_whole_with_a_note(thunderstorm, bring):
    acquisition, record = bring(thunderstorm([(1, 5, 5, 1, 1), (2, 9, 5, 1, 1)]), {"merge": "trace"})
    assert len(acquisition) == 2 and "no traces" in record["notes"][0]
