"""Novelty of how localizations look to the network."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from random_regions import PIXEL_NM, REGION_PX, SIDE_PX, answered, scattered
from test_novelty_parts import made_up

from lusco.novelty import OTHER_SHAPES, Known
from lusco.novelty.learn import MOST_AXES, Seen, _axes, learn, learn_from
from lusco.novelty.parts import Part
from lusco.novelty.regions import FEATURES, appearance_columns, appearance_of, describe
from lusco.packed import pack
from lusco.render import Points


def test_a_region_looks_like_the_mean_of_its_localizations_and_a_structure_like_that_of_its_share():
    """Two regions, of which the second begins where the image ends; weights of the first localizations are two."""
    number = 200
    left = np.arange(number) < number // 2
    x_nm = np.where(left, 0.5, REGION_PX + 9.5) * PIXEL_NM
    weight = np.where(np.arange(number) % 2 == 0, 2.0, 1.0)
    shape = (REGION_PX, REGION_PX + 10)
    points = Points(x_nm, np.full(number, PIXEL_NM), weight, (0.0, 0.0), PIXEL_NM, shape)
    even = np.arange(number) % 2 == 0
    probabilities = np.where(even, 0.8, 0.4)[:, None] * [1, 0] + np.where(even, 0.2, 0.6)[:, None] * [0, 1]
    looks = np.column_stack([even, np.where(left, 3, 7)])
    found = describe(points, probabilities, REGION_PX, 1, looks).set_index(["x_nm", "part"])
    for x, second in ((0.0, 3), (10 * PIXEL_NM, 7)):
        own = found.loc[x, appearance_columns(2)]
        np.testing.assert_allclose(own["appearance_0"], [2 / 3, 1.6 / (1.6 + 0.4), 0.4 / (0.4 + 0.6)])
        np.testing.assert_allclose(own["appearance_1"], second)


def test_what_is_told_of_surroundings_is_their_mean_look():
    counts = np.ones((2 * REGION_PX, REGION_PX), dtype=np.float32)
    points, probabilities = answered(counts)
    looks = (points.y_nm > REGION_PX * PIXEL_NM).astype(float)[:, None]
    assert describe(points, probabilities, REGION_PX, 1, looks).query("part == 0")["appearance_0"].tolist() == [0, 1]
    assert describe(points, probabilities, REGION_PX, 2, looks).query("part == 0")["appearance_0"].tolist() == [0.5] * 2


def test_without_a_look_there_is_no_column_of_it():
    assert appearance_of(describe(*answered(scattered(np.random.default_rng(0))), REGION_PX, 1)) == []


def looking(number, together, seed):
    """Composites of random counts, two of whose four features go together, or against each other."""
    rng = np.random.default_rng(seed)
    seen = []
    for index in range(number):
        points, probabilities = answered(scattered(rng))
        common = rng.normal()
        mean = np.array([common, common if together else -common, 0, 0]) + rng.normal(0, 0.05, 4)
        looks = mean + rng.normal(size=(len(points), 4))
        seen.append(Seen(points, probabilities, frozenset({f"{seed} {index}"}), index, appearance=looks))
    return seen


def judged(known, seen):
    axes = np.array(known.axes)
    tables = [known.judge(one.points, one.probabilities, one.appearance @ axes.T, ("rings", "lines")) for one in seen]
    return pd.concat(tables)


def test_what_looks_other_than_it_did_is_unfamiliar_though_it_is_counted_alike():
    known = learn_from(looking(100, True, 0), looking(100, True, 1), 2, PIXEL_NM, SIDE_PX)
    assert judged(known, looking(40, True, 2))["unfamiliar"].mean() < 0.05
    other = judged(known, [one for one in looking(40, False, 3) if abs(one.appearance[:, 0].mean()) > 1])
    assert other["unfamiliar"].all()
    assert set(other["differs_by"]) <= {
        OTHER_SHAPES,
        f"{OTHER_SHAPES} of rings",
        f"{OTHER_SHAPES} of lines",
    }


def test_what_is_known_survives_being_written_as_plain_values():
    known = learn_from(looking(40, True, 0), looking(40, True, 1), 2, PIXEL_NM, SIDE_PX)
    assert len(known.appearance) == 3
    assert Known.of(asdict(known)) == known


def test_of_composites_that_do_not_look_at_all_no_axis_is_known():
    plain = [Seen(one.points, one.probabilities, one.acquisitions, one.composite) for one in looking(20, True, 0)]
    known = learn_from(plain, plain, 2, PIXEL_NM, SIDE_PX)
    assert known.axes == known.appearance == []


def test_axes_are_those_along_which_regions_of_a_part_differ_whatever_parts_differ_by():
    """Parts lie apart along the first feature, the whole differs along the second, a rare structure along the last.

    The third never changes. Regions with the same surroundings, of which there are many here, count as one.
    """
    rng = np.random.default_rng(0)
    whole = np.column_stack([np.zeros(300), rng.normal(size=300), np.full(300, 5.0), np.zeros(300)])
    rare = np.column_stack([np.full(30, 10.0), np.zeros(30), np.full(30, 5.0), 2 * rng.normal(size=30)])
    alike = np.repeat(whole[:1] + np.array([0, 20, 0, 0]), 300, 0)
    regions = pd.DataFrame(np.concatenate([whole, alike, rare]), columns=appearance_columns(4))
    axes = _axes(regions.assign(part=np.repeat([0, 1], [600, 30])))
    assert axes.shape == (2, 4)
    np.testing.assert_allclose(np.abs(axes), [[0, 0, 0, 1], [0, 1, 0, 0]], atol=0.05)


def test_no_more_axes_are_kept_than_a_large_field_has_room_for():
    rng = np.random.default_rng(0)
    columns = appearance_columns(2 * MOST_AXES)
    regions = pd.DataFrame(rng.normal(size=(200, len(columns))), columns=columns).assign(part=0)
    axes = _axes(regions)
    np.testing.assert_allclose(axes @ axes.T, np.eye(MOST_AXES), atol=1e-4)


def test_one_region_in_a_hundred_raises_an_alarm_though_looks_are_compared_too():
    """Looks that have nothing to do with counts would raise one in a hundred alarms for each part."""
    rng = np.random.default_rng(0)

    def drawn(number):
        regions = made_up(rng, number)
        looks = rng.normal(size=(len(regions), 6))
        return regions.assign(**dict(zip(appearance_columns(6), looks.T, strict=True)))

    known = learn(drawn(400), drawn(400), 3, REGION_PX, 1, 1)
    new = drawn(4000)
    columns = appearance_columns(6)
    new[columns] = new[columns].to_numpy() @ np.array(known.axes).T
    assert 0.003 < (known.novelty(new).reshape(-1, 4).max(1) > 1).mean() < 0.02


def at_zero(width):
    """A part of which a single description is known, of zeros."""
    return Part(pack(np.zeros((1, width))), [0.0] * width, np.eye(width).tolist(), [1.0])


@pytest.mark.parametrize(("look", "novelty", "differs_by"), [(1, 3, "higher density"), (4, 4, OTHER_SHAPES)])
def test_a_region_is_as_new_as_what_is_counted_or_as_it_looks(look, novelty, differs_by):
    known = Known(REGION_PX, 1, 1, [at_zero(len(FEATURES))], [1.0], [[1.0, 0.0]], [at_zero(1)])
    row = dict.fromkeys(FEATURES, 0.0) | {"log_density": 3.0, "part": 0, "appearance_0": float(look)}
    found, words = known._compared(pd.DataFrame([row]), np.zeros(1, dtype=int))
    assert (found[0], words[0]) == (novelty, differs_by)


def test_a_look_that_is_known_is_asked_for():
    known = learn_from(looking(40, True, 0), looking(40, True, 1), 2, PIXEL_NM, SIDE_PX)
    one = looking(1, True, 2)[0]
    with pytest.raises(ValueError, match="shape"):
        known.judge(one.points, one.probabilities, None, ("rings", "lines"))
