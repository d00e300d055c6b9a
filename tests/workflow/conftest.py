"""Folders in which nothing or everything was run."""

import shutil
from pathlib import Path

import pytest
from dag import PROJECT, copy_project, pretend
from toy import CONFIG, LEARNT, MEASURED, SCORED, write_sheet

import lusco


@pytest.fixture(scope="module")
def fresh_folder(tmp_path_factory) -> Path:
    """A folder with the project's configuration and a small sheet, where nothing was run."""
    folder = tmp_path_factory.mktemp("fresh")
    copy_project(folder)
    library = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "workflow" / "lusco", folder / "library" / "lusco", ignore=library)
    for name in ("cell_1", "cell_2"):
        (folder / "resources" / f"{name}.csv").touch()
    write_sheet(folder, [*LEARNT, MEASURED, SCORED])
    return folder


@pytest.fixture(scope="module")
def done_folder(fresh_folder, tmp_path_factory) -> Path:
    """The same, where everything is taken for done."""
    folder = tmp_path_factory.mktemp("done") / "project"
    shutil.copytree(fresh_folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lusco, "__file__", str(folder / "library" / "lusco" / "__init__.py"))
        pretend(folder, CONFIG)
    return folder


@pytest.fixture
def fresh(fresh_folder, tmp_path) -> Path:
    return Path(shutil.copytree(fresh_folder, tmp_path / "project"))


@pytest.fixture
def done(done_folder, tmp_path, monkeypatch) -> Path:
    """A folder of its own for each test, with its own copy of the library's code to edit."""
    folder = Path(shutil.copytree(done_folder, tmp_path / "project"))
    monkeypatch.setattr(lusco, "__file__", str(folder / "library" / "lusco" / "__init__.py"))
    return folder
