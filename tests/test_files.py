"""A reader never sees half a file."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lusco.errors import InputError
from lusco.files import alone_in, atomic, read_csv, read_json, write_json


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


def test_the_old_folder_is_removed_only_when_the_new_one_stands(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    remove = shutil.rmtree

    def removing(folder):
        assert names(path) == ["new"]
        remove(folder)

    monkeypatch.setattr(shutil, "rmtree", removing)
    with atomic(path) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(tmp_path) == ["model"] and names(path) == ["new"]


@pytest.mark.parametrize("parts", [[""], ["weights", "deep/numbers"]])
def test_contents_are_on_the_disk_before_they_get_their_name_and_the_name_after(tmp_path, monkeypatch, parts):
    """Without, a power loss may leave an empty file under its final name."""
    path = tmp_path / "result"
    on_disk, written = [], []
    monkeypatch.setattr(os, "fsync", lambda descriptor: on_disk.append((os.fstat(descriptor).st_ino, path.exists())))
    with atomic(path) as partial:
        for part in parts:
            (partial / part).parent.mkdir(parents=True, exist_ok=True)
            (partial / part).write_text("all")
            written.append((partial / part).stat().st_ino)
    assert {inode for inode, named in on_disk if not named} >= set(written)
    assert on_disk[-1] == (tmp_path.stat().st_ino, True)


def test_a_folder_is_kept_for_one_process_until_that_ends_or_is_killed(tmp_path):
    hold = "import sys; from lusco.files import alone_in\nwith alone_in(sys.argv[1]): print(1, flush=True); input()"
    words = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "1\n"
        with pytest.raises(InputError, match=r"another process is still writing .* run again"), alone_in(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
    with alone_in(tmp_path):
        assert not names(tmp_path)


def test_a_full_disk_is_a_fault_that_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match=r"disk is full.*free some space"), atomic(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        raise OSError(errno.ENOSPC, "no space")
    assert not names(tmp_path)


def test_other_failures_of_the_disk_are_not_hidden(tmp_path):
    with pytest.raises(OSError, match="gone bad"), atomic(tmp_path / "a.txt"):
        raise OSError(errno.EIO, "gone bad")


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


def test_a_list_of_numbers_is_a_line_and_text_that_looks_like_one_stays(tmp_path):
    content = {"a": [[1, -2.5e-7], [3, None]], "b": ["[\n  1,\n  2\n]"], "c": [], "d": [[1], ["x"]]}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "    [1, -2.5e-07],\n    [3, null]\n" in (tmp_path / "a.json").read_text()


def test_missing_or_broken_json_is_a_fault(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_json(tmp_path / "none.json")
    for broken in ("{", '{"a": NaN}', "[-Infinity]"):
        (tmp_path / "a.json").write_text(broken)
        with pytest.raises(InputError, match=r"not JSON .* restore it, or delete it and run again"):
            read_json(tmp_path / "a.json")


def test_a_table_gives_back_names_that_look_like_nothing(tmp_path):
    names = {"acquisition": ["NA", "nan", "None", "null"], "structure": ["488", "01", "1e3", "True"]}
    table = pd.DataFrame({**names, "value": [1.5, np.nan, np.inf, -1.0]})
    table.to_csv(tmp_path / "a.csv", index=False)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "a.csv"), table)
