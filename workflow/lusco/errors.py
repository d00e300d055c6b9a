"""The one exception for what a user can mend: file, place, what is wrong, and the mend."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


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
        where = f"{self.file}, {self.place}" if self.place else f"{self.file}"
        return f"{where}: {self.what}; {self.mend}."


class InputError(Exception):
    """One or several faults of the user's input, shown together, a sentence each."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def raise_all(faults: Iterable[Fault]) -> None:
    """Raise `InputError` with all faults, if there are any."""
    faults = tuple(faults)
    if faults:
        raise InputError(*faults)
