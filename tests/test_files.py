"""A reader never sees half a file."""

import errno
import os
import socket
import subprocess

import pytest

from lusco.errors import InputError
from lusco.files import atomic, read_json, write_json


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    with atomic(path) as partial:
        partial.write_text("all")
        assert not path.exists() and partial.suffix == ".txt"
    assert path.read_text() == "all" and names(path.parent) == ["a.txt"]


def test_after_a_failure_the_old_file_stands_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "model"
    for content in ("one", "two"):
        with atomic(path) as partial:
            partial.mkdir()
            (partial / content).touch()
    assert names(path) == ["two"] and names(tmp_path) == ["model"]


def test_a_full_disk_is_a_fault_that_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match=r"disk is full.*free some space"), atomic(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        raise OSError(errno.ENOSPC, "no space")
    assert not names(tmp_path)


def test_other_failures_of_the_disk_are_not_hidden(tmp_path):
    with pytest.raises(PermissionError), atomic(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "no")


def test_leftovers_of_killed_processes_are_removed_and_those_of_running_ones_kept(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    mine = f".partial-{socket.gethostname()}"
    for name in (f"{mine}-{ended.pid}-a.txt", f"{mine}-{os.getppid()}-a.txt", f".partial-elsewhere-{ended.pid}-a.txt"):
        (tmp_path / name).touch()
    with atomic(tmp_path / "a.txt") as partial:
        partial.write_text("all")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.txt", f"{mine}-{os.getppid()}-a.txt", f".partial-elsewhere-{ended.pid}-a.txt"}


def test_json_comes_back_and_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, 2.5, "µ"]})
    assert read_json(tmp_path / "a.json") == {"b": [1, 2.5, "µ"]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


def test_missing_or_broken_json_is_a_fault(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_json(tmp_path / "none.json")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"not JSON .* restore or recreate it"):
        read_json(tmp_path / "a.json")
