"""Fixtures for all tests."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import yaml
from filelock import FileLock
from measured import maker

from lusco.ingest import Source, ingest
from lusco.settings import stage_settings
from lusco.simulate import read_description

# several tests at once want more threads than there are cores, and a thread that spins while it waits keeps the others
# from their work: trainings side by side took seven times as long
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the public data that `resources/data_manifest.tsv` names; without it the test is skipped."""
    folder = Path(os.environ.get("LUSCO_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("public data are not here; set LUSCO_DATA to their folder")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that the last, which one worker has alone, is a short one; and those that need the
    `whole` run after those that do not, so that no worker waits while the other one runs it.
    """

    def place(item: pytest.Item) -> int:
        if item.get_closest_marker("slurm"):
            return 0
        return 3 if not item.get_closest_marker("slow") else 2 if "whole" in item.fixturenames else 1

    rank: dict[Path, int] = {}
    for item in items:
        rank[item.path] = min(place(item), rank.get(item.path, 3))
    items.sort(key=lambda item: rank[item.path])


@pytest.fixture(scope="session")
def whole(tmp_path_factory, worker_id) -> Path:
    """The folder of an undisturbed run of tests/config/whole.yaml; nothing in it may be changed."""
    from dag import copy_project  # here, because Snakemake takes a second to import
    from whole_run import run

    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    with FileLock(shared / "whole.lock"):  # whichever worker needs it first runs it for both
        folder, done = shared / "whole", shared / "whole.done"
        if not done.exists():
            folder.mkdir()
            run(copy_project(folder))
            done.touch()
    return folder


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A browser; what it downloads goes to its `downloads`."""
    from opened import browser

    downloads = tmp_path_factory.mktemp("downloads")
    driver = browser(downloads)
    processes = psutil.Process(driver.service.process.pid).children(recursive=True)
    driver.downloads = downloads
    yield driver
    driver.quit()
    for left_over in psutil.wait_procs(processes, timeout=5)[1]:  # the driver may end before its browser
        left_over.kill()


@pytest.fixture
def describe(tmp_path):
    """Read a description of a simulation that differs from the defaults in what is given."""

    def read(structures, **others):
        path = tmp_path / "description.yaml"
        path.write_text(yaml.safe_dump({"structures": structures, **others}))
        return read_description(path)

    return read


@pytest.fixture
def bring() -> Callable:
    """Ingest a file: `bring(path, settings, **fields of Source)` gives the acquisition and the record."""

    def run(path, settings=None, **source):
        given = Source(Path(path), "cell_1", "pores")
        return ingest(dataclasses.replace(given, **source), stage_settings("ingest", settings or {}))

    return run


@pytest.fixture
def make(tmp_path) -> SimpleNamespace:
    """What writes small files of known content, see `measured`."""
    return maker(tmp_path)
