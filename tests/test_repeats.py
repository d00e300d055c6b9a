"""Repeats of molecules: kinetics are recovered, positions settle where Bayes says, and nothing else moves."""

from dataclasses import replace

import numpy as np
import pytest

from lusco import repeats as module
from lusco.errors import InputError
from lusco.render import NO_TRACE, Points
from lusco.repeats import MOST, Repeats, check_usable, learn_repeats, settled
from lusco.simulate.blinking import Blinking, blink

FRAMES = 20_000
SIDE_NM = 5_000.0
PER_MOLECULE = 4.0
BLINKING = Blinking(PER_MOLECULE, frames_per_blink=1.5, dark_frames=400)
KNOWN = Repeats((1, 2, 1000), (0.2, 0.001))


def points_at(x_nm, y_nm, frame, sigma_nm):
    x_nm, y_nm, sigma_nm = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x_nm, y_nm, sigma_nm)))
    return Points(x_nm, y_nm, None, (0.0, 0.0), 20.0, (250, 250), np.asarray(frame), sigma_nm.astype(np.float32))


def blinking_points(seed, molecules=3_000, per_molecule=PER_MOLECULE):
    """Molecules at random places, of uncertainties from 5 to 15 nm, and the molecule of each localization."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, SIDE_NM, (molecules, 2))
    molecule, frame = blink(molecules, per_molecule, BLINKING, FRAMES, rng)
    sigma_nm = rng.uniform(5, 15, len(molecule))
    measured = places[molecule] + rng.normal(size=(len(molecule), 2)) * sigma_nm[:, None]
    return points_at(*measured.T, frame + 1, sigma_nm), molecule, places


def true_repeats(points, molecule, edges):
    """Later localizations of the same molecule, per localization and frame, by bins of their lag."""
    number = np.zeros(len(edges) - 1)
    for later in range(1, np.bincount(molecule).max()):
        same = molecule[later:] == molecule[:-later]
        number += np.histogram((points.frame[later:] - points.frame[:-later])[same], edges)[0]
    return number / len(points) / np.diff(edges)


def test_kinetics_are_recovered_without_knowing_the_molecules():
    points, molecule, _ = blinking_points(1)
    learnt = learn_repeats([points])
    truth = true_repeats(points, molecule, np.array(learnt.lag_frames))
    assert learnt.per_frame[0] == pytest.approx(truth[0], rel=0.1)  # the same blink
    assert learnt.per_localization == pytest.approx(truth @ np.diff(learnt.lag_frames), rel=0.1)
    # of a geometric number n, the mean of n (n - 1) / 2 over the mean of n is the mean less one
    assert MOST * (PER_MOLECULE - 1) * 0.9 < learnt.per_localization < (PER_MOLECULE - 1) * 1.1


def test_kinetics_are_those_of_all_though_the_least_precise_are_not_looked_at():
    """A third has an uncertainty three times the usual, and is left out when pairs are counted."""
    rng = np.random.default_rng(3)
    places = rng.uniform(0, SIDE_NM, (3_000, 2))
    molecule, frame = blink(3_000, PER_MOLECULE, BLINKING, FRAMES, rng)
    sigma_nm = np.where(rng.random(len(molecule)) < 1 / 3, 30.0, 10.0)
    points = points_at(
        *(places[molecule] + rng.normal(size=(len(molecule), 2)) * sigma_nm[:, None]).T, frame + 1, sigma_nm
    )
    learnt = learn_repeats([points])
    truth = true_repeats(points, molecule, np.array(learnt.lag_frames))
    assert learnt.per_localization == pytest.approx(truth @ np.diff(learnt.lag_frames), rel=0.1)


def test_kinetics_are_a_mean_over_acquisitions():
    one, two = (blinking_points(seed, per_molecule=each)[0] for seed, each in ((1, 2.0), (2, 6.0)))
    alone, mixed = learn_repeats([two]), learn_repeats([one, two])
    assert learn_repeats([one]).per_frame[0] < mixed.per_frame[0] < alone.per_frame[0]


def test_repeats_are_found_in_localizations_that_were_linked_over_dark_frames_before():
    """As most programs do: each localization that follows another of its molecule within three frames is gone."""
    points, molecule, _ = blinking_points(7)
    lag = np.diff(points.frame, prepend=-9)
    kept = (np.diff(molecule, prepend=-1) > 0) | (lag > 3)
    linked = replace(
        points, **{name: getattr(points, name)[kept] for name in ("x_nm", "y_nm", "frame", "uncertainty_nm")}
    )
    learnt = learn_repeats([linked])
    truth = true_repeats(linked, molecule[kept], np.array(learnt.lag_frames))
    assert learnt.per_frame[0] < 0.002
    assert learnt.per_localization == pytest.approx(truth @ np.diff(learnt.lag_frames), rel=0.1)


def test_molecules_that_are_seen_once_have_no_repeats():
    rng = np.random.default_rng(3)
    # close together, so that chance alone gives many close pairs
    points = points_at(*rng.uniform(0, 1_000, (2, 5_000)), rng.integers(1, FRAMES, 5_000), 10.0)
    learnt = learn_repeats([points])
    assert not learnt
    assert settled(points, learnt) is points


def test_two_localizations_of_one_molecule_meet_at_their_weighted_mean():
    # and the third, far away and much later, leaves chance next to nothing
    points = points_at([100.0, 112.0, 900.0], [200.0, 200.0, 900.0], [5, 6, FRAMES], [5.0, 10.0, 5.0])
    there = settled(points, KNOWN)
    mean_nm = (100 / 5**2 + 112 / 10**2) / (1 / 5**2 + 1 / 10**2)
    np.testing.assert_allclose(there.x_nm, [mean_nm, mean_nm, 900], atol=0.05)
    np.testing.assert_allclose(there.y_nm, [200, 200, 900])


def test_how_far_a_localization_moves_is_what_bayes_says():
    """By hand: the likelihood of a repeat against that of one of two localizations spread over disc and frames."""
    points = points_at([100.0, 120.0], [200.0, 200.0], [5, 505], 10.0)
    variance, radius_nm, length = 200.0, module.REACH * 10 / 2, 501
    likely = 0.001 * np.exp(-(20.0**2) / 2 / variance) / (2 * np.pi * variance)
    same = likely / (likely + 2 / (np.pi * radius_nm**2 * length))
    assert 0.1 < same < 0.9
    expected = (100 + same * 120) / (1 + same)
    assert settled(points, KNOWN).x_nm[0] == pytest.approx(expected)


def test_chance_is_that_around_both_of_a_pair():
    """A third localization, too late for a repeat, lies around the first of them and not around the second."""
    points = points_at([100.0, 120.0, 75.0], [200.0] * 3, [5, 505, 5005], 10.0)
    likely = 0.001 * np.exp(-(20.0**2) / 2 / 200) / (2 * np.pi * 200)
    disc_frames = np.pi * (module.REACH * 10 / 2) ** 2 * 5001
    same = likely / np.sqrt((likely + 3 / disc_frames) * (likely + 2 / disc_frames))
    assert settled(points, KNOWN).x_nm[0] == pytest.approx((100 + same * 120) / (1 + same))


def test_of_many_localizations_neighbours_are_counted(monkeypatch):
    """A quarter of them, in whatever order they come."""
    points, *_ = blinking_points(1)
    of_all = learn_repeats([points]).per_frame[0]
    mixed = np.random.default_rng(5).permutation(len(points))
    columns = {name: getattr(points, name)[mixed] for name in ("x_nm", "y_nm", "frame", "uncertainty_nm")}
    monkeypatch.setattr(module, "COUNTED", len(points) // 4)
    assert learn_repeats([replace(points, **columns)]).per_frame[0] == pytest.approx(of_all, rel=0.2)


@pytest.mark.parametrize(
    ("dx_nm", "lag"), [(5.0, 0), (5.0, 1000), (61.0, 1)], ids=["in one frame", "too late", "too far"]
)
def test_what_is_no_repeat_stays_apart(dx_nm, lag):
    points = points_at([100.0, 100.0 + dx_nm], [200.0, 200.0], [5, 5 + lag], 10.0)
    np.testing.assert_allclose(settled(points, KNOWN).x_nm, points.x_nm)


def test_positions_become_more_precise_and_stay_in_their_order():
    points, molecule, places = blinking_points(4)
    there = settled(points, learn_repeats([points]))

    def errors_nm(of):
        return np.hypot(of.x_nm - places[molecule, 0], of.y_nm - places[molecule, 1])

    # four localizations of a molecule could at best halve the error; some molecules have one only
    assert np.median(errors_nm(there)) < 0.7 * np.median(errors_nm(points))
    mixed = np.random.default_rng(5).permutation(len(points))
    columns = {name: getattr(points, name)[mixed] for name in ("x_nm", "y_nm", "frame", "uncertainty_nm")}
    np.testing.assert_allclose(settled(replace(points, **columns), KNOWN).x_nm, settled(points, KNOWN).x_nm[mixed])


def test_blocks_join_without_seams(monkeypatch):
    points, *_ = blinking_points(6)
    whole = settled(points, KNOWN)
    monkeypatch.setattr(module, "BLOCK", 500)
    blocks = settled(points, KNOWN)
    np.testing.assert_allclose(blocks.x_nm, whole.x_nm, atol=1e-6)
    np.testing.assert_allclose(blocks.y_nm, whole.y_nm, atol=1e-6)


@pytest.mark.parametrize(
    ("lacks", "told"),
    [
        ({"frame": np.zeros(2, dtype=int)}, "it has no frames, by which"),
        ({"uncertainty_nm": np.array([5, np.nan], dtype=np.float32)}, "1 of its 2 localizations lack an uncertainty"),
        ({"uncertainty_nm": np.array([0, np.inf], dtype=np.float32)}, "2 of its 2 localizations lack an uncertainty"),
        ({"frame": np.zeros(2, dtype=int), "weight": np.array([2.0, 3.0])}, "it is an image"),
    ],
)
def test_what_lacks_frames_or_uncertainties_is_refused_by_a_model_that_needs_them(lacks, told):
    points = points_at([100.0, 112.0], [200.0, 200.0], [5, 6], 5.0)
    check_usable([("mix_cell1", points)], KNOWN)
    check_usable([("mix_cell1", replace(points, **lacks))], Repeats())
    with pytest.raises(InputError, match=rf"mix_cell1: {told}.*settle: false"):
        check_usable([("mix_cell1", replace(points, **lacks))], KNOWN)


def test_the_few_without_an_uncertainty_stay_and_the_others_settle_as_if_those_were_not_there():
    points, *_ = blinking_points(8)
    lacking = np.arange(len(points)) % 20 == 7
    sigma_nm = np.where(lacking, np.resize([np.nan, 0, np.inf], len(points)), points.uncertainty_nm)
    some = replace(points, uncertainty_nm=sigma_nm)
    check_usable([("mix_cell1", some)], KNOWN)
    there, others = settled(some, KNOWN), settled(points.subset(~lacking), KNOWN)
    np.testing.assert_array_equal(there.x_nm[lacking], points.x_nm[lacking])
    np.testing.assert_array_equal(there.x_nm[~lacking], others.x_nm)
    np.testing.assert_array_equal(there.y_nm[~lacking], others.y_nm)
    without = learn_repeats([points.subset(~lacking)]).per_localization
    assert learn_repeats([some]).per_localization == pytest.approx(without, rel=0.01)


TRACES = Repeats(traces=True)


def test_localizations_of_a_trace_meet_at_its_mean():
    points = points_at([0.0, 30.0, 6.0, 500.0, 7.0], [90.0, 60.0, 0.0, 40.0, 8.0], [0] * 5, np.nan)
    points = replace(points, trace=np.array([4, 4, 4, 2, NO_TRACE]))
    there = settled(points, TRACES)
    np.testing.assert_allclose(there.x_nm, [12, 12, 12, 500, 7])
    np.testing.assert_allclose(there.y_nm, [50, 50, 50, 40, 8])
    sigma_nm = np.array([1, 2, 2, 9, 9], dtype=np.float32)  # 1 : 1/4 : 1/4
    there = settled(replace(points, uncertainty_nm=sigma_nm), TRACES)
    np.testing.assert_allclose(there.x_nm, [6, 6, 6, 500, 7])
    np.testing.assert_allclose(there.y_nm, [70, 70, 70, 40, 8])


def test_a_model_that_needs_traces_refuses_what_has_none_at_all():
    plain = points_at([100.0, 112.0], [200.0, 200.0], [5, 6], 5.0)
    without, some = (replace(plain, trace=np.array(trace)) for trace in ([NO_TRACE, NO_TRACE], [NO_TRACE, 3]))
    check_usable([("mix_cell1", some)], TRACES)
    check_usable([("clathrin_only", without), ("mix_cell1", some)], TRACES)
    sparse = replace(plain, uncertainty_nm=np.array([5.0, np.nan], dtype=np.float32))
    with pytest.raises(InputError, match="test_001"):
        check_usable([("test_001", sparse)], KNOWN)
    check_usable([("test_000", plain), ("test_001", sparse)], KNOWN)
    for lacking in (plain, without):
        with pytest.raises(InputError, match=r"mix_cell1.*names no traces.*settle: false"):
            check_usable([("mix_cell1", lacking)], TRACES)
        assert settled(lacking, TRACES) is lacking
