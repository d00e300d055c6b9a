"""How far is too far: of descriptions by the number of structures beside them, of regions, and of whole fields."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from random_regions import REGION_PX, own_acquisition

from lusco.novelty import Known
from lusco.novelty.learn import learn
from lusco.novelty.limits import (
    LEAST_DISTANCE,
    LEAST_KNOWN,
    LEAST_OF_EACH,
    by_number,
    exceeded_by_few,
    joint_limits,
    newest,
    of_field,
)
from lusco.novelty.parts import Part
from lusco.novelty.regions import FEATURES, WHOLE, fields_around, regions_across, structures_in
from lusco.packed import pack

HUNDRED = np.arange(1, 101) / 100


def judged(novelty, structures=1, weight=1.0, composite=None, copy=0):
    """Regions with this novelty, each of a composite of its own if nothing is said, all of many acquisitions."""
    composite = np.arange(len(novelty)) if composite is None else composite
    columns = {"novelty": novelty, "structures": structures, "weight": weight, "composite": composite, "copy": copy}
    names = frozenset(map(str, range(100)))
    return pd.DataFrame(columns, index=range(len(novelty))).assign(acquisitions=[names] * len(novelty))


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
    few = judged(np.full(LEAST_KNOWN - 1, 9.0), 2)
    enough = judged(np.full(LEAST_KNOWN, 5.0), 3)
    many = judged(np.tile(HUNDRED, 20), 1)
    limits = by_number([pd.concat([many, few, enough]), many], 3)
    of_all = exceeded_by_few(pd.concat([many, few, enough]))
    assert of_all == 1, "19 of 2019 are more"
    np.testing.assert_allclose(limits, [of_all, 0.99, of_all, 5.0])


def test_what_hardly_a_composite_has_tells_no_limit_however_often_it_was_copied():
    one = judged(np.full(200, 9.0), 2, composite=np.arange(200) % (LEAST_KNOWN - 1))
    many = judged(np.tile(HUNDRED, 300), 1, composite=1000 + np.arange(30000))
    assert by_number([pd.concat([many, one])] * 2, 2).tolist() == [1, 0.99, 1]


def test_a_table_with_few_composites_sets_the_limit_where_it_is_more_and_another_has_enough():
    few = judged(np.full(LEAST_KNOWN - 1, 2.0))
    assert by_number([judged(HUNDRED), few], 1)[1] == 2
    assert by_number([judged(HUNDRED), judged(HUNDRED[:3])], 1)[1] == 0.99


def test_a_number_that_few_acquisitions_show_has_the_limit_of_all():
    """Of two structures, these are six of each and one less, each in composites of its own."""
    one, two = judged(HUNDRED, 1), judged(2 * HUNDRED, 2, composite=100 + np.arange(100))
    of_all = exceeded_by_few(pd.concat([one, two]))
    for names, limit in ((2 * LEAST_OF_EACH, 0.99), (2 * LEAST_OF_EACH - 1, of_all)):
        one["acquisitions"] = [frozenset({str(k % names), str((k + 1) % names)}) for k in range(100)]
        np.testing.assert_allclose(by_number([pd.concat([one, two])] * 2, 2), [of_all, limit, 2 * 0.99])


def test_no_distance_is_nothing():
    assert by_number([judged(np.zeros(50))], 1).tolist() == [LEAST_DISTANCE] * 2
    assert by_number([judged(np.full(50, np.nan))] * 2, 1).tolist() == [LEAST_DISTANCE] * 2


def fields(means, apart, structures=1):
    """Composites of four regions, of which two are newer than their mean and two less."""
    novelty = np.add.outer(means, apart * np.array([1, 1, -1, -1])).ravel()
    return judged(novelty, structures, composite=np.repeat(np.arange(len(means)), 4))


def test_a_field_is_too_new_where_few_known_ones_are_as_new_on_average():
    """No region is beyond 1, and one field in a hundred may be too new, so that nothing is lengthened."""
    limits, longer = joint_limits([fields(0.5 * HUNDRED, 0.4)] * 2, 1, 2)
    np.testing.assert_allclose(limits, 0.5 * 0.99)
    assert longer == 1


def test_distances_are_lengthened_until_one_in_a_hundred_regions_is_new_alone_or_by_its_field():
    rng = np.random.default_rng(0)
    tables = [fields(rng.uniform(0.3, 0.9, 1000), 0.5) for _ in range(2)]
    alone = max(map(exceeded_by_few, tables))
    limits, longer = joint_limits(tables, 1, 2)
    assert longer > alone > 1.2
    for table in tables:
        mean = table.groupby("composite")["novelty"].transform("mean")
        new = np.maximum(table["novelty"], mean / limits[1]) / longer > 1 + 1e-9
        assert 0.005 < new.mean() <= 0.01


def test_a_field_has_the_limit_of_the_mean_number_of_structures_of_its_regions():
    regions = pd.concat([fields(0.4 * HUNDRED, 0.1, 1), fields(0.8 * HUNDRED, 0.1, np.tile([2, 2, 2, 1], 100))])
    regions["composite"] = np.repeat(np.arange(200), 4)
    limits, _ = joint_limits([regions] * 2, 2, 2)
    np.testing.assert_allclose(limits[1:], [0.4 * 0.99, 0.8 * 0.99])


def test_few_fields_have_the_limit_of_all():
    """Of fewer than a hundred, one in a hundred is less than one."""
    new, usual = fields(0.6 * HUNDRED[:-1], 0.1, 1), fields(np.full(5000, 0.3), 0.1, 2)
    usual["composite"] += 1000
    regions = pd.concat([new, usual])
    limits, _ = joint_limits([regions] * 2, 2, 2)
    np.testing.assert_allclose(limits, [limits[1], limits[1], 0.3])
    assert limits[1] < 0.6 * 0.99


def test_each_copy_of_a_composite_is_a_field_and_counts_less():
    """Of fifty, one is newer than all others, in one of two copies: half a fiftieth is one in a hundred."""
    plain = fields(0.01 * np.arange(50), 0.1)
    copies = [plain.assign(copy=copy, weight=0.5) for copy in (0, 1)]
    copies[1].loc[copies[1]["composite"] == 49, "novelty"] += 0.3
    limits, _ = joint_limits([pd.concat(copies)] * 2, 1, 2)
    np.testing.assert_allclose(limits, 0.49)


def test_fields_of_which_hardly_a_region_is_described_or_one_is_not_known_tell_nothing():
    regions = fields(0.5 * HUNDRED, 0.1)
    few = regions[regions.groupby("composite").cumcount() == 0]
    unknown = regions.assign(novelty=regions["novelty"].where(regions.groupby("composite").cumcount() > 0))
    for table in (few, unknown, regions[:0], fields(np.full(LEAST_KNOWN - 1, 0.5), 0.1)):
        assert joint_limits([table] * 2, 1, 2)[0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("described", "across", "novelty"), [(2, 2, 0.8), (1, 2, 0), (1, 1, 0), (7, 4, 0), (8, 4, 0.8)]
)
def test_a_field_is_told_by_half_of_its_regions_at_least_and_never_by_one(described, across, novelty):
    regions = np.full(described, 0.4), np.ones(described)
    assert of_field(*regions, across, [1.0, 0.5]) == pytest.approx(novelty)


def placed(rows, columns, side_nm=10.0):
    """Regions with corners in all these rows and columns."""
    y, x = (each.ravel() for each in np.meshgrid(rows, columns, indexing="ij"))
    return pd.DataFrame({"x_nm": x, "y_nm": y, "side_nm": side_nm})


def test_a_field_around_a_region_is_moved_into_the_image():
    """Three by three regions, of which the last overlap those before; squares of two by two begin at the region."""
    regions = placed([0.0, 10.0, 14.0], [0.0, 10.0, 13.5])
    means = [own.mean() for own in fields_around(regions, 2, (3, 3))]
    np.testing.assert_allclose(np.reshape(means, (3, 3)), [[2, 3, 3], [5, 6, 6], [5, 6, 6]])
    assert [own.tolist() for own in fields_around(regions, 1, (3, 3))] == [[k] for k in range(9)]
    assert [own.tolist() for own in fields_around(regions, 5, (3, 3))] == [[*range(9)]] * 9


def test_regions_that_are_not_described_are_left_out_of_the_field():
    """The first row of the image, and the first region of the second; squares lie as they would with them."""
    regions = placed([10.0, 20.0], [0.0, 10.0])[1:]
    assert [own.tolist() for own in fields_around(regions, 2, (3, 2))] == [[0, 1, 2]] * 3
    assert [own.tolist() for own in fields_around(regions, 2, (4, 2))] == [[0, 1, 2], [1, 2], [1, 2]]
    assert fields_around(regions[:0], 2, (3, 2)) == []


@pytest.mark.parametrize(("side_px", "across"), [(512, 8), (520, 9), (64, 1), (40, 1)])
def test_a_field_has_as_many_regions_as_a_composite(side_px, across):
    assert regions_across(64, side_px) == across


class Around:
    """Stands for localizations: an image of so many regions."""

    def __init__(self, *regions):
        self.shape = tuple(REGION_PX * each for each in regions)


@pytest.fixture
def judge(monkeypatch):
    """The regions of an image that are described so."""

    def judge(known, described, *shape):
        monkeypatch.setattr("lusco.novelty.describe", lambda *_: described)
        return known.judge(Around(*shape), None, None, ("rings", "lines"))

    return judge


def test_what_is_a_little_unlike_everywhere_is_unfamiliar_though_hardly_a_region_is(judge):
    """Sixteen regions of a field, described at random; in the last fields each number is a little more."""
    rng = np.random.default_rng(0)
    place = placed(10.0 * np.arange(4), 10.0 * np.arange(4)).assign(localizations=100.0, part=WHOLE)

    def field(more=0.0):
        return place.assign(**dict(zip(FEATURES, more + rng.normal(size=(len(FEATURES), 16)), strict=True)))

    def known_of(number):
        return own_acquisition([field().assign(copy=0) for _ in range(number)])

    def unfamiliar(known, more):
        return pd.concat([judge(known, field(more), 4, 4) for _ in range(50)])["unfamiliar"].mean()

    known = learn(known_of(60), known_of(60), 0, REGION_PX, 1, 4)
    assert unfamiliar(known, 0) < 0.05
    assert unfamiliar(known, 0.9) > 0.9
    assert unfamiliar(replace(known, fields=[1e9]), 0.9) < 0.3, "by its regions alone"
    alone = [judge(known, field()[:1], 1, 1)["unfamiliar"].all() for _ in range(200)]
    assert np.mean(alone) < 0.03, "a small image is no field"


def at_zero(distances):
    """A part of which a single description is known, of zeros."""
    width = len(FEATURES)
    return Part(pack(np.zeros((1, width))), [0.0] * width, np.eye(width).tolist(), distances)


def test_regions_and_fields_are_compared_with_those_of_as_many_structures(judge):
    """Beside each other: one structure, two, and one again."""
    known = Known(REGION_PX, 1, 2, [at_zero([9.0, 2.0, 4.0])] * 3, [9.0, 0.4, 0.6])
    rows = [
        (0.0, 0, 1.0),
        (0.0, 1, 0.0),
        (10.0, 0, 3.0),
        (10.0, 1, 0.0),
        (10.0, 2, 0.0),
        (20.0, 0, 1.2),
        (20.0, 2, 0.0),
    ]
    described = pd.DataFrame(rows, columns=["x_nm", "part", "log_density"]).assign(y_nm=0.0, side_nm=10.0)
    rest = [name for name in FEATURES if name != "log_density"]
    described = described.assign(localizations=100.0, **dict.fromkeys(rest, 0.0))
    found = judge(known, described, 1, 3)
    whole, structures = np.array([1 / 2, 3 / 4, 1.2 / 2]), np.array([1, 2, 1])
    assert known.novelty(described)[[0, 2, 5]].tolist() == whole.tolist()
    # two regions of 1.5 structures, so 2; the last two are moved into the image
    fields = [whole[own].mean() / known.fields[round(structures[own].mean())] for own in ([0, 1], [1, 2], [1, 2])]
    np.testing.assert_allclose(found["novelty"], np.round(np.maximum(whole, fields), 3))
    assert found["unfamiliar"].tolist() == [True] * 3
    assert found["differs_by"].tolist() == ["higher density"] * 3


def test_a_region_that_is_newer_than_its_field_is_as_new_as_it_is_itself(judge):
    known = Known(REGION_PX, 1, 2, [at_zero([1.0])], [2.0])
    described = placed([0.0], [0.0, 10.0]).assign(part=WHOLE, localizations=100.0, **dict.fromkeys(FEATURES, 0.0))
    described["log_density"] = [1.5, 0.1]
    found = judge(known, described, 1, 2)
    np.testing.assert_allclose(found["novelty"], [1.5, (1.5 + 0.1) / 2 / 2])
    assert found["unfamiliar"].tolist() == [True, False]
    assert found["differs_by"].tolist() == ["higher density", ""]


def test_a_field_differs_by_what_its_newest_region_does(judge):
    known = Known(REGION_PX, 1, 2, [at_zero([1.0])], [0.5])
    described = placed([0.0], [0.0, 10.0]).assign(part=WHOLE, localizations=100.0, **dict.fromkeys(FEATURES, 0.0))
    described["log_density"], described["indecision"] = [0.1, 0.0], [0.0, 0.99]
    found = judge(known, described, 1, 2)
    assert found["differs_by"].tolist() == ["more indecision"] * 2
    np.testing.assert_allclose(found["novelty"], (0.1 + 0.99) / 2 / 0.5)
