"""Writing files so that a reader never sees half of one."""

import errno
import fcntl
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lusco.errors import Fault, InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RECREATE = "delete it and run again to recreate it"
RESTORE = "restore it, or delete it and run again"

# columns of tables that hold names, which may look like numbers
NAMES = ("acquisition", "group", "composite", "model", "structure", "structure_a", "structure_b", "true_structure")

_NUMBERS = re.compile(r'\[\n([^][{}"]*)\n *]')  # an indented list of numbers; no string of JSON holds a line's end

_NO_ROOM = ("the disk is full, so the file could not be written", "free some space and run again")
_NO_ACCESS = ("the folder cannot be written to", "make it writable and run again")
_MENDABLE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _NO_ROOM) | dict.fromkeys(
    (errno.EROFS, errno.EACCES, errno.EPERM), _NO_ACCESS
)

_ORPHANS_S = 15  # the workers of a killed training notice within seconds, and hold its lock until then
_FUTURE_S = 60  # clocks of a computer and of its file server may differ by less
_LONG_AGO_S = 946_684_800  # 2000-01-01, before any result

MAX_BYTES = 1 << 32  # of one thing that is read; a few bytes can claim, or unpack to, more than any memory


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
        If the disk is full or the folder cannot be written to; nothing of the unfinished file is left.
    """
    path = Path(path)
    own = f".partial-{socket.gethostname()}-{os.getpid()}-"
    partial, replaced = path.with_name(f"{own}{path.name}"), path.with_name(f"{own}replaced-{path.name}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        try:
            yield partial
            _flush(partial)
            if partial.is_dir() and path.is_dir():
                path.replace(replaced)  # a kill while it is being removed must not leave half of it under its name
            partial.replace(path)
            _flush_names(path.parent)
        finally:
            _remove(partial)
            _remove(replaced)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Say in a sentence why a file could not be written, where the user can mend that.

    Raises
    ------
    InputError
        If the disk is full or the folder of `path` cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        raise InputError(Fault(path, *_MENDABLE[error.errno])) from error


@contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Keep a folder, created if missing, from being written by two processes that do this; a kill ends it too.

    Raises
    ------
    InputError
        If another process does.
    """
    folder = Path(folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # file systems without locks
            _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + _ORPHANS_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                what = "another process is still writing into this folder, perhaps one that a killed run left behind"
                mend = "wait until it has ended, or stop it, and run again"
                raise InputError(Fault(folder, what, mend)) from None
        time.sleep(0.2)


def check_writable(folder: str | Path) -> None:
    """Check that files can be written into a folder, or that it can be made.

    Raises
    ------
    InputError
        If not.
    """
    existing = next(path for path in (Path(folder), *Path(folder).absolute().parents) if path.exists())
    if not os.access(existing, os.W_OK):
        raise InputError(Fault(existing, *_NO_ACCESS))


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN is refused because JSON has none.

    A list of numbers is a line.
    """
    text = json.dumps(content, indent=2, allow_nan=False)
    text = _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    with atomic(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def _no_number(name: str) -> None:
    """Refuse what Python takes for JSON and nothing that LUSCo writes holds: NaN and infinities."""
    raise ValueError(f"{name} is no number")


def read_json(path: str | Path) -> Any:
    """Read JSON written by `write_json`.

    Raises
    ------
    InputError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except OSError as error:
        raise InputError(Fault(path, f"the file cannot be read ({error.strerror})", "check the path")) from None
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(path, f"the file is not JSON ({error})", RESTORE)) from None


def read_csv(path: str | Path, **how: Any) -> "pd.DataFrame":
    """Read a table that a stage wrote; `how` goes to pandas.

    Each line of it has an end, so a table without a last one was cut off.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    import pandas as pd

    try:
        with Path(path).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            whole = file.read() == b"\n"
        if whole:
            # an acquisition may be called NA or 01; what is missing is empty in our tables
            types = dict.fromkeys(NAMES, "str")
            return pd.read_csv(path, **{"keep_default_na": False, "na_values": [""], "dtype": types, **how})
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except ValueError as error:
        raise InputError(Fault(path, f"the table is damaged ({error})", RECREATE)) from None
    raise InputError(Fault(path, "the table is damaged, its end is missing", RECREATE))


def write_array(array: "np.ndarray", path: str | Path) -> None:
    """Write an array as `.npy`; unlike `numpy.save`, it tells a full disk from other failures."""
    import numpy as np

    array = np.ascontiguousarray(array)
    with Path(path).open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)


def read_array(path: str | Path) -> "np.ndarray":
    """Open an array that a stage wrote, memory-mapped.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    import numpy as np

    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except (ValueError, EOFError) as error:
        raise InputError(Fault(path, f"the array is damaged ({error})", RECREATE)) from None


def date_back(folder: str | Path) -> int:
    """Give the files of a folder that are dated in the future dates long ago, in the same order.

    Where the clock went back, whatever is changed or made now is older than they are, and Snakemake would take it for
    old news; older than everything else, they are compared by content.

    Returns
    -------
    int
        How many there were.
    """
    now = time.time()
    dated = []
    for parent, _, names in os.walk(folder):  # which passes over what another run removes meanwhile
        for file in (Path(parent, name) for name in names):
            with suppress(OSError):
                if not file.is_symlink():  # to what other folders use too
                    dated.append((file.stat().st_mtime_ns, file))
    future = [file for date, file in sorted(dated) if date > (now + _FUTURE_S) * 1e9]
    for later, file in enumerate(future):
        with suppress(OSError):  # somebody else's, or read-only
            os.utime(file, (now, _LONG_AGO_S + later))
    return len(future)


def _flush(partial: Path) -> None:
    """Have a file, or all files of a folder, on the disk before it gets its name.

    A file system may write names down before contents; after a power loss an empty file could then bear the name of a
    whole one.
    """
    for path in (partial, *partial.rglob("*")):
        if path.is_dir():
            _flush_names(path)
        else:
            _synchronize(path)


def _flush_names(folder: Path) -> None:
    """Have the names of a folder's files on the disk, in the order in which they were given."""
    with suppress(OSError):  # some file systems cannot; a name that is lost is only a file to make again
        _synchronize(folder)


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_claim(size_bytes: int, path: str | Path) -> None:
    """Refuse what would take more than `MAX_BYTES`, before it is read.

    Parameters
    ----------
    size_bytes : int
        Size that the file claims for something in it, unpacked.
    path : str or Path
        The file.

    Raises
    ------
    InputError
        If that is too much.
    """
    if size_bytes > MAX_BYTES:
        what = f"it claims to hold {size_bytes / 1e9:.3g} GB of data, and {MAX_BYTES / 1e9:.2g} GB at most are read"
        raise InputError(Fault(path, what, "if it is not damaged, export it in parts"))


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
