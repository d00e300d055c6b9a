"""Novelty of what is taken for each structure, and copies of a composite."""

import numpy as np
import pandas as pd
import pytest
from random_regions import (
    DENSITY,
    PIXEL_NM,
    REGION_PX,
    SIDE_PX,
    answered,
    learnt,
    regions,
    scattered,
)

from lusco.novelty.learn import Seen, _prepared, learn, learn_from
from lusco.novelty.regions import FEATURES, LEAST_COUNTS, LEAST_SHARE, WHOLE, describe


def shared_out(counts, first):
    """Localizations with these counts per pixel; of each, the probability of the first of two structures, per pixel."""
    points, _ = answered(counts, uncertainty_nm=10.0)
    own = first[np.nonzero(counts)]
    return points, np.column_stack([own, 1 - own])


def test_a_structure_is_described_by_what_the_model_takes_for_it():
    """The left half of each region is taken for one, the rest, twice as dense, for the other."""
    first = np.zeros((REGION_PX, REGION_PX))
    first[:, : REGION_PX // 2] = 1
    counts = np.where(first == 1, 1, 2).astype(np.float32)
    found = describe(*shared_out(counts, first), REGION_PX, 1).set_index("part")
    per_um2 = (1000 / PIXEL_NM) ** 2
    np.testing.assert_allclose(10 ** found["log_density"], [1.5 * per_um2, 0.5 * per_um2, per_um2])
    np.testing.assert_allclose(
        10 ** found.loc[1, "clustering_1px"], 0.5
    )  # half ones, half zeros: variance 1/4, mean 1/2
    np.testing.assert_allclose(found["indecision"], 0, atol=1e-6)
    assert found["log_uncertainty"].isna().tolist() == [False, True, True]


def test_indecision_is_a_mean_over_the_localizations_of_a_part():
    """In the right half, thrice as dense, both structures are equally likely; in the left, all is of the first."""
    first = np.ones((REGION_PX, REGION_PX))
    first[:, REGION_PX // 2 :] = 0.5
    counts = np.where(first == 1, 1, 3).astype(np.float32)
    found = describe(*shared_out(counts, first), REGION_PX, 1)
    np.testing.assert_allclose(found["indecision"], [3 / 4, 1.5 / 2.5, 1], atol=1e-5)


def test_copies_of_a_composite_count_as_one_in_the_limits():
    one = regions(1).drop(columns="composite")
    copies = [one.assign(composite=composite, copy=copy) for composite, copy in ((0, 0), (0, 1), (1, 0))]
    weight = _prepared(pd.concat(copies, ignore_index=True), np.empty((0, 0)))["weight"]
    np.testing.assert_allclose(weight, np.repeat([0.5, 0.5, 1], len(one)))


def test_of_a_structure_that_is_hardly_there_nothing_is_said():
    counts = np.ones((REGION_PX, REGION_PX), dtype=np.float32)
    parts = [
        describe(*shared_out(counts, np.full_like(counts, share)), REGION_PX, 1)["part"].tolist()
        for share in (1.01 * LEAST_SHARE, 0.99 * LEAST_SHARE)
    ]
    assert parts == [[0, 1, 2], [0, 2]]
    few = np.zeros_like(counts)
    few.flat[: LEAST_COUNTS + 10] = 1
    assert describe(*shared_out(few, np.full_like(few, 0.5)), REGION_PX, 1)["part"].tolist() == [0]


def test_a_structure_that_looks_other_than_it_did_is_unfamiliar_though_the_whole_is_not():
    """All counts lie at random, taken for the first structure one by one; in the last image, square by square."""
    rng = np.random.default_rng(0)

    def seen(number, block):
        """In squares of so many pixels, the same structure."""
        side = SIDE_PX // block
        images = [
            (scattered(rng), np.kron(rng.integers(0, 2, (side, side)), np.ones((block, block)))) for _ in range(number)
        ]
        return [Seen(*shared_out(*image), frozenset({str(k)}), k) for k, image in enumerate(images)]

    known = learn_from(seen(60, 1), seen(60, 1), 2, PIXEL_NM, SIDE_PX)
    same, other = seen(20, 1), seen(20, 8)
    found = [
        [known.judge(one.points, one.probabilities, None, ("rings", "lines")) for one in some] for some in (same, other)
    ]
    usual, strange = (pd.concat(tables) for tables in found)
    assert list(usual.columns) == ["x_nm", "y_nm", "side_nm", "localizations", "novelty", "unfamiliar", "differs_by"]
    assert len(usual) == 20 * 4, "one row for each region, whatever is described of it"
    assert usual["unfamiliar"].mean() < 0.1
    assert strange["unfamiliar"].all()
    assert set(strange["differs_by"]) <= {"more clustering of rings", "more clustering of lines"}


def test_a_model_keeps_as_many_regions_of_composites_that_were_copied_less(monkeypatch):
    monkeypatch.setattr("lusco.novelty.learn.MOST_KNOWN", 100)
    once, copied = regions(100), regions(400, 1, density_per_um2=8 * DENSITY)
    copied = copied.assign(composite=1000 + copied["composite"] // 4, copy=copied["composite"] % 4)
    known = learnt(pd.concat([once, copied]), once).parts[WHOLE]
    dense = known.known[:, FEATURES.index("log_density")] > 0
    assert 0.35 < dense.mean() < 0.65
    nearly_all = pd.concat([once[:40], copied])[:120]
    assert len(learnt(nearly_all, once).parts[WHOLE].known) == 100


def test_copies_that_are_alike_count_no_less(monkeypatch):
    """As those of a structure whose answers do not depend on precision: of four, one is left, and counts as a whole."""
    monkeypatch.setattr("lusco.novelty.learn.MOST_KNOWN", 100)
    once, one = regions(100), regions(100, 1, density_per_um2=8 * DENSITY)
    alike = pd.concat([one.assign(composite=1000 + one["composite"], copy=copy) for copy in range(4)])
    known = learnt(pd.concat([once, alike]), once).parts[WHOLE]
    dense = known.known[:, FEATURES.index("log_density")] > 0
    assert 0.35 < dense.mean() < 0.65


def test_of_a_part_with_hardly_a_description_nothing_is_said():
    few = regions(2)
    assert learnt(few, regions(60)).parts[WHOLE].features == learnt(regions(60), few).parts[WHOLE].features == ""


def made_up(rng, number, alike=False):
    """Regions of three structures, at random; if alike, each is described the same as a whole and by each structure."""
    drawn = rng.normal(size=(number, 1 if alike else 4, len(FEATURES)))
    rows = pd.DataFrame(np.broadcast_to(drawn, (number, 4, len(FEATURES))).reshape(-1, len(FEATURES)), columns=FEATURES)
    composite = np.repeat(np.arange(number), 4)
    own = [frozenset({str(name)}) for name in rng.integers(1_000_000, size=4 * number)]
    return rows.assign(part=np.tile(range(4), number), composite=composite, copy=0, acquisitions=own)


def test_one_region_in_a_hundred_raises_an_alarm_however_many_parts_are_described():
    """Parts that have nothing to do with each other would raise one in a hundred alarms each."""
    rng = np.random.default_rng(0)
    known = learn(made_up(rng, 400), made_up(rng, 400), 3, REGION_PX, 1, 1)
    novelty = known.novelty(made_up(rng, 4000)).reshape(-1, 4)
    assert 0.003 < (novelty.max(1) > 1).mean() < 0.02
    assert (novelty > 1).mean(0).min() > 0, "each part may raise one"


@pytest.mark.parametrize("alike", [(True, True), (True, False), (False, True)], ids=str)
def test_distances_are_longer_only_where_parts_raise_alarms_of_their_own(alike):
    """In regions of training that are left out, or in those of validation."""
    rng = np.random.default_rng(0)
    tables = [made_up(rng, 400, each) for each in alike]
    known = learn(*tables, 3, REGION_PX, 1, 1).parts[WHOLE]
    alone = learn(*(table[table["part"] == WHOLE] for table in tables), 0, REGION_PX, 1, 1).parts[WHOLE]
    assert known.features == alone.features
    if all(alike):
        assert known.distances == alone.distances * 4
    else:
        assert min(known.distances) > 1.02 * alone.distances[0]
