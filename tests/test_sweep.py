"""Sweeps: what a condition does to the localizations, and scores that are known beforehand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lusco import table as tables
from lusco.errors import InputError
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.settings import stage_settings
from lusco.superpose.composites import open_composites
from lusco.sweep import SWEEPS, shared, superpose_sweep
from lusco.sweep.scores import score_sweep

STRUCTURES, SIDE_PX, PIXEL_NM, NUMBER = ("a", "b", "c"), 64, 20.0, 3


@pytest.fixture
def acquisitions():
    rng = np.random.default_rng(0)
    return [
        tables.localizations(
            {
                "x_nm": rng.uniform(0, 6000, 20_000),
                "y_nm": rng.uniform(0, 6000, 20_000),
                "uncertainty_nm": np.full(20_000, 6.0),
            },
            (0, 6000, 0, 6000),
            {"acquisition": f"{structure}_1", "structure": structure},
        )
        for structure in STRUCTURES
    ]


def made(acquisitions, tmp_path, sweep, levels):
    out = tmp_path / f"{sweep}.arrow"
    superpose_sweep(acquisitions, STRUCTURES, sweep, levels, NUMBER, SIDE_PX, PIXEL_NM, 1, out)
    composites = open_composites(out)
    assert len(composites) == NUMBER * len(levels)
    return {level: composites.chosen(range(NUMBER * k, NUMBER * (k + 1))) for k, level in enumerate(levels)}


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


def test_a_lost_minority_shows_in_the_mixing_sweep(acquisitions, tmp_path):
    made(acquisitions, tmp_path, "mixing", [0.1])

    def never_the_rarest(truth):
        """Right, but for the structure of which a composite has the least."""
        rarest = np.bincount(truth, minlength=3).argmin()
        return np.eye(3)[np.where(truth == rarest, (rarest + 1) % 3, truth)]

    scores = scored(open_composites(tmp_path / "mixing.arrow"), never_the_rarest, tmp_path, "mixing", [0.1])
    for structure in (*STRUCTURES, "all"):
        assert scores[0.1, structure, "accuracy"] == 0
    assert 0 <= scores[0.1, "all", "shared"] <= 1


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


def test_levels_of_every_sweep_are_described_in_the_report():
    from lusco.figures.sweep import LABELS
    from lusco.report.failures import CONDITIONS

    assert set(SWEEPS) == set(LABELS) == set(CONDITIONS)
