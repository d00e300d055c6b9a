"""A short coverage-guided search, the same in every run, where atheris is installed."""

import subprocess
import sys
from pathlib import Path

import measured
import pytest

SCRIPT = Path(__file__).with_name("coverage_guided.py")


@pytest.mark.parametrize("write", measured.WRITERS, ids=lambda write: write.__name__)
def test_no_bytes_lead_to_a_traceback(write, tmp_path):
    pytest.importorskip("atheris", reason="atheris is for Linux and Python 3.11")
    (tmp_path / "examples").mkdir()
    path, _ = write(measured.maker(tmp_path / "examples"))
    ending = "".join(path.suffixes)
    command = [sys.executable, SCRIPT, ending, "examples", "-seed=1", "-runs=10", "-rss_limit_mb=4096"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]
