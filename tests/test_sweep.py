"""Sweeps: what a condition does to the localizations, and scores that are known beforehand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from swept import NUMBER, PIXEL_NM, SIDE_PX, STRUCTURES, made, uniform

from lusco import table as tables
from lusco.errors import InputError
from lusco.superpose.composites import open_composites
from lusco.sweep import SWEEPS, shared, superpose_sweep


@pytest.fixture
def acquisitions():
    return uniform()


def rows_of(composites, index, channel):
    table = composites.table(index)
    return set(table.loc[table["structure"] == channel, "row"])


@pytest.mark.parametrize("sweep", SWEEPS)
def test_acquisitions_serve_in_turn(acquisitions, tmp_path, sweep):
    """Of three of each structure, three composites have none in common, but for what mixing thins."""
    named = [(a, f"{a.source['structure']}_{k}") for a in acquisitions for k in range(3)]
    more = [replace(a, source=a.source | {"acquisition": name}) for a, name in named]
    level = 2 if sweep == "number" else 0.5
    superpose_sweep(more, STRUCTURES, sweep, [level], 3, SIDE_PX, PIXEL_NM, 1, tmp_path / "sweep.arrow")
    sources = open_composites(tmp_path / "sweep.arrow").sources
    thinned = [(index, "abc"[index]) for index in range(3)] if sweep == "mixing" else []
    names = [n for index, own in enumerate(sources) for s, n in own.items() if (index, s) not in thinned]
    assert len(set(names)) == len(names) == (6 if sweep in ("number", "mixing") else 9)


def test_density_keeps_a_part_of_the_same_pieces(acquisitions, tmp_path):
    levels = made(acquisitions, tmp_path, "density", [1.0, 0.25])
    for index in range(NUMBER):
        for channel in range(len(STRUCTURES)):
            whole, part = (rows_of(levels[level], index, channel) for level in (1.0, 0.25))
            assert part < whole
            assert len(part) == pytest.approx(0.25 * len(whole), rel=0.15)


def test_mixing_thins_one_structure_after_the_other(acquisitions, tmp_path):
    levels = made(acquisitions, tmp_path, "mixing", [1.0, 0.1])
    for index in range(NUMBER):
        for channel in range(len(STRUCTURES)):
            whole, part = (rows_of(levels[level], index, channel) for level in (1.0, 0.1))
            if channel == index % len(STRUCTURES):
                assert len(part) == pytest.approx(0.1 * len(whole), rel=0.3)
            else:
                assert part == whole


def test_number_leaves_structures_out_each_as_often_as_the_others(acquisitions, tmp_path):
    levels = made(acquisitions, tmp_path, "number", [1, 2, 3])
    for level, composites in levels.items():
        present = [set(composites.table(index)["structure"]) for index in range(NUMBER)]
        assert [len(found) for found in present] == [level] * NUMBER
        assert [len(sources) for sources in composites.sources] == [level] * NUMBER
        assert sorted(channel for found in present for channel in found) == sorted(level * [0, 1, 2])


def test_precision_adds_a_gaussian_to_each_position(acquisitions, tmp_path):
    levels = made(acquisitions, tmp_path, "precision_nm", [0, 30])
    merged = levels[0].table(0).merge(levels[30].table(0), on=["structure", "row"], suffixes=("", "_blurred"))
    for axis in ("x_nm", "y_nm"):
        # away from the edge, over which some are lost
        middle = merged[(merged[axis] > 200) & (merged[axis] < SIDE_PX * PIXEL_NM - 200)]
        added = middle[f"{axis}_blurred"] - middle[axis]
        assert added.std() == pytest.approx(30, rel=0.1)
    assert merged["uncertainty_nm_blurred"].iloc[0] == pytest.approx(np.hypot(6, 30))
    added = merged[["x_nm_blurred", "y_nm_blurred"]].to_numpy() - merged[["x_nm", "y_nm"]].to_numpy()
    assert abs(np.corrcoef(added.T)[0, 1]) < 0.15, "not the same in x and y"
    for index in range(NUMBER):
        blurred = levels[30].table(index)[["x_nm", "y_nm"]]
        assert blurred.ge(0).all(axis=None) and blurred.lt(SIDE_PX * PIXEL_NM).all(axis=None)


@pytest.mark.parametrize(("sweep", "level", "stated"), [("scale", 2, 12.0), ("precision_nm", 8, 10.0)])
def test_what_has_no_uncertainty_gets_none_from_a_condition(acquisitions, tmp_path, sweep, level, stated):
    failed = [replace(a, table=a.table.assign(uncertainty_nm=np.resize([-1.0, 6, 6, 6], len(a)))) for a in acquisitions]
    composites = made(failed, tmp_path, sweep, [level])[level]
    points = composites.points(composites.table(0))
    assert points.uncertainty_is_known.mean() == pytest.approx(0.75, abs=0.03)
    assert set(points.uncertainty_nm[points.uncertainty_is_known]) == {stated}


def test_scale_multiplies_every_distance(acquisitions, tmp_path):
    levels = made(acquisitions, tmp_path, "scale", [0.5, 1, 2])
    sources = {a.source["acquisition"]: a.table for a in acquisitions}
    for level, composites in levels.items():
        table = composites.table(0)
        assert table[["x_nm", "y_nm"]].to_numpy().max() < SIDE_PX * PIXEL_NM
        own = table[table["structure"] == 0].iloc[:20]
        true = sources[composites.sources[0][STRUCTURES[0]]].iloc[own["row"]]
        across, measured = (np.hypot(*(t[axis].diff().iloc[1:] for axis in ("x_nm", "y_nm"))) for t in (true, own))
        np.testing.assert_allclose(measured.to_numpy(), level * across.to_numpy())
        assert (table[["x_nm", "y_nm"]].max() > 0.95 * SIDE_PX * PIXEL_NM).all(), "the composite is full"
        assert len(table) == pytest.approx(len(levels[1].table(0)) / level**2, rel=0.15)


def test_overlap_orders_arrangements_by_what_they_share(acquisitions, tmp_path):
    sparse = [
        tables.localizations(
            {axis: acquisition.table[axis][:400] for axis in ("x_nm", "y_nm")}, (0, 6000, 0, 6000), acquisition.source
        )
        for acquisition in acquisitions
    ]
    levels = made(sparse, tmp_path, "overlap", [0, 0.5, 1])
    for index in range(NUMBER):
        fractions = [shared(levels[level].table(index)) for level in (0, 0.5, 1)]
        assert fractions == sorted(fractions)
        assert fractions[0] < fractions[2]


def test_shared_counts_localizations_near_another_structure():
    columns = {"x_nm": [10, 90, 110, 500, 500], "y_nm": [10.0] * 5, "structure": [0, 1, 1, 0, 1]}
    table = pd.DataFrame(columns | {"weight": [1.0, 1.0, 1.0, 1.0, 0.0]})
    # the third lies in the next square, and the last counts nothing
    assert shared(table) == pytest.approx(2 / 4)
    assert shared(table.assign(weight=[3.0, 1.0, 1.0, 1.0, 0.0])) == pytest.approx(4 / 6)


def test_each_structure_is_singled_out_in_each_of_its_acquisitions(acquisitions, tmp_path):
    twice = acquisitions[:2] + [
        tables.localizations(
            dict(a.table.items()), a.field_nm, {**a.source, "acquisition": f"{a.source['structure']}_2"}
        )
        for a in acquisitions[:2]
    ]
    out = tmp_path / "two.arrow"
    superpose_sweep(twice, ("a", "b"), "mixing", [0.5], 4, SIDE_PX, PIXEL_NM, 1, out)
    thinned = [sources["ab"[index % 2]] for index, sources in enumerate(open_composites(out).sources)]
    assert thinned == ["a_1", "b_1", "a_2", "b_2"]


def test_positions_of_images_are_not_blurred(acquisitions, tmp_path):
    picture = tables.localizations(
        {"x_nm": [10.0, 30.0], "y_nm": [10.0, 10.0], "weight": [3.0, 1.0]},
        (0, 40, 0, 20),
        {"acquisition": "picture", "structure": "a", "pixel_nm": 20.0},
    )
    with pytest.raises(InputError, match=r"picture, key `sweeps.precision_nm`: it is an image"):
        superpose_sweep([picture], ("a",), "precision_nm", [10], 2, SIDE_PX, PIXEL_NM, 1, tmp_path / "x.arrow")


def test_levels_of_every_sweep_are_described_in_the_report():
    from lusco.figures.sweep import LABELS
    from lusco.report.failures import CONDITIONS

    assert set(SWEEPS) == set(LABELS) == set(CONDITIONS)
