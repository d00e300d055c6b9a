"""Fixtures of ingest: they write small files of known content."""

from collections.abc import Callable

import pytest
from measured import maker


@pytest.fixture
def thunderstorm(tmp_path) -> Callable:
    """Write a ThunderSTORM CSV of rows (frame, x, y, photons, uncertainty)."""
    return maker(tmp_path).thunderstorm


@pytest.fixture
def picasso(tmp_path) -> Callable:
    """Write a Picasso table of one localization, in pixels, with its YAML unless `pixel_nm` is None."""
    return maker(tmp_path).picasso


@pytest.fixture
def minflux(tmp_path) -> Callable:
    """Write a MINFLUX array from last positions (n, 3) in metres, traces and validity."""
    return maker(tmp_path).minflux


@pytest.fixture
def tiff(tmp_path) -> Callable:
    """Write a TIFF, with a pixel size if one is given."""
    return maker(tmp_path).tiff
