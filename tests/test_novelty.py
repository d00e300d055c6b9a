"""Novelty: descriptions that follow from the definition, and what is and is not told apart."""

import numpy as np
import pandas as pd
import pytest
from random_regions import (
    DENSITY,
    PIXEL_NM,
    REGION_PX,
    SIDE_PX,
    answered,
    described,
    knowing,
    learnt,
    own_acquisition,
    regions,
    scattered,
)

from lusco.novelty.learn import Seen, _from_others, learn_from
from lusco.novelty.regions import (
    FEATURES,
    LEAST_COUNTS,
    SCALES_PX,
    WHOLE,
    describe,
    region_px,
    surroundings,
)
from lusco.novelty.variants import alone_table, at_each_precision, varied_table


def test_a_region_of_random_counts_has_its_density_and_no_clustering():
    counts = scattered(np.random.default_rng(1))
    found = described(counts)
    assert len(found) == 4
    assert list(zip(found["x_nm"], found["y_nm"], strict=True)) == [(0, 0), (1280, 0), (0, 1280), (1280, 1280)]
    assert found["localizations"].sum() == counts.sum()
    np.testing.assert_allclose(10 ** found["log_density"], DENSITY, rtol=0.2)
    np.testing.assert_allclose(found[[f"clustering_{scale}px" for scale in SCALES_PX[:3]]], 0, atol=0.15)
    np.testing.assert_allclose(found["indecision"], 1)  # both structures equally likely


def test_clusters_of_four_have_four_times_the_variance():
    counts = scattered(np.random.default_rng(1), cluster=4)
    found = described(counts)
    np.testing.assert_allclose(10 ** found["clustering_1px"], 4, rtol=0.1)


def test_regions_with_few_counts_are_left_out():
    counts = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    counts[:10, 0] = LEAST_COUNTS / 10
    counts[-1, -1] = LEAST_COUNTS - 1
    assert len(described(counts)) == 1


def test_surroundings_are_averaged_and_moved_into_the_image():
    counts = np.zeros((4 * REGION_PX, REGION_PX), dtype=np.float32)
    for k, each in enumerate((1, 10, 100, 1000)):
        counts[k * REGION_PX : (k + 1) * REGION_PX] = each
    alone = described(counts)["log_density"]
    np.testing.assert_allclose(np.diff(alone), 1)
    averaged = described(counts, 3)["log_density"]
    np.testing.assert_allclose(averaged, alone[[1, 1, 2, 2]])  # the middle one of three; at either end, the same three


def test_surroundings_leave_out_regions_with_few_counts():
    counts = np.ones((2 * REGION_PX, REGION_PX), dtype=np.float32)
    counts[REGION_PX:] = 0
    for around in (1, 2):
        found = described(counts, around)
        np.testing.assert_allclose(found["log_density"], np.log10((1000 / PIXEL_NM) ** 2))


def test_known_data_is_rarely_called_unfamiliar():
    assert (knowing().novelty(regions(60)) > 1).mean() < 0.05


@pytest.mark.parametrize("how", [{"density_per_um2": 8 * DENSITY}, {"density_per_um2": DENSITY / 8}, {"cluster": 4}])
def test_another_density_or_multiplicity_is_unfamiliar(how):
    assert (knowing().novelty(regions(4, **how)) > 1).all()


@pytest.mark.parametrize(("nm", "unfamiliar"), [(10.3, False), (15, True), (6.7, True)])
def test_another_precision_is_unfamiliar_and_nearly_the_same_is_not(nm, unfamiliar):
    """As with a wrong pixel size, by which positions and uncertainties are multiplied."""
    known = knowing(uncertainty_nm=10)
    assert (known.novelty(regions(10, uncertainty_nm=nm)) > 1).mean() == pytest.approx(float(unfamiliar), abs=0.05)


@pytest.mark.parametrize(
    ("how", "differs_by"),
    [
        ({"density_per_um2": DENSITY / 8}, "lower density"),
        ({"density_per_um2": 8 * DENSITY}, "higher density"),
        ({"uncertainty_nm": 20}, "worse precision"),
        ({"uncertainty_nm": 5}, "better precision"),
        ({"cluster": 4}, "more clustering"),
        ({"sure": 0.99}, "less indecision"),
    ],
)
def test_it_is_said_by_what_an_unfamiliar_region_differs_most(how, differs_by):
    known, how = knowing(uncertainty_nm=10), {"uncertainty_nm": 10, "sure": 0.5} | how
    given = {name: how.pop(name) for name in ("uncertainty_nm", "sure")}
    judged = known.judge(*answered(scattered(np.random.default_rng(1), **how), **given), None, ())
    assert judged["unfamiliar"].all()
    assert set(judged["differs_by"]) == {differs_by}


def test_of_a_familiar_region_no_difference_is_said():
    judged = knowing(uncertainty_nm=10).judge(
        *answered(scattered(np.random.default_rng(1)), uncertainty_nm=10), None, ()
    )
    assert set(judged["differs_by"][~judged["unfamiliar"]]) == {""}


def test_precision_is_the_mean_of_a_regions_localizations():
    counts = np.full((REGION_PX, REGION_PX), 2, dtype=np.float32)
    points, probabilities = answered(counts, uncertainty_nm=10)
    points.uncertainty_nm[: len(points) // 4] = 1000
    found = describe(points, probabilities, REGION_PX, 1)
    np.testing.assert_allclose(found.loc[found["part"] == WHOLE, "log_uncertainty"], 0.25 * 3 + 0.75 * 1)


def test_unknown_precision_speaks_not_against_a_region():
    without, given = regions(10), regions(10, uncertainty_nm=10)
    assert without["log_uncertainty"].isna().all()
    for known, other in ((knowing(uncertainty_nm=10), without), (knowing(), given)):
        same = regions(10, uncertainty_nm=10) if other is without else without
        np.testing.assert_allclose(known.novelty(other), known.novelty(same), atol=0.02)


def test_the_few_without_an_uncertainty_do_not_count_and_many_make_precision_unknown():
    points, probabilities = answered(scattered(np.random.default_rng(0)), uncertainty_nm=10.0)
    points.uncertainty_nm[3:6] = np.nan, 0, np.inf
    found = describe(points, probabilities, REGION_PX, 1)
    np.testing.assert_allclose(found.loc[found["part"] == WHOLE, "log_uncertainty"], 1)
    points.uncertainty_nm[: len(points) // 5] = np.nan
    assert describe(points, probabilities, REGION_PX, 1)["log_uncertainty"].isna().all()


def test_features_that_go_together_are_unfamiliar_where_they_part(monkeypatch):
    """As with a wrong pixel size: each within its range, and together never seen; few regions are enough to tell."""
    rng = np.random.default_rng(0)

    def made_up(number, difference):
        common = rng.uniform(-2, 2, number)
        rows = {feature: common + rng.normal(0, 0.05, number) for feature in FEATURES}
        rows["log_density"] += difference
        return pd.DataFrame(
            rows | {"part": WHOLE, "composite": 0, "copy": 0, "acquisitions": [frozenset({"the same"})] * number}
        )

    training, validation, apart = made_up(15, 0), made_up(200, 0), made_up(200, 1)
    known = learnt(training, validation)
    assert (known.novelty(made_up(200, 0)) > 1).mean() < 0.05
    told = (known.novelty(apart) > 1).mean()
    monkeypatch.setattr("lusco.novelty.parts.SHRINKAGE", 1)  # as if they did not go together
    without = (learnt(training, validation).novelty(apart) > 1).mean()
    assert told > 0.9 > 2 * without, (told, without)


def test_what_a_region_cannot_tell_its_surroundings_can():
    denser = {"density_per_um2": 1.1 * DENSITY}
    flagged = [(knowing(around=around).novelty(regions(40, around=around, **denser)) > 1).mean() for around in (1, 2)]
    assert flagged[1] > 2 * flagged[0]


def test_the_alarm_is_at_least_that_of_validation_however_alike_the_training():
    training, validation = regions(60, 2), regions(60, 3, density_per_um2=1.3 * DENSITY)
    lenient = learnt(training, validation)
    assert (lenient.novelty(validation) > 1).mean() <= 0.02
    assert (knowing().novelty(validation) > 1).mean() > 0.2


def differing(acquisitions, seed):
    """Regions of four composites of each acquisition, which differ in density by a factor of two."""
    rng = np.random.default_rng(seed)
    tables = []
    for name in acquisitions:
        density = DENSITY * 2 ** rng.uniform(-0.5, 0.5)
        found = pd.concat([described(scattered(rng, density)) for _ in range(4)])
        tables.append(found.assign(acquisitions=[frozenset({name})] * len(found)))
    return pd.concat(tables, ignore_index=True)


def test_what_differs_between_acquisitions_raises_no_alarm_though_one_alone_validates():
    """From a bank of few acquisitions, others are as far as these are from each other."""
    training, new = differing("abcde", 0), differing("fghijklmno", 2)
    alike = training[training["acquisitions"] == {"a"}]  # a validation acquisition that one of training resembles
    known = learnt(training, alike)
    assert (known.novelty(new) > 1).mean() < 0.05
    as_one = training.assign(acquisitions=[frozenset({"one"})] * len(training))  # then only validation can tell
    assert (learnt(as_one, alike).novelty(new) > 1).mean() > 0.2


def test_a_composite_is_not_compared_with_those_that_share_an_acquisition():
    known = np.array([[0.0], [1.0], [10.0], [30.0]])
    sets = [frozenset(names) for names in ("ab", "cd", "ce", "af")]
    found = _from_others(known, sets, known, sets)
    np.testing.assert_allclose(found, [(1 + 10) / 2, (1 + 29) / 2, (10 + 20) / 2, (29 + 20) / 2])
    same = [frozenset("a")] * 4
    assert np.isnan(_from_others(known, same, known, same)).all()


def test_too_few_other_acquisitions_tell_nothing_of_how_far_others_are():
    """Among few regions the nearest is farther, whatever the acquisitions; one in ten is enough, one in eleven not."""
    for number, told in ((9, np.arange(1.0, 10)), (10, np.full(10, np.nan))):
        sets = [frozenset(names) for names in "a" + number * "b"]
        known = np.arange(number + 1.0)[:, None]
        found = _from_others(known, sets, known, sets)
        np.testing.assert_allclose(found, [2, *told])  # from 0 to 1, 2 and 3; and from each of b to 0


def test_a_model_keeps_no_more_regions_than_it_may(monkeypatch):
    monkeypatch.setattr("lusco.novelty.learn.MOST_KNOWN", 50)
    known = knowing()
    assert len(known.parts[WHOLE].known) == 50
    assert (known.novelty(regions(60)) > 1).mean() < 0.05


def test_a_model_that_is_undecided_where_it_never_was_is_unfamiliar():
    rng = np.random.default_rng(0)
    found = own_acquisition([described(scattered(rng), sure=0.99) for _ in range(60)])
    known = learnt(found[::2], found[1::2])
    assert (known.novelty(regions(1)) > 1).all()


def test_whole_composites_are_described_in_regions_and_their_surroundings():
    rng = np.random.default_rng(0)
    images = [Seen(*answered(scattered(rng)), frozenset({"a", "b"}), k) for k in range(20)]
    known = learn_from(images[:10], images[10:], 2, PIXEL_NM, SIDE_PX)
    assert len(known.parts) == 3
    assert (known.side_px, known.surroundings, known.across) == (REGION_PX, *[SIDE_PX // REGION_PX] * 2)
    assert len(known.parts[WHOLE].known) == 10, "the four regions of a composite have the same surroundings"


def test_nothing_is_unfamiliar_where_nothing_could_be_compared():
    none = regions(1)[:0]
    for training, validation in ((none, none), (none, regions(1)), (regions(1), none)):
        assert (learnt(training, validation).novelty(regions(1)) == 0).all()


def test_composites_without_a_region_are_passed_over():
    nothing = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    empty = described(nothing)
    assert len(empty) == 0
    assert (knowing(5).novelty(empty) == np.zeros(0)).all()


def test_regions_cover_an_image_whatever_its_size_and_a_smaller_one_has_none():
    counts = np.full((100, 64), 5, dtype=np.float32)
    assert list(described(counts)["y_nm"]) == [0, 36 * PIXEL_NM]
    assert len(described(counts[:10])) == 0


def test_regions_are_no_larger_than_composites():
    assert region_px(20, 256) == 64
    assert region_px(6, 112) == 112
    assert region_px(100, 256) == SCALES_PX[-1]
    assert surroundings(64, 256) == 4
    assert surroundings(112, 112) == 1
    assert surroundings(64, 1024) == 4


def localizations(rng, weight):
    structure = rng.integers(3, size=3000)
    return pd.DataFrame({"x_nm": rng.uniform(0, 640, 3000), "structure": structure, "weight": np.float32(weight)})


def test_varied_intensities_are_scaled():
    varied = varied_table(localizations(np.random.default_rng(0), 0.4), 3, np.random.default_rng(0))
    assert 0.4 * 0.5 - 1e-6 <= varied["weight"].min() <= varied["weight"].max() <= 0.4


def test_a_composite_is_described_as_precise_as_one_of_its_acquisitions():
    """As a mixture is, which is imaged at once."""
    composite = pd.DataFrame({"structure": [0, 0, 1, 1], "uncertainty_nm": [4.0, 9.0, 20.0, 20.0]})
    found = [each["uncertainty_nm"] for each in at_each_precision(composite)]
    np.testing.assert_allclose([np.exp(np.log(each).mean()) for each in found], [6, 20])
    for each in found:
        np.testing.assert_allclose(each / each[0], composite["uncertainty_nm"] / 4)
    assert next(at_each_precision(composite[:0])).empty


def test_unknown_uncertainties_stay_unknown():
    composite = pd.DataFrame({"structure": [0, 1], "uncertainty_nm": [np.nan, 20.0]})
    assert [each["uncertainty_nm"].isna().tolist() for each in at_each_precision(composite)] == [[True, False]]
    unknown = composite.assign(uncertainty_nm=np.nan)
    assert [each["uncertainty_nm"].isna().all() for each in at_each_precision(unknown)] == [True]
    infinite = pd.DataFrame({"structure": [0, 1, 1], "uncertainty_nm": [10.0, 20.0, np.inf]})
    assert [each["uncertainty_nm"].round(3).tolist() for each in at_each_precision(infinite)] == [
        [7.071, 14.142, np.inf],
        [14.142, 28.284, np.inf],
    ]


def test_a_varied_table_holds_a_part_of_what_the_composite_held():
    rng = np.random.default_rng(0)
    whole = localizations(rng, 1)
    parts = [varied_table(whole, 3, rng) for _ in range(40)]
    assert {part["structure"].nunique() for part in parts} == {1, 2, 3}
    for part in parts:
        assert len(part.merge(whole, on=["x_nm", "structure"])) == len(part)
    sizes = [len(part) / len(whole) for part in parts]
    assert min(sizes) < 0.4
    assert 0.6 < max(sizes) < 1
    assert {part["structure"].iloc[0] for part in parts if len(set(part["structure"])) == 1} == {0, 1, 2}
    kept = [part["structure"].value_counts() / whole["structure"].value_counts() for part in parts]
    assert max(np.ptp(each.dropna()) for each in kept) > 0.2, "each structure is thinned by itself"


def test_of_a_structure_alone_all_is_kept_and_nothing_else():
    whole = localizations(np.random.default_rng(0), 1)
    alone = alone_table(whole, 2)
    assert set(alone["structure"]) == {2}
    assert alone["x_nm"].tolist() == whole.loc[whole["structure"] == 2, "x_nm"].tolist()


def test_every_feature_is_described():
    assert set(FEATURES) <= set(regions(1).columns)
