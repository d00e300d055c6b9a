"""Folders to disturb, small disks, and commands whose last words are looked at."""

import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lusco.cli import main


@pytest.fixture
def done(whole, tmp_path, monkeypatch) -> Path:
    """A copy of the undisturbed run, to disturb; the working directory is there."""
    folder = Path(shutil.copytree(whole, tmp_path / "done"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def last_words(monkeypatch, caplog) -> Callable[..., str]:
    """Run `lusco` in this process; it has to end with a fault, whose message is returned."""
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)  # restored afterwards

    def run(*arguments: object) -> str:
        monkeypatch.setattr("sys.argv", ["lusco", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1, caplog.text
        return caplog.messages[-1]

    return run


@pytest.fixture
def disk(tmp_path):
    """A disk of 256 kB, mounted at a path; `disk.remount("size=64m")` and the like change it."""
    mounted = Disk(tmp_path / "disk")
    yield mounted
    mounted.unmount()


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        if os.geteuid() or self._mount("-t", "tmpfs", "-o", "size=256k", "none", path):
            pytest.skip("only root can mount a small disk")

    def remount(self, how: str) -> None:
        assert not self._mount("-o", f"remount,{how}", self.path)

    def unmount(self) -> None:
        subprocess.run(["umount", self.path], check=True)

    @staticmethod
    def _mount(*arguments: object) -> int:
        return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode


@pytest.fixture
def read_only():
    """A context in which a folder cannot be written to, by anybody."""

    @contextmanager
    def keep(folder: Path) -> Iterator[None]:
        if os.geteuid():
            folder.chmod(0o555)
            yield
            folder.chmod(0o755)
            return
        if subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode:
            pytest.skip("only a privileged root can mount a folder read-only")
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", folder, folder], check=True)
            yield
        finally:
            subprocess.run(["umount", folder], check=True)

    return keep
