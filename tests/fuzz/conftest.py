"""Fixtures of fuzzing: damaged files are read in another process, see `worker`.

Every run tries the same examples, few of each reader; `LUSCO_FUZZ=5000 pytest tests/fuzz` tries 5000 new ones of each.
"""

import json
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

PATIENCE_S = 60
MANY = int(os.environ.get("LUSCO_FUZZ", "0"))

settings.register_profile(
    "fuzz",
    derandomize=not MANY,
    database=None,
    deadline=None,
    max_examples=MANY or 15,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fuzz")


class Reader:
    """The other process; started again when it has crashed."""

    def __init__(self, errors: Path) -> None:
        self.errors = errors
        self.process: subprocess.Popen | None = None

    def __call__(self, function: str, *arguments) -> str:
        """Call a function of `worker`; gives the sentences of `InputError`, empty if there were none.

        Raises
        ------
        AssertionError
            With a traceback, or the signal that ended the process.
        """
        if self.process is None or self.process.poll() is not None:
            self.process = self._start()
        self.process.stdin.write(json.dumps([function, *arguments]) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            status = self.process.wait()
            how = f"died with status {status}" if ready else f"did not answer in {PATIENCE_S} s"
            raise AssertionError(f"the reader {how}\n{self.errors.read_text(errors='replace')[-3000:]}")
        answer = json.loads(line)
        assert "traceback" not in answer, answer["traceback"]
        return answer.get("fault", "")

    def _start(self) -> subprocess.Popen:
        worker = Path(__file__).with_name("worker.py")
        with self.errors.open("w") as errors:
            return subprocess.Popen(
                [sys.executable, worker],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )


@pytest.fixture(scope="session")
def reader(tmp_path_factory) -> Iterator[Reader]:
    """Calls functions of `worker` in another process."""
    started = Reader(tmp_path_factory.mktemp("reader") / "errors.txt")
    yield started
    if started.process:
        started.process.kill()
        started.process.wait()


@pytest.fixture(scope="session")
def reads(reader) -> Callable:
    """Call a function of `worker` on a file; whatever is wrong must be said in whole sentences that name a file."""

    def check(function: str, path: Path, *arguments) -> None:
        said = reader(function, str(path), *arguments)
        for sentence in said.splitlines():
            assert re.fullmatch(r".+: .+; .+\.", sentence), f"not a sentence: {sentence!r}"
            assert str(path.parent) in sentence, f"no file is named: {sentence!r}"
            assert sentence.isprintable() and len(sentence) < 2000, f"not to be shown: {sentence[:3000]!r}"

    return check


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of files are written."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)
