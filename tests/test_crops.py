"""Training crops: which are drawn when, and where their localizations are."""

from dataclasses import replace

import numpy as np
import pytest
from lines_and_dots import STRUCTURES, acquisition, in_pairs, write_material
from torch.nn.functional import avg_pool2d

from lusco.render import points_of
from lusco.repeats import Repeats, settled
from lusco.superpose import superpose
from lusco.superpose.composites import count, open_composites
from lusco.train.crops import FixedComposites, Successive, training_fields


def test_each_epoch_draws_new_crops_and_a_resumed_one_the_same():
    sampler = Successive(3, 1)
    assert [list(sampler), list(sampler), list(sampler)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert list(Successive(3, 1, epoch=2)) == [6, 7, 8]


def test_processes_share_each_batch():
    first, second = (list(Successive(4, 2, rank, 2, epoch=1)) for rank in range(2))
    assert first == [8, 9, 12, 13]
    assert second == [10, 11, 14, 15]


def test_fixed_composites_are_shown_in_parts_of_pixels(tmp_path):
    """Four parts of a pixel hold what the pixel holds, of each structure."""
    write_material(tmp_path)
    composites = open_composites(tmp_path / "validation.arrow")
    whole, halves = FixedComposites(composites, Repeats())[0], FixedComposites(composites, Repeats(), 2)[0]
    for seen, parts in zip(whole, halves, strict=True):
        np.testing.assert_array_equal(4 * avg_pool2d(parts, 2), seen)
        assert parts.max() < seen.max(), "more than one part of a pixel is used"


def test_fixed_composites_are_settled(tmp_path):
    sources = [in_pairs(acquisition(structure, 0)) for structure in STRUCTURES]
    superpose(sources, STRUCTURES, "validation", 1, 64, 20, 1, tmp_path / "v.arrow")
    composites, repeats = open_composites(tmp_path / "v.arrow"), Repeats((1, 2), (0.5,))
    _, seen = FixedComposites(composites, repeats)[0]
    rows = composites.table(0)
    there = settled(composites.points(rows), repeats)
    expected = count(rows.assign(x_nm=there.x_nm, y_nm=there.y_nm), len(STRUCTURES), 64, 20.0)
    np.testing.assert_array_equal(seen, expected)
    assert (seen != FixedComposites(composites, Repeats())[0][1]).any()


def test_what_is_thinned_while_training_is_settled_by_what_is_left():
    """Positions of a thinned version are those that its own localizations give, as when a thin mixture is used."""
    source, repeats = in_pairs(acquisition("dots", 0)), Repeats((1, 2), (0.5,))
    ((field,),) = training_fields([source], ["dots"], 20, repeats, 0.1, 1)
    versions = [field, *field.thinned]
    assert [version.kept for version in versions] == [1, 0.5, 0.25, 0.125]
    for version in versions:
        assert len(version.row) == pytest.approx(version.kept * len(source), abs=6 * np.sqrt(len(source) / 4))
        left = replace(source, table=source.table.iloc[np.sort(version.row)])
        there = settled(points_of(left, 20), repeats)
        np.testing.assert_array_equal(version.x_nm, there.x_nm[np.argsort(there.y_nm, kind="stable")])
    image = replace(source, table=source.table.assign(weight=np.float32(20)))
    image.source["pixel_nm"] = 20
    assert not training_fields([image], ["dots"], 20, repeats, 0.1, 1)[0][0].thinned, "its counts are thinned instead"
    ((measured,),) = training_fields([source], ["dots"], 20, Repeats(), 0.1, 1)
    assert not measured.thinned  # as measured, it does not matter when they are thinned
