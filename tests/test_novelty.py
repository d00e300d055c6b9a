"""Novelty: descriptions that follow from the definition, and what is and is not told apart."""

import numpy as np
import pytest

from lusco.novelty import FEATURES, LEAST_COUNTS, SCALES_PX, describe, learn, varied_composite

SIDE_PX, PIXEL_NM, DENSITY = 128, 20.0, 500


def undecided(counts):
    return np.full((2, *counts.shape), 0.5)


def scattered(rng, density_per_um2=DENSITY, cluster=1):
    """Clusters of `cluster` counts in one pixel, at random places."""
    clusters = density_per_um2 * (SIDE_PX * PIXEL_NM / 1000) ** 2 / cluster
    return (cluster * rng.poisson(clusters / SIDE_PX**2, (SIDE_PX, SIDE_PX))).astype(np.float32)


def composites(number, seed=0, **how):
    rng = np.random.default_rng(seed)
    return [describe(c, undecided(c), PIXEL_NM) for c in (scattered(rng, **how) for _ in range(number))]


def test_a_region_of_random_counts_has_its_density_and_no_clustering():
    counts = scattered(np.random.default_rng(1))
    regions = describe(counts, undecided(counts), PIXEL_NM)
    assert len(regions) == 4
    assert list(zip(regions["x_nm"], regions["y_nm"], strict=True)) == [(0, 0), (1280, 0), (0, 1280), (1280, 1280)]
    assert regions["localizations"].sum() == counts.sum()
    np.testing.assert_allclose(10 ** regions["log_density"], DENSITY, rtol=0.2)
    np.testing.assert_allclose(regions[[f"clustering_{scale}px" for scale in SCALES_PX[:3]]], 0, atol=0.15)
    np.testing.assert_allclose(regions["indecision"], 1)  # both structures equally likely


def test_clusters_of_four_have_four_times_the_variance():
    counts = scattered(np.random.default_rng(1), cluster=4)
    regions = describe(counts, undecided(counts), PIXEL_NM)
    np.testing.assert_allclose(10 ** regions["clustering_1px"], 4, rtol=0.1)


def test_regions_with_few_counts_are_left_out():
    counts = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    counts[:10, 0] = LEAST_COUNTS / 10
    counts[-1, -1] = LEAST_COUNTS - 1
    assert len(describe(counts, undecided(counts), PIXEL_NM)) == 1


def test_known_data_is_rarely_called_unfamiliar():
    known = learn(composites(60))
    novelty = np.concatenate([known.novelty(regions) for regions in composites(60, seed=1)])
    assert (novelty > 1).mean() < 0.05


@pytest.mark.parametrize("how", [{"density_per_um2": 8 * DENSITY}, {"density_per_um2": DENSITY / 8}, {"cluster": 4}])
def test_another_density_or_multiplicity_is_unfamiliar(how):
    known = learn(composites(60))
    novelty = np.concatenate([known.novelty(regions) for regions in composites(4, seed=1, **how)])
    assert (novelty > 1).all()


def test_a_model_that_is_undecided_where_it_never_was_is_unfamiliar():
    rng = np.random.default_rng(0)
    sure = np.stack([np.full((SIDE_PX, SIDE_PX), 0.99), np.full((SIDE_PX, SIDE_PX), 0.01)])
    known = learn([describe(scattered(rng), sure, PIXEL_NM) for _ in range(60)])
    assert (known.novelty(composites(1)[0]) > 1).all()


def test_nothing_is_unfamiliar_where_nothing_could_be_compared():
    for few in ([], composites(1)):
        assert (learn(few).novelty(composites(1)[0]) == 0).all()


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
