"""The one exception for what a user can mend: file, place, what is wrong, and the mend."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 700  # characters of a part of a sentence; what a damaged file calls a name may have a million


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input.

    Parameters
    ----------
    file : str or Path
        The file in which the fault lies.
    what : str
        What is wrong, without a final stop.
    mend : str
        What the user can do about it, without a final stop.
    place : str
        Row, column or key in the file, if the fault has one.
    """

    file: str | Path
    what: str
    mend: str
    place: str = ""

    def __str__(self) -> str:
        where = f"{self.file}, {_shown(self.place)}" if self.place else f"{self.file}"
        return f"{_printable(where)}: {_shown(self.what)}; {_shown(self.mend)}."


class InputError(Exception):
    """One or several faults of the user's input, shown together, a sentence each."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def _shown(text: str) -> str:
    """A text on one line, its middle left out where it is very long."""
    half = _LONGEST // 2
    return _printable(text if len(text) <= _LONGEST else f"{text[:half]} ... {text[-half:]}")


def _printable(text: str) -> str:
    """A text without characters that would break the line or steer a terminal; these are written as escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def raise_all(faults: Iterable[Fault]) -> None:
    """Raise `InputError` with all faults, if there are any."""
    faults = tuple(faults)
    if faults:
        raise InputError(*faults)
