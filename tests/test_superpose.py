"""Superposition: exact transformations of localizations, and composites that add up."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lusco import table
from lusco.errors import InputError
from lusco.render import NO_TRACE
from lusco.superpose import by_structure, random_generator, read_acquisitions, superpose, training_crop
from lusco.superpose.composites import SCHEMA, open_composites
from lusco.superpose.pieces import cut, prepare

SIDE_NM = 1280.0


def acquisition(name="a", structure="rings", number=4_000, side_nm=6_000.0, seed=0, **extra):
    rng = np.random.default_rng(seed)
    columns = {"x_nm": rng.uniform(0, side_nm, number), "y_nm": rng.uniform(0, side_nm, number)}
    source = {"acquisition": name, "structure": structure}
    return table.localizations(columns | extra, (0, side_nm, 0, side_nm), source)


@pytest.fixture
def two_structures():
    return [
        acquisition(f"{structure}_{index}", structure, seed=10 * index + len(structure))
        for structure in ("rings", "lines")
        for index in range(2)
    ]


def test_a_piece_keeps_all_distances_between_its_localizations():
    source = acquisition()
    field = prepare(source, 20)
    for seed in range(5):
        piece = cut(field, SIDE_NM, 1.0, np.random.default_rng(seed))
        before = source.table.iloc[piece.row][["x_nm", "y_nm"]].to_numpy()
        after = np.stack([piece.x_nm, piece.y_nm], 1)
        assert len(after) > 50
        np.testing.assert_allclose(
            np.linalg.norm(after - after[0], axis=1), np.linalg.norm(before - before[0], axis=1), atol=1e-6
        )


def test_a_piece_holds_everything_of_its_square():
    """A field of uniform density gives pieces of that density wherever and however they are cut."""
    field = prepare(acquisition(number=400_000), 20)
    expected = 400_000 * (SIDE_NM / 6_000) ** 2
    for seed in range(8):
        piece = cut(field, SIDE_NM, 1.0, np.random.default_rng(seed))
        assert abs(len(piece.row) - expected) < 6 * np.sqrt(expected)


def test_both_orientations_and_all_angles_occur():
    square = pd.DataFrame({"x_nm": [2900.0, 3100.0, 2900.0], "y_nm": [3000.0, 3000.0, 3050.0]})
    source = acquisition(number=3)
    field = prepare(table.Localizations(source.table.assign(**square), source.field_nm, source.source), 20)
    angles, hands = [], []
    for seed in range(200):
        piece = cut(field, 4_000.0, 1.0, np.random.default_rng(seed))
        if len(piece.row) < 3:
            continue
        order = np.argsort(piece.row)
        x, y = piece.x_nm[order], piece.y_nm[order]
        angles.append(np.arctan2(y[1] - y[0], x[1] - x[0]))
        hands.append(np.sign((x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])))
    assert np.histogram(angles, 8, (-np.pi, np.pi))[0].min() > 3
    assert {-1.0, 1.0} == set(hands)


def test_thinning_keeps_the_fraction_asked_for():
    field = prepare(acquisition(number=400_000), 20)
    whole = len(cut(field, SIDE_NM, 1.0, np.random.default_rng(3)).row)
    thinned = len(cut(field, SIDE_NM, 0.25, np.random.default_rng(3)).row)
    assert thinned == pytest.approx(0.25 * whole, abs=6 * np.sqrt(0.25 * whole))


def test_what_is_thinned_is_cut_from_the_version_that_was_thinned_most_before():
    source = acquisition(number=400_000)
    versions = {}
    for kept in (0.5, 0.25):
        first = replace(source, table=source.table.iloc[: int(kept * len(source))])
        versions[kept] = replace(prepare(first, 20), kept=kept)
    field = replace(prepare(source, 20), thinned=tuple(versions.values()))
    expected = 400_000 * (SIDE_NM / 6_000) ** 2
    for keep, whence in ((1.0, 1.0), (0.6, 1.0), (0.5, 0.5), (0.3, 0.5), (0.2, 0.25), (0.02, 0.25)):
        piece = cut(field, SIDE_NM, keep, np.random.default_rng(3))
        assert piece.row.max() < whence * 400_000
        assert piece.row.max() > 0.9 * whence * 400_000
        assert len(piece.row) == pytest.approx(keep * expected, abs=6 * np.sqrt(keep * expected))


def test_a_field_smaller_than_the_square_is_there_whole():
    field = prepare(acquisition(number=500, side_nm=700.0), 20)
    for seed in range(5):
        assert len(cut(field, SIDE_NM, 1.0, np.random.default_rng(seed)).row) == 500


def image_acquisition(pixels: np.ndarray, pixel_nm: float):
    rows, columns = np.nonzero(pixels)
    height, width = pixels.shape
    return table.localizations(
        {
            "x_nm": (columns + 0.5) * pixel_nm,
            "y_nm": (rows + 0.5) * pixel_nm,
            "weight": pixels[rows, columns],
        },
        (0, width * pixel_nm, 0, height * pixel_nm),
        {"acquisition": "image", "structure": "rings", "pixel_nm": pixel_nm},
    )


def test_an_image_is_only_turned_by_right_angles_and_keeps_its_pixels():
    rng = np.random.default_rng(0)
    pixels = rng.poisson(0.4, (150, 170)).astype(float)
    field = prepare(image_acquisition(pixels, 20), 20)
    found = 0
    for seed in range(6):
        crop = cut(field, 64 * 20, 1.0, np.random.default_rng(seed)).render(64, 20)
        versions = [np.rot90(version, turns) for version in (crop, crop[:, ::-1]) for turns in range(4)]
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (64, 64))
        found += any((windows == version).all((2, 3)).any() for version in versions)
    assert found == 6


def test_an_image_whose_pixels_do_not_fit_is_refused():
    with pytest.raises(InputError, match=r"30 nm, which do not fit into pixels of 20 nm.*multiple of 30"):
        prepare(image_acquisition(np.ones((4, 4)), 30), 20)


def test_training_crops_have_at_least_one_structure_and_sometimes_fewer_than_all(two_structures):
    fields = by_structure(two_structures, ["rings", "lines"], 20)
    present = np.array(
        [training_crop(fields, 64, 20, 0.5, 0.5, random_generator(1, i)).sum((1, 2)) > 0 for i in range(60)]
    )
    assert present.any(1).all()
    assert 10 < present.all(1).sum() < 50


def test_a_crop_is_thinned_and_of_any_acquisition():
    """Two acquisitions, one ten times as dense; each is kept to a quarter at least."""
    sources = [acquisition(f"a{k}", "rings", number, seed=k) for k, number in enumerate((400_000, 40_000))]
    fields, whole = by_structure(sources, ["rings"], 20), 400_000 * (SIDE_NM / 6_000) ** 2
    crops = [training_crop(fields, 64, 20, 0.25, 0, random_generator(1, index)) for index in range(60)]
    part = np.array([crop.sum() for crop in crops]) / whole
    dense = part[part > 0.2]
    assert 15 < len(dense) < 45
    assert dense.min() < 0.4 and 0.85 < dense.max() < 1.05


def test_an_image_is_thinned_by_its_counts():
    field = prepare(image_acquisition(np.full((100, 100), 100.0), 20), 20)
    weight = cut(field, SIDE_NM, 0.25, np.random.default_rng(0)).weight
    np.testing.assert_array_equal(weight, np.round(weight))
    assert weight.sum() == pytest.approx(0.25 * 64**2 * 100, rel=0.01)


def test_composites_of_a_sparse_acquisition_are_not_empty(tmp_path):
    """All of it within 100 nm of the middle of a field of 60 um."""
    near = np.random.default_rng(0).uniform(29_950, 30_050, (2, 20))
    source = {"acquisition": "a", "structure": "rings"}
    sparse = table.localizations({"x_nm": near[0], "y_nm": near[1]}, (0, 60_000, 0, 60_000), source)
    superpose([sparse], ["rings"], "test", 10, 64, 20, 1, tmp_path / "c.arrow")
    composites = open_composites(tmp_path / "c.arrow")
    assert all(len(composites.table(index)) for index in range(10))


def test_composites_add_up_and_know_each_localization(two_structures, tmp_path):
    path = tmp_path / "test.arrow"
    superpose(two_structures, ["rings", "lines"], "test", 3, 64, 20, 1, path)
    composites = open_composites(path)
    assert len(composites) == 3
    by_name = {a.source["acquisition"]: a for a in two_structures}
    for index in range(3):
        localizations = composites.table(index)
        counts = composites.counts(index)
        assert counts.shape == (2, 64, 64)
        np.testing.assert_array_equal(counts.sum((1, 2)), np.bincount(localizations["structure"], minlength=2))
        for channel, structure in enumerate(composites.structures):
            source = by_name[composites.sources[index][structure]]
            own = localizations[localizations["structure"] == channel]
            assert source.source["structure"] == structure
            assert own["row"].is_unique
            np.testing.assert_array_equal(own["frame"], source.table["frame"].iloc[own["row"]])


def test_acquisitions_serve_equally_often_and_meet_in_ever_other_combinations(tmp_path):
    sources = [acquisition(f"{name}_{k}", name, number=50) for name in ("rings", "lines", "dots") for k in range(3)]
    superpose(sources, ["rings", "lines", "dots"], "test", 27, 64, 20, 1, tmp_path / "c")
    met = pd.DataFrame(open_composites(tmp_path / "c").sources)
    for structure in met:
        assert met[structure].value_counts().tolist() == [9, 9, 9]
        rounds = met[structure].to_numpy().reshape(9, 3)
        assert all(len(set(each)) == 3 for each in rounds)  # also in the first composites of many
    assert len(met.drop_duplicates()) > 9  # of 27 that there are


def test_traces_of_different_acquisitions_stay_apart(tmp_path):
    """Each numbers its own; of a third one, none is known."""
    number = np.arange(4_000) // 4
    sources = [acquisition(name, name, seed=seed, trace=number) for seed, name in enumerate(("rings", "lines"))]
    superpose(
        [*sources, acquisition("dots", "dots", seed=5)],
        ("rings", "lines", "dots"),
        "test",
        2,
        64,
        20,
        1,
        tmp_path / "c",
    )
    table = open_composites(tmp_path / "c").table(1)
    assert (table.loc[table["structure"] == 2, "trace"] == NO_TRACE).all()
    traced = table[table["structure"] < 2]
    assert (traced["trace"] >= 0).all()
    true = traced.assign(number=number[traced["row"]])[["structure", "number", "trace"]].drop_duplicates()
    assert len(true) > 50
    assert true["trace"].is_unique
    assert not true.duplicated(["structure", "number"]).any()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(two_structures, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        superpose(two_structures, ["rings", "lines"], "test", 2, 64, 20, seed, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_a_truncated_container_gets_a_sentence(two_structures, tmp_path):
    path = tmp_path / "test.arrow"
    superpose(two_structures, ["rings", "lines"], "test", 2, 64, 20, 1, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"test\.arrow: the composites cannot be read.*run again"):
        open_composites(path)


def test_all_faults_of_the_acquisitions_come_together(tmp_path):
    table.write(acquisition("a", "dots"), tmp_path / "a.parquet")
    table.write(acquisition("b", "rings", number=0), tmp_path / "b.parquet")
    with pytest.raises(InputError) as error:
        read_acquisitions([tmp_path / "a.parquet", tmp_path / "b.parquet"], ["rings", "lines"])
    text = str(error.value)
    assert "a.parquet: its structure `dots` is not asked for" in text
    assert "b.parquet: the acquisition has no localizations" in text
    assert "there is none of the structure `lines`" in text


CHANGES = {
    "a structure too many": ({"structure": 2}, {}),
    "a structure below none": ({"structure": -1}, {}),
    "a position nowhere": ({"x_nm": np.nan}, {}),
    "a name too many": ({}, {"names": ["one", "two"]}),
    "pixels of no size": ({}, {"pixel_nm": 0}),
    "an image of petabytes": ({}, {"side_px": 10**7}),
    "no structures": ({}, {"structures": None}),
}


@pytest.mark.parametrize(("columns", "metadata"), CHANGES.values(), ids=CHANGES)
def test_composites_that_do_not_hold_together_are_a_fault(tmp_path, columns, metadata):
    path = tmp_path / "test.arrow"
    row = dict.fromkeys(SCHEMA.names, 0.5)
    row |= {"frame": 1, "row": 1, "trace": 1, "structure": 1, "unspecific": False} | columns
    batch = pa.RecordBatch.from_pylist([row], schema=SCHEMA)
    said = {"structures": ["a", "b"], "pixel_nm": 20, "side_px": 32, "names": ["one"], "sources": [{}]} | metadata
    schema = SCHEMA.with_metadata({b"lusco-composites": json.dumps(said)})
    with pa.ipc.new_file(str(path), schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
    with pytest.raises(InputError, match=r"the composites are damaged .* run again"):
        open_composites(path)
