"""A clock that jumps back: nothing runs for it again and again, and what has changed is not missed."""

import os
import time
from pathlib import Path

import pytest
import yaml
from dag import planned
from whole_run import CONFIG

from lusco.files import date_back

DAY_S = 86_400
UNLIMITED = 10**10  # as in the profile for one computer


def planned_by_content(folder):
    return planned(folder, yaml.safe_load((folder / CONFIG).read_text()), max_checksum_file_size=UNLIMITED)


def shift(folder: Path, seconds: float) -> None:
    """Give all files of a folder other dates, in the same order."""
    for path in folder.rglob("*"):
        if path.is_file():
            date = path.stat().st_mtime + seconds
            os.utime(path, (date, date))


def test_files_of_the_future_are_dated_long_ago_in_their_order(tmp_path):
    now = time.time()
    for name, date in {"past": now - 9, "skewed": now + 9, "later": now + DAY_S, "latest": now + 2 * DAY_S}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (date, date))
    assert date_back(tmp_path) == 2
    dates = {path.name: path.stat().st_mtime for path in tmp_path.iterdir()}
    assert sorted(dates, key=dates.get) == ["later", "latest", "past", "skewed"]
    assert dates["past"] == pytest.approx(now - 9) and dates["skewed"] == pytest.approx(now + 9)
    assert date_back(tmp_path) == 0


@pytest.mark.slow
def test_results_of_the_future_run_nothing(done):
    shift(done / "results", DAY_S)
    assert planned_by_content(done) == {}


@pytest.mark.slow
def test_results_older_than_their_unchanged_inputs_run_nothing(done):
    """As when the clock jumped back in the middle of a run: the further down, the older."""
    for days, stage in enumerate(("composites", "models", "models_applied", "evaluation", "figures"), start=1):
        shift(done / "results" / "whole" / stage, -days * DAY_S)
    assert planned_by_content(done) == {}


@pytest.mark.slow
def test_a_source_that_changed_is_not_hidden_by_results_of_the_future(done):
    shift(done / "results", DAY_S)
    source = done / "tests" / "config" / "whole_field.yaml"
    source.write_text(source.read_text().replace("length_um_per_um2: 3", "length_um_per_um2: 4"))
    jobs = planned_by_content(done)
    assert jobs["simulate"] == 7 and jobs["train"] == jobs["evaluate"] == jobs["report_page"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "rule"),
    [("composites/test.arrow", "recolor_composites"), ("models_applied/unet/test/channels.npy", "evaluate")],
)
def test_what_a_killed_run_made_anew_is_not_hidden_by_results_of_the_future(done, file, rule):
    shift(done / "results", DAY_S)
    assert planned_by_content(done) == {}
    with (done / "results" / "whole" / file).open("ab") as changed:
        changed.write(b"changed")
    assert planned_by_content(done)[rule] == 1
