"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the public data that `resources/data_manifest.tsv` names; without it the test is skipped."""
    folder = Path(os.environ.get("LUSCO_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("public data are not here; set LUSCO_DATA to their folder")
    return folder
