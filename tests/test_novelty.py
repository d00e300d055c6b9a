"""Novelty: descriptions that follow from the definition, and what is and is not told apart."""

import numpy as np
import pandas as pd
import pytest

from lusco.novelty import FEATURES, LEAST_COUNTS, SCALES_PX, describe, learn, region_px, varied_composite

SIDE_PX, REGION_PX, PIXEL_NM, DENSITY = 128, 64, 20.0, 500


def undecided(counts):
    return np.full((2, *counts.shape), 0.5)


def scattered(rng, density_per_um2=DENSITY, cluster=1):
    """Clusters of `cluster` counts in one pixel, at random places."""
    clusters = density_per_um2 * (SIDE_PX * PIXEL_NM / 1000) ** 2 / cluster
    return (cluster * rng.poisson(clusters / SIDE_PX**2, (SIDE_PX, SIDE_PX))).astype(np.float32)


def composites(number, seed=0, **how):
    rng = np.random.default_rng(seed)
    return [describe(c, undecided(c), PIXEL_NM, REGION_PX) for c in (scattered(rng, **how) for _ in range(number))]


def test_a_region_of_random_counts_has_its_density_and_no_clustering():
    counts = scattered(np.random.default_rng(1))
    regions = describe(counts, undecided(counts), PIXEL_NM, REGION_PX)
    assert len(regions) == 4
    assert list(zip(regions["x_nm"], regions["y_nm"], strict=True)) == [(0, 0), (1280, 0), (0, 1280), (1280, 1280)]
    assert regions["localizations"].sum() == counts.sum()
    np.testing.assert_allclose(10 ** regions["log_density"], DENSITY, rtol=0.2)
    np.testing.assert_allclose(regions[[f"clustering_{scale}px" for scale in SCALES_PX[:3]]], 0, atol=0.15)
    np.testing.assert_allclose(regions["indecision"], 1)  # both structures equally likely


def test_clusters_of_four_have_four_times_the_variance():
    counts = scattered(np.random.default_rng(1), cluster=4)
    regions = describe(counts, undecided(counts), PIXEL_NM, REGION_PX)
    np.testing.assert_allclose(10 ** regions["clustering_1px"], 4, rtol=0.1)


def test_regions_with_few_counts_are_left_out():
    counts = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    counts[:10, 0] = LEAST_COUNTS / 10
    counts[-1, -1] = LEAST_COUNTS - 1
    assert len(describe(counts, undecided(counts), PIXEL_NM, REGION_PX)) == 1


def test_known_data_is_rarely_called_unfamiliar():
    known = learn(composites(60), REGION_PX)
    novelty = np.concatenate([known.novelty(regions) for regions in composites(60, seed=1)])
    assert (novelty > 1).mean() < 0.05


@pytest.mark.parametrize("how", [{"density_per_um2": 8 * DENSITY}, {"density_per_um2": DENSITY / 8}, {"cluster": 4}])
def test_another_density_or_multiplicity_is_unfamiliar(how):
    known = learn(composites(60), REGION_PX)
    novelty = np.concatenate([known.novelty(regions) for regions in composites(4, seed=1, **how)])
    assert (novelty > 1).all()


def test_a_model_that_is_undecided_where_it_never_was_is_unfamiliar():
    rng = np.random.default_rng(0)
    sure = np.stack([np.full((SIDE_PX, SIDE_PX), 0.99), np.full((SIDE_PX, SIDE_PX), 0.01)])
    known = learn([describe(scattered(rng), sure, PIXEL_NM, REGION_PX) for _ in range(60)], REGION_PX)
    assert (known.novelty(composites(1)[0]) > 1).all()


def test_nothing_is_unfamiliar_where_nothing_could_be_compared():
    for few in ([], composites(1)):
        assert (learn(few, REGION_PX).novelty(composites(1)[0]) == 0).all()


def test_composites_without_a_region_are_passed_over():
    nothing = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    empty = describe(nothing, undecided(nothing), PIXEL_NM, REGION_PX)
    assert len(empty) == 0
    both = pd.concat([composites(1)[0], empty], ignore_index=True)
    known = learn([*composites(20), empty, both], REGION_PX)
    assert (known.novelty(empty) == np.zeros(0)).all()
    assert np.isfinite(known.distance)


def test_regions_cover_an_image_whatever_its_size_and_a_smaller_one_has_none():
    counts = np.full((100, 64), 5, dtype=np.float32)
    assert list(describe(counts, undecided(counts), PIXEL_NM, REGION_PX)["y_nm"]) == [0, 36 * PIXEL_NM]
    assert len(describe(counts[:10], undecided(counts[:10]), PIXEL_NM, REGION_PX)) == 0


def test_regions_are_no_larger_than_composites():
    assert region_px(20, 256) == 64
    assert region_px(6, 112) == 112
    assert region_px(100, 256) == SCALES_PX[-1]


def test_a_varied_image_of_intensities_is_scaled():
    varied = varied_composite(np.full((2, 8, 8), 0.4, dtype=np.float32), np.random.default_rng(0))
    assert varied.min() > 0.4 * 0.5 - 1e-6


def test_a_varied_composite_holds_a_part_of_what_the_composite_held():
    rng = np.random.default_rng(0)
    channels = rng.poisson(2, (3, 32, 32)).astype(np.float32)
    sums = []
    for _ in range(20):
        varied = varied_composite(channels, rng)
        assert (varied <= channels.sum(0)).all()
        sums.append(varied.sum() / channels.sum())
    assert min(sums) < 0.4
    assert max(sums) > 0.6


def test_every_feature_is_described():
    assert set(FEATURES) <= set(composites(1)[0].columns)
