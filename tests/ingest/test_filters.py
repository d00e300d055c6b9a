"""The part of the field, the filters, and the field of view."""

import numpy as np
import pytest

from lusco.render import render


def test_a_region_keeps_coordinates_and_becomes_the_field(thunderstorm, bring):
    path = thunderstorm([(1, x, 50, 100, 10) for x in (5, 15, 25, 35)])
    acquisition, record = bring(path, region_nm="10:30,0:100")
    assert acquisition.table["x_nm"].tolist() == [15, 25]
    assert acquisition.field_nm == (10, 30, 0, 100)
    assert record["rows_dropped"] == {"outside the region": 2}


@pytest.mark.parametrize(
    ("axis", "regions"), [("x", ("0:10,0:100", "10:21,0:100")), ("y", ("0:100,0:10", "0:100,10:21"))]
)
def test_adjacent_regions_share_no_localization_and_lose_none(thunderstorm, bring, axis, regions):
    path = thunderstorm([(1, *((at, 50) if axis == "x" else (50, at)), 100, 10) for at in range(21)])
    first, second = (bring(path, region_nm=region)[0].table[f"{axis}_nm"].tolist() for region in regions)
    assert first + second == list(range(21))


def test_without_a_region_the_field_is_the_box_of_whole_nm(thunderstorm, bring):
    acquisition, _ = bring(thunderstorm([(1, -3.5, 7, 1, 1), (1, 12.25, 7, 1, 1)]))
    assert acquisition.field_nm == (-4, 13, 7, 8)


def test_filters_keep_what_is_at_the_limit_and_count_what_they_drop(thunderstorm, bring):
    rows = [(1, 1, 1, 500, 10), (2, 2, 1, 499, 10), (3, 3, 1, 500, 10.5), (9, 4, 1, 500, 10), (2, 5, 1, 500, "")]
    acquisition, record = bring(thunderstorm(rows), {"uncertainty_nm_max": 10, "photons_min": 500, "frames": [1, 3]})
    assert acquisition.table["x_nm"].tolist() == [1]
    assert record["rows_dropped"] == {
        "uncertainty_nm unknown": 1,
        "uncertainty over 10 nm": 1,
        "under 500 photons": 1,
        "frames outside 1 to 3": 1,
    }


def test_the_uncertainty_of_a_failed_fit_is_not_known(thunderstorm, bring):
    rows = [(1, x, 1, 500, uncertainty) for x, uncertainty in enumerate((-1, 0, 12, 90))]
    acquisition, record = bring(thunderstorm(rows), {"uncertainty_nm_max": 20})
    assert acquisition.table["uncertainty_nm"].tolist() == [12]
    assert record["rows_dropped"] == {"uncertainty_nm unknown": 2, "uncertainty over 20 nm": 1}


def test_rows_read_are_rows_kept_and_rows_dropped(thunderstorm, bring):
    rng = np.random.default_rng(1)
    rows = [(rng.integers(50), *rng.uniform(0, 500, 2), 100, rng.uniform(5, 30)) for _ in range(500)]
    settings = {"uncertainty_nm_max": 20, "frames": [5, 40], "merge": "radius"}
    _, record = bring(thunderstorm(rows), settings, region_nm="50:400,50:400")
    assert len(record["rows_dropped"]) == 4
    assert record["rows_read"] == record["rows_kept"] + sum(record["rows_dropped"].values()) == 500


def test_a_region_of_an_image_is_whole_pixels_of_it(tiff, bring):
    pixels = np.arange(1, 26, dtype=np.float32).reshape(5, 5)
    acquisition, record = bring(tiff(pixels, 20), region_nm="15:1000,20:60")
    assert acquisition.field_nm == pytest.approx((20, 100, 20, 60))
    assert "narrowed to whole pixels" in record["notes"][0]
    assert np.array_equal(render(acquisition, 20), pixels[1:3, 1:])


def test_an_image_is_rendered_as_it_was(tiff, bring):
    pixels = np.random.default_rng(1).poisson(0.5, (33, 47)).astype(np.float32)
    assert np.array_equal(render(bring(tiff(pixels, 6.5))[0], 6.5), pixels)


def test_a_camera_field_is_widened_to_hold_every_localization(picasso, bring):
    acquisition, record = bring(picasso(-1.0, 3.0))
    assert acquisition.field_nm[0] <= -50 and "widened" in record["notes"][0]
