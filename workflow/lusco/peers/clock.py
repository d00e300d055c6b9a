"""The time that a training may take."""

import time
from collections.abc import Callable


class Clock:
    """Wall time from now on.

    Parameters
    ----------
    minutes : float
        How long.
    now : callable
        Gives the time in seconds.
    """

    def __init__(self, minutes: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._start = now()
        self._seconds = 60 * minutes

    def spent(self) -> float:
        """The fraction of the time that is over, at most 1."""
        return min(1.0, (self._now() - self._start) / self._seconds)

    def allows(self, seconds: float) -> bool:
        """Whether something that takes so many seconds ends in time."""
        return self._now() - self._start + seconds <= self._seconds
