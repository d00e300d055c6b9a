"""Writing files so that a reader never sees half of one."""

import errno
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lusco.errors import Fault, InputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the name `path` only if the block succeeds.

    The temporary name keeps the extension, so writers that choose a format by it still work. What a
    killed process of this machine left behind under the same name is removed first.

    Parameters
    ----------
    path : str or Path
        The file (or folder) to write.

    Raises
    ------
    InputError
        If the disk is full; nothing of the unfinished file is left.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    partial = path.with_name(f".partial-{socket.gethostname()}-{os.getpid()}-{path.name}")
    try:
        yield partial
        if partial.is_dir() and path.is_dir():
            shutil.rmtree(path)
        partial.replace(path)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise InputError(
                Fault(
                    path,
                    "the disk is full, so the file could not be written",
                    "free some space and run again",
                )
            ) from error
        raise
    finally:
        _remove(partial)


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN is refused because JSON has none."""
    with atomic(path) as partial:
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read JSON written by `write_json`.

    Raises
    ------
    InputError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(Fault(path, f"the file is not JSON ({error})", "restore or recreate it")) from None


def _remove_leftovers(path: Path) -> None:
    prefix = f".partial-{socket.gethostname()}-"
    for leftover in path.parent.glob(f"{prefix}*-{path.name}"):
        pid = leftover.name[len(prefix) :].split("-", 1)[0]
        if pid.isdigit() and not _is_running(int(pid)):
            _remove(leftover)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
