"""Shapes measured on geometry that is known: rings, lines, bands and discs."""

import numpy as np
import pytest

from lusco.evaluate.distances import structure_scale
from lusco.evaluate.shapes import SHAPES, _radius, filaments, rings, spots, tubes
from lusco.render import render
from lusco.simulate import read_description, simulate

PIXEL_NM, SIDE_PX = 20.0, 256
SIDE_NM = PIXEL_NM * SIDE_PX


def drawn(x_nm, y_nm):
    index = (np.floor(y_nm / PIXEL_NM), np.floor(x_nm / PIXEL_NM))
    counts = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    np.add.at(counts, tuple(part.astype(int) for part in index), 1)
    return counts


def scale(counts):
    return structure_scale([counts], 12, PIXEL_NM)


def test_rings_are_counted_and_have_their_radius():
    rng = np.random.default_rng(1)
    centres = np.stack(np.meshgrid(*[np.arange(400, SIDE_NM - 300, 400)] * 2), -1).reshape(-1, 2)
    angle = rng.uniform(0, 2 * np.pi, (len(centres), 200))
    x = centres[:, :1] + 53.5 * np.cos(angle)
    y = centres[:, 1:] + 53.5 * np.sin(angle)
    counts = drawn(x.ravel(), y.ravel())
    measured = rings(counts, scale(counts), PIXEL_NM)
    assert measured["count_per_um2"] == pytest.approx(len(centres) / (SIDE_NM / 1000) ** 2)
    assert measured["radius_nm"] == pytest.approx(53.5, rel=0.05)


def test_the_radius_is_about_the_centre_of_what_lies_within_reach():
    """Two pixels 80 nm apart, off the middle, and many counts in a corner of the window, 141 nm away."""
    window = np.zeros((11, 11))
    window[5, 4] = window[5, 8] = 1
    window[0, 0] = 50
    assert _radius(window, 20.0) == pytest.approx(40)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90])
def test_a_filament_has_its_length_and_width_in_every_direction(degrees):
    rng = np.random.default_rng(1)
    along = rng.uniform(-1500, 1500, 600)
    across = rng.normal(0, 20, 600)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    middle = SIDE_NM / 2
    counts = drawn(middle + cosine * along - sine * across, middle + sine * along + cosine * across)
    measured = filaments(counts, scale(counts), PIXEL_NM)
    assert measured["length_um_per_um2"] * (SIDE_NM / 1000) ** 2 == pytest.approx(3.0, rel=0.12)
    # a Gaussian's full width is 2.355 sigma; drawing into pixels and reading between them add their own variance
    expected = 2.355 * np.sqrt(20**2 + PIXEL_NM**2 / 12 + PIXEL_NM**2 / 6)
    assert measured["width_nm"] == pytest.approx(expected, rel=0.15)


def test_a_tube_has_its_width_and_covers_its_area():
    rng = np.random.default_rng(1)
    x = rng.uniform(0, SIDE_NM, 4_000)
    y = rng.uniform(2000, 2500, 4_000)
    counts = drawn(x, y)
    measured = tubes(counts, scale(counts), PIXEL_NM)
    assert measured["width_nm"] == pytest.approx(500, rel=0.25)  # the fixed level lies outside the edge
    wide = drawn(np.tile(x, 2), 2000 + np.concatenate([y - 2000, y - 1500]))
    assert tubes(wide, scale(wide), PIXEL_NM)["width_nm"] - measured["width_nm"] == pytest.approx(500, rel=0.1)
    assert measured["covered"] == pytest.approx(measured["width_nm"] / SIDE_NM, rel=0.1)


def test_simulated_mitochondria_have_the_width_they_were_given(tmp_path):
    for width_nm in (300, 600):
        description = tmp_path / "mitochondria.yaml"
        description.write_text(f"structures: {{mitochondria: {{width_nm: {width_nm}, beading: 0}}}}")
        counts = render(simulate(read_description(description), "cell", "mitochondria", 1), PIXEL_NM)
        # the antibodies reach 15 nm beyond the membrane on either side
        assert tubes(counts, scale(counts), PIXEL_NM)["width_nm"] == pytest.approx(width_nm + 30, rel=0.2)


def test_spots_are_counted_and_grow_with_their_disc():
    rng = np.random.default_rng(1)
    centres = np.stack(np.meshgrid(*[np.arange(500, SIDE_NM - 400, 500)] * 2), -1).reshape(-1, 2)

    def discs(diameter):
        angle = rng.uniform(0, 2 * np.pi, (len(centres), 400))
        radius = diameter / 2 * np.sqrt(rng.uniform(0, 1, angle.shape))
        counts = drawn(
            (centres[:, :1] + radius * np.cos(angle)).ravel(), (centres[:, 1:] + radius * np.sin(angle)).ravel()
        )
        return spots(counts, scale(counts), PIXEL_NM)

    small, large = discs(100), discs(200)
    assert small["count_per_um2"] == pytest.approx(len(centres) / (SIDE_NM / 1000) ** 2)
    assert large["count_per_um2"] == small["count_per_um2"]
    assert large["diameter_nm"] - small["diameter_nm"] == pytest.approx(100, rel=0.2)


@pytest.mark.parametrize("name", SHAPES)
def test_an_empty_channel_has_nothing_and_no_size(name):
    measured = SHAPES[name](np.zeros((64, 64), dtype=np.float32), 1.0, PIXEL_NM)
    amount, *sizes = measured.values()
    assert amount == 0
    assert np.isnan(sizes).all()


@pytest.mark.parametrize("name", SHAPES)
def test_scattered_counts_are_no_structure(name):
    x, y = np.random.default_rng(1).uniform(0, SIDE_NM, (2, 80))  # 3 per um^2, as unspecific localizations are
    amount, *_ = SHAPES[name](drawn(x, y), 8.0, PIXEL_NM).values()
    assert amount < 0.1


def test_a_tube_without_an_edge_has_no_width():
    measured = tubes(np.full((64, 64), 5, dtype=np.float32), 5.0, PIXEL_NM)
    assert measured["covered"] == 1
    assert np.isnan(measured["width_nm"])
