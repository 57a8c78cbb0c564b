"""Time as a worker sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """A worker's clock.

    Attributes:
        now: gives the time, in UTC.
        left_s: gives the seconds until the worker is stopped.
    """

    now: Callable[[], datetime]
    left_s: Callable[[], float]


class Slice:
    """What one piece of work may take of a worker's time, so that others behind it get theirs.

    Args:
        left_s: gives the seconds until the worker is stopped.
        slice_s: of it for this work.

    Attributes:
        ample: whether the worker had most of its time yet when this work began: what did not
            succeed then would not in another run.
    """

    def __init__(self, left_s: Callable[[], float], slice_s: float = 60.0) -> None:
        self._left_s = left_s
        began_s = left_s()
        self._until_s = began_s - slice_s
        self.ample = began_s > _AMPLE_S

    def goes_on(self) -> bool:
        """Return whether there is time yet: of the slice, and of the worker."""
        return self._left_s() > self._until_s and self.lasts()

    def lasts(self) -> bool:
        """Return whether the worker itself has time: for what must not be broken off."""
        return self._left_s() > _ENOUGH_S


_AMPLE_S = 600.0  # of the 900 that Lambda gives
_ENOUGH_S = 20.0  # of a worker's time to end what it is at
