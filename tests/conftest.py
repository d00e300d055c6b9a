"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest
import yaml

from lusco.simulate import read_description


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the public data that `resources/data_manifest.tsv` names; without it the test is skipped."""
    folder = Path(os.environ.get("LUSCO_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("public data are not here; set LUSCO_DATA to their folder")
    return folder


@pytest.fixture
def describe(tmp_path):
    """Read a description of a simulation that differs from the defaults in what is given."""

    def read(structures, **others):
        path = tmp_path / "description.yaml"
        path.write_text(yaml.safe_dump({"structures": structures, **others}))
        return read_description(path)

    return read
