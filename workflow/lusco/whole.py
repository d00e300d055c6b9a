"""Whether a file that a stage wrote was cut off since: told by its end, which each kind of file has."""

import os
from pathlib import Path

from lusco.errors import Fault, InputError
from lusco.files import RECREATE

ENDS = {".svg": b"</svg>\n", ".png": b"IEND\xaeB\x60\x82", ".csv": b"\n", ".js": b");\n"}


def check_end(path: Path) -> None:
    """Check that a file ends as its kind does, which its extension names.

    Raises
    ------
    InputError
        If it does not.
    """
    end = ENDS[path.suffix]
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(end)))
        found = file.read()
    if found != end:
        raise InputError(Fault(path, "the file is damaged, its end is missing", RECREATE))
