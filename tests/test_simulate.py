"""Simulation, checked against the definitions of the structures and the physics of localization."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from scipy.special import ndtr

from lusco import table
from lusco.errors import InputError
from lusco.simulate import simulate
from lusco.simulate.blinking import Blinking, blink
from lusco.simulate.camera import precision_nm
from lusco.simulate.curves import STEP_NM, inside
from lusco.simulate.description import GEOMETRIES
from lusco.simulate.labelling import Labelling, label
from lusco.simulate.microtubules import filaments
from lusco.simulate.mitochondria import network
from lusco.simulate.nuclear_pores import pore, pore_centres

RESOURCES = Path(__file__).parents[1] / "resources" / "simulations"
SIZE_NM = (8000.0, 6000.0)
AREA_UM2 = 48.0


@pytest.fixture
def geometry(describe):
    """The geometry of a structure, with what differs from the defaults."""

    def of(name, **differing):
        return describe({name: differing}).structures[name].geometry

    return of


@pytest.fixture
def epitopes():
    """Epitopes of a geometry in the standard field, with seed 0."""

    def of(name, dimensions):
        return GEOMETRIES[name][1](dimensions, SIZE_NM, np.random.default_rng(0))

    return of


def clusters(points, link_nm):
    """Index of the cluster of each point, points nearer than `link_nm` being in one."""
    pairs = cKDTree(points).sparse_distance_matrix(cKDTree(points), link_nm)
    return connected_components(pairs, directed=False)[1]


def distance_to_axis(position, lines):
    """Distance in nm of points, shape (n, 3), to the nearest of straight lines in the plane z = 0."""
    start, direction = lines[:, 0], lines[:, -1] - lines[:, 0]
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    relative = position[:, None, :2] - start
    across = np.abs(relative[..., 0] * direction[:, 1] - relative[..., 1] * direction[:, 0]).min(axis=1)
    return np.hypot(across, position[:, 2])


def cramer_rao_bound_nm(photons, background, psf_sigma_nm, pixel_nm):
    """Numeric bound for x of a Gaussian spot integrated over 41 x 41 pixels, in the middle of one."""
    edges = pixel_nm * (np.arange(42) - 20.5)
    profile = np.diff(ndtr(edges / psf_sigma_nm))
    slope = -np.diff(np.exp(-0.5 * (edges / psf_sigma_nm) ** 2)) / (np.sqrt(2 * np.pi) * psf_sigma_nm)
    expected = photons * profile[:, None] * profile + max(background, 1e-12)
    information = (photons * profile[:, None] * slope) ** 2 / expected
    return 1 / np.sqrt(information.sum())


def test_a_pore_has_32_copies_in_eight_corners(geometry):
    position, _ = pore(geometry("nuclear_pores"))
    assert position.shape == (32, 3)
    for degrees, same in ((45, True), (22.5, False)):
        turn = np.deg2rad(degrees)
        matrix = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
        distance, _ = cKDTree(position).query(position @ np.transpose(matrix))
        assert (distance.max() < 1e-9) == same


def test_pores_have_the_radius_and_the_ring_distance_of_their_definition(geometry, epitopes):
    pores = epitopes("nuclear_pores", geometry("nuclear_pores", tilt_deg=0)).position_nm.reshape(-1, 32, 3)
    relative = pores - pores.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(np.hypot(relative[..., 0], relative[..., 1]), 53.5)
    np.testing.assert_allclose(np.abs(relative[..., 2]), 25.0)


def test_tilted_pores_keep_their_shape(geometry, epitopes):
    pores = epitopes("nuclear_pores", geometry("nuclear_pores", tilt_deg=20)).position_nm.reshape(-1, 32, 3)
    relative = pores - pores.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(relative, axis=2), np.hypot(53.5, 25.0))
    assert np.abs(relative[..., 2]).max() > 30


def test_ring_radius_is_recovered_from_localizations_without_noise(describe):
    perfect = describe(
        {"nuclear_pores": {"pores_per_um2": 0.5, "tilt_deg": 0, "labelling": {"efficiency": 1, "linker_nm": 0}}},
        unspecific_per_um2=0,
        blinking={"localizations_per_emitter": 1},
        camera={"photons": 1e9, "photons_min": 1e9},
    )
    points = simulate(perfect, "pores", "nuclear_pores", 1).table[["x_nm", "y_nm"]].to_numpy()
    of = clusters(points, 45.0)
    whole = np.flatnonzero(np.bincount(of) == 32)
    assert len(whole) > 10
    radii = [np.linalg.norm(points[of == one] - points[of == one].mean(axis=0), axis=1) for one in whole]
    np.testing.assert_allclose(radii, 53.5, atol=0.1)


def test_pores_keep_their_distance_at_the_density_asked_for(geometry):
    dimensions = geometry("nuclear_pores", pores_per_um2=9, nucleus_radius_um=50, nucleus_distance_um=0)
    centres = pore_centres(dimensions, SIZE_NM, np.random.default_rng(0))
    nearest = cKDTree(centres).query(centres, k=2)[0][:, 1]
    assert nearest.min() >= 120
    assert np.count_nonzero(np.all((centres >= 0) & (centres <= SIZE_NM), axis=1)) / AREA_UM2 == pytest.approx(
        9, rel=0.1
    )


def test_no_pores_outside_the_nucleus(geometry):
    dimensions = geometry("nuclear_pores", nucleus_radius_um=2, nucleus_distance_um=0)
    centres = pore_centres(dimensions, SIZE_NM, np.random.default_rng(0))
    assert np.linalg.norm(centres - np.array(SIZE_NM) / 2, axis=1).max() <= 2000


def test_microtubules_are_25_nm_wide_and_about_50_with_antibodies(geometry, epitopes):
    few_straight = {"length_um_per_um2": 0.1, "radiating": 0, "direction_spread_deg": 0, "persistence_um": 1e18}
    dimensions = geometry("microtubules", **few_straight)
    lines, _ = filaments(dimensions, SIZE_NM, np.random.default_rng(0))
    bare = epitopes("microtubules", dimensions)
    np.testing.assert_allclose(distance_to_axis(bare.position_nm, lines), 12.5, atol=1e-3)
    emitters = label(bare, Labelling(efficiency=0.02, linker_nm=15.0), np.random.default_rng(0))
    assert 40 < 2 * np.percentile(distance_to_axis(emitters, lines), 95) < 60


def test_microtubules_have_the_length_and_the_dimers_asked_for(geometry, epitopes):
    positions = epitopes("microtubules", geometry("microtubules", length_um_per_um2=3)).position_nm
    in_field = np.all((positions[:, :2] >= 0) & (positions[:, :2] <= SIZE_NM), axis=1)
    assert in_field.sum() == pytest.approx(3 * AREA_UM2 * 1e3 / 8 * 13, rel=0.1)


@pytest.mark.parametrize(
    "differing", [{"filament_um": [0.5, 1]}, {"filament_um": [8, 12], "radiating": 1, "centre_distance_um": 14}]
)
def test_short_and_distant_microtubules_have_the_length_asked_for_too(geometry, differing):
    dimensions = geometry("microtubules", length_um_per_um2=3, **differing)
    for seed in range(6):
        lines, length = filaments(dimensions, SIZE_NM, np.random.default_rng(seed))
        exists = np.arange(lines.shape[1]) * STEP_NM <= length[:, None]
        in_field_nm = STEP_NM * np.sum(inside(lines, SIZE_NM) & exists)
        assert in_field_nm == pytest.approx(3e3 * AREA_UM2, rel=0.03)


def test_microtubules_that_never_reach_the_field_are_a_fault(geometry):
    away = geometry("microtubules", length_um_per_um2=3, filament_um=1, radiating=1, centre_distance_um=14)
    with pytest.raises(InputError, match=r"microtubules have 0 um in the field, not the 144 .* make them longer"):
        filaments(away, SIZE_NM, np.random.default_rng(0))


@pytest.mark.filterwarnings("error")
def test_clusters_larger_than_their_tube_stay_on_it(geometry, epitopes):
    dimensions = geometry("mitochondria", cluster_diameter_nm=[3000, 4000], length_um=[0.6, 1.0])
    tubes = network(dimensions, SIZE_NM, np.random.default_rng(0))
    position = epitopes("mitochondria", dimensions).position_nm
    distance = np.min([cKDTree(tube.line_nm).query(position[:, :2])[0] - tube.radius_nm for tube in tubes], axis=0)
    assert distance.max() < 100


def test_tom20_lies_on_tubes_of_the_width_asked_for(geometry, epitopes):
    dimensions = geometry("mitochondria", width_nm=400, beading=0)
    tubes = network(dimensions, SIZE_NM, np.random.default_rng(0))
    assert all(0.85 * 200 <= tube.radius_nm <= 1.15 * 200 for tube in tubes)
    position = epitopes("mitochondria", dimensions).position_nm
    depth = np.min(
        [np.hypot(cKDTree(tube.line_nm).query(position[:, :2])[0], position[:, 2]) / tube.radius_nm for tube in tubes],
        axis=0,
    )
    assert depth.max() < 1.03  # centre lines are known in steps
    assert np.mean(depth > 0.95) > 0.8  # less than 1 only at the ends, and where the centre line bends


def test_mitochondria_that_do_not_fuse_keep_their_distance(geometry):
    tubes = network(geometry("mitochondria", fused=0, gap_nm=100), SIZE_NM, np.random.default_rng(1))
    assert len(tubes) > 3
    for index, tube in enumerate(tubes):
        for other in tubes[:index]:
            gap = cKDTree(other.line_nm).query(tube.line_nm)[0].min() - other.radius_nm - tube.radius_nm
            assert gap > 0


def test_pits_are_caps_of_spheres(geometry, epitopes):
    half = epitopes("clathrin_pits", geometry("clathrin_pits", diameter_nm=120, closure=0.5, grouped=0))
    assert half.position_nm[:, 2].min() >= 0
    assert half.position_nm[:, 2].max() == pytest.approx(60, abs=0.5)
    np.testing.assert_allclose(np.linalg.norm(half.outward, axis=1), 1)


def test_actin_mesh_has_the_length_asked_for(geometry, epitopes):
    positions = epitopes("actin", geometry("actin", fibres_per_10_um=0, mesh_um_per_um2=6)).position_nm
    in_field = np.all((positions[:, :2] >= 0) & (positions[:, :2] <= SIZE_NM), axis=1)
    assert in_field.sum() * 2.75e-3 / AREA_UM2 == pytest.approx(6, rel=0.1)
    assert np.abs(positions[:, 2]).max() <= 3.5


@pytest.mark.parametrize("background", [0, 1, 10, 100])
@pytest.mark.parametrize("photons", [200, 1000, 10000])
def test_precision_is_the_cramer_rao_bound(photons, background):
    expected = cramer_rao_bound_nm(photons, background, 130.0, 100.0)
    assert precision_nm(photons, background, 130.0, 100.0) == pytest.approx(expected, rel=0.01)


def test_precision_without_background_falls_as_the_root_of_the_photons():
    assert precision_nm(400, 0, 130, 100) == pytest.approx(2 * precision_nm(1600, 0, 130, 100))
    assert precision_nm(400, 1e-9, 130, 100) == pytest.approx(precision_nm(400, 0, 130, 100))


def test_localizations_scatter_by_their_uncertainty(describe):
    points = describe(
        {
            "clathrin_pits": {
                "diameter_nm": 0.1,
                "triskelia_per_um2": 1e9,
                "pits_per_um2": 0.2,
                "grouped": 0,
                "labelling": {"linker_nm": 0},
            }
        },
        unspecific_per_um2=0,
    )
    rows = simulate(points, "points", "clathrin_pits", 1).table
    of = clusters(rows[["x_nm", "y_nm"]].to_numpy(), 60.0)
    precision = 1 / rows["uncertainty_nm"].to_numpy() ** 2
    total, inverse = 0.0, np.bincount(of, precision)
    for axis in ("x_nm", "y_nm"):
        centre = np.bincount(of, precision * rows[axis]) / inverse
        total += np.sum(precision * (rows[axis] - centre[of]) ** 2)
    assert total / (2 * (len(rows) - len(inverse))) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("frames", [5, 20000])
def test_emitters_are_localized_a_geometric_number_of_times_within_the_acquisition(frames):
    emitter, frame = blink(20000, 4.0, Blinking(4.0, 1.5, 400.0), frames, np.random.default_rng(0))
    count = np.bincount(emitter, minlength=20000)
    assert count.min() == 1
    assert count.mean() == pytest.approx(4, rel=0.03)
    assert np.mean(count == 1) == pytest.approx(1 / 4, rel=0.05)
    assert frame.min() >= 0
    assert frame.max() < frames


def test_labelling_keeps_the_fraction_asked_for_at_the_length_of_the_linker(geometry, epitopes):
    bare = epitopes("nuclear_pores", geometry("nuclear_pores"))
    some = label(bare, Labelling(0.5, 10.0), np.random.default_rng(0))
    every = label(bare, Labelling(1.0, 10.0), np.random.default_rng(0))
    assert len(some) == pytest.approx(0.5 * len(bare.position_nm), rel=0.05)
    np.testing.assert_allclose(np.linalg.norm(every - bare.position_nm, axis=1), 10.0)
    assert np.sum((every - bare.position_nm) * bare.outward, axis=1).min() >= 0


def test_unspecific_localizations_have_the_density_asked_for(describe):
    empty = describe({"nuclear_pores": {"pores_per_um2": 0}}, unspecific_per_um2=4, field_um=[20, 20])
    acquisitions = [simulate(empty, f"empty_{index}", "nuclear_pores", 1) for index in range(8)]
    assert all(acquisition.table["unspecific"].all() for acquisition in acquisitions)
    assert np.mean([len(acquisition) / 400 for acquisition in acquisitions]) == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_structure_stays_in_its_field_and_depends_on_seed_and_name_alone(describe, tmp_path, name):
    description = describe({name: {}}, field_um=[4, 3])
    first, again, other_seed, other_name = (
        simulate(description, acquisition, name, seed) for acquisition, seed in (("a", 1), ("a", 1), ("a", 2), ("b", 1))
    )
    assert first.field_nm == (0, 4000, 0, 3000)
    assert set(first.table["structure"]) == {name}
    assert first.table["frame"].is_monotonic_increasing
    assert first.table["unspecific"].mean() < 0.5
    table.write(first, tmp_path / "first.parquet")
    table.write(again, tmp_path / "again.parquet")
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "again.parquet").read_bytes()
    assert not first.table.equals(other_seed.table)
    assert not first.table.equals(other_name.table)
