"""How far is too far: of descriptions by the number of structures beside them, of regions, and of whole fields."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from random_regions import REGION_PX, own_acquisition

from lusco.novelty.learn import learn
from lusco.novelty.limits import LEAST_KNOWN, by_number, exceeded_by_few, newer, newest, of_fields
from lusco.novelty.regions import FEATURES, WHOLE, averaged, regions_across, structures_in

HUNDRED = np.arange(1, 101) / 100


def judged(novelty, structures=1, weight=1.0, composite=0, copy=0):
    """Regions with this novelty."""
    columns = {"novelty": novelty, "structures": structures, "weight": weight, "composite": composite, "copy": copy}
    return pd.DataFrame(columns, index=range(len(novelty)))


def test_copies_of_a_composite_count_as_one():
    novelty, weight = np.array([1.0, 2.0, 3.0, np.nan]), np.array([0.985, 0.01, 0.005, 5.0])
    assert exceeded_by_few(judged(novelty, weight=weight)) == 2.0, "half a hundredth lies farther"
    assert exceeded_by_few(judged(novelty)) == 3.0
    assert exceeded_by_few(judged(novelty[3:])) == 0.0


def test_a_region_is_as_new_as_its_newest_part_and_unknown_where_one_is():
    rows = {
        "part": [0, 1, 2, 0, 0, 2],
        "novelty": [0.5, 2.0, 1.0, 0.2, np.nan, 0.0],
        "weight": [0.5, 0.5, 0.5, 1.0, 0.25, 0.25],
    }
    found = newest(pd.DataFrame(rows))
    np.testing.assert_array_equal(found["novelty"], [2.0, 0.2, np.nan])
    np.testing.assert_array_equal(found["weight"], [0.5, 1.0, 0.25])


def test_structures_of_a_region_are_counted_where_regions_follow_each_other():
    assert structures_in(pd.DataFrame({"part": [0, 1, 3, 0, 0, 2]})).tolist() == [2, 2, 2, 0, 1, 1]


def test_each_number_of_structures_has_a_limit_and_the_table_with_more_sets_it():
    training = pd.concat([judged(HUNDRED, 1), judged(2 * HUNDRED, 2)])
    validation = pd.concat([judged(3 * HUNDRED, 1), judged(HUNDRED, 2)])
    np.testing.assert_allclose(by_number([training, validation], 2)[1:], [3 * 0.99, 2 * 0.99])


def test_a_number_that_is_hardly_met_has_the_limit_of_all():
    """Of those that one table has enough of, the other says nothing."""
    few = judged(np.full(LEAST_KNOWN - 1, 9.0), 2)
    enough = judged(np.full(LEAST_KNOWN, 5.0), 3)
    many = judged(np.tile(HUNDRED, 20), 1)
    limits = by_number([pd.concat([many, few, enough]), few], 3)
    of_all = exceeded_by_few(pd.concat([many, few, enough]))
    assert of_all == 1, "19 of 2019 are more"
    np.testing.assert_allclose(limits, [of_all, 0.99, of_all, 5.0])


def test_where_hardly_anything_is_known_the_limit_is_one():
    assert by_number([judged(np.full(LEAST_KNOWN - 1, 9.0)), judged(np.array([]))], 2).tolist() == [1, 1, 1]
    unknown = judged(np.full(50, np.nan))
    assert by_number([unknown, unknown], 2).tolist() == [1, 1, 1]


def fields(means, apart, structures=1):
    """Composites of four regions, of which two are newer than their mean and two less."""
    novelty = np.add.outer(means, apart * np.array([1, 1, -1, -1])).ravel()
    return judged(novelty, structures, composite=np.repeat(np.arange(len(means)), 4))


def test_a_field_is_too_new_where_few_known_ones_are_as_new_on_average():
    """No region is beyond 1, and one field in a hundred may be too new, so that nothing is lengthened."""
    limits, longer = of_fields([fields(0.5 * HUNDRED, 0.4)] * 2, 1)
    np.testing.assert_allclose(limits, 0.5 * 0.99)
    assert longer == 1


def test_distances_are_lengthened_until_one_in_a_hundred_regions_is_new_alone_or_by_its_field():
    rng = np.random.default_rng(0)
    tables = [fields(rng.uniform(0.3, 0.9, 1000), 0.5) for _ in range(2)]
    alone = max(map(exceeded_by_few, tables))
    limits, longer = of_fields(tables, 1)
    assert longer > alone > 1.2
    for table in tables:
        mean = table.groupby("composite")["novelty"].transform("mean")
        new = newer(table["novelty"] / longer, mean / longer, table["structures"], limits) > 1
        assert 0.005 < new.mean() <= 0.01


def test_a_field_has_the_limit_of_the_mean_number_of_structures_of_its_regions():
    regions = pd.concat([fields(0.4 * HUNDRED, 0.1, 1), fields(0.8 * HUNDRED, 0.1, np.tile([2, 2, 2, 1], 100))])
    regions["composite"] = np.repeat(np.arange(200), 4)
    limits, _ = of_fields([regions] * 2, 2)
    np.testing.assert_allclose(limits[1:], [0.4 * 0.99, 0.8 * 0.99])


def test_a_region_is_as_new_as_itself_or_its_field():
    novelty, of_field = np.array([0.2, 0.9, 0.2]), np.array([0.4, 0.4, 0.4])
    found = newer(novelty, of_field, np.array([1.4, 1.4, 1.6]), [1.0, 0.5, 0.8])
    np.testing.assert_allclose(found, [0.8, 0.9, 0.5])


def placed(rows, columns, side_nm=10.0):
    """Regions with corners in all these rows and columns."""
    y, x = (each.ravel() for each in np.meshgrid(rows, columns, indexing="ij"))
    return pd.DataFrame({"x_nm": x, "y_nm": y, "side_nm": side_nm})


def test_a_field_around_a_region_is_moved_into_the_image():
    """Three by three regions, of which the last overlap those before; squares of two by two begin at the region."""
    regions = placed([0.0, 10.0, 14.0], [0.0, 10.0, 13.5])
    values = np.arange(9.0)[:, None]
    found = averaged(regions, values, 2).reshape(3, 3)
    np.testing.assert_allclose(found, [[2, 3, 3], [5, 6, 6], [5, 6, 6]])
    np.testing.assert_allclose(averaged(regions, values, 1), values)
    np.testing.assert_allclose(averaged(regions, values, 5), 4)


def test_regions_that_are_not_described_are_left_out_of_the_field():
    regions = placed([0.0, 10.0], [0.0, 10.0])[1:]
    np.testing.assert_allclose(averaged(regions, np.array([[1.0, 2], [3, 6], [5, 10]]), 2), [[3, 6]] * 3)
    assert averaged(regions[:0], np.empty((0, 2)), 2).shape == (0, 2)


@pytest.mark.parametrize(("side_px", "across"), [(512, 8), (520, 9), (64, 1), (40, 1)])
def test_a_field_has_as_many_regions_as_a_composite(side_px, across):
    assert regions_across(64, side_px) == across


def test_what_is_a_little_unlike_everywhere_is_unfamiliar_though_hardly_a_region_is(monkeypatch):
    """Sixteen regions of a field, described at random; in the last fields each number is a little more."""
    rng = np.random.default_rng(0)
    place = placed(10.0 * np.arange(4), 10.0 * np.arange(4)).assign(localizations=100.0, part=WHOLE)

    def field(more=0.0):
        return place.assign(**dict(zip(FEATURES, more + rng.normal(size=(len(FEATURES), 16)), strict=True)))

    def known_of(number):
        return own_acquisition([field().assign(copy=0) for _ in range(number)])

    def unfamiliar(known, more):
        monkeypatch.setattr("lusco.novelty.describe", lambda *_: field(more))
        return pd.concat([known.judge(None, None, None, ()) for _ in range(50)])["unfamiliar"].mean()

    known = learn(known_of(60), known_of(60), 0, REGION_PX, 1, 4)
    assert unfamiliar(known, 0) < 0.05
    assert unfamiliar(known, 0.9) > 0.9
    assert unfamiliar(replace(known, fields=[1e9]), 0.9) < 0.3, "by its regions alone"
