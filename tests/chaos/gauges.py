"""What workers count, in memory that outlives them: one writes, the others read."""

from enum import IntEnum
from typing import Any


class Gauge(IntEnum):
    """What is counted; BUSY is 1 while an event is worked."""

    BUSY = 0
    DELIVERIES = 1
    BEFORE = 2
    AFTER = 3
    RAISED = 4
    SWEEPS = 5
    FOUND = 6
    FOUND_FILES = 7
    REQUESTS = 8


class Gauges:
    """One worker's, and those of all that take its place.

    Args:
        numbers: `RawArray("q", len(Gauge))` of a multiprocessing context.
    """

    def __init__(self, numbers: Any) -> None:
        self._numbers = numbers

    def __getitem__(self, gauge: Gauge) -> int:
        return self._numbers[gauge]

    def set(self, gauge: Gauge, number: int) -> None:
        self._numbers[gauge] = number

    def add(self, gauge: Gauge, number: int) -> None:
        self._numbers[gauge] += number

    def count(self, what: str) -> None:
        """Count one of `requests`, or one that failed `before` or `after` AWS did it."""
        self.add(_COUNTED[what], 1)


_COUNTED = {"requests": Gauge.REQUESTS, "before": Gauge.BEFORE, "after": Gauge.AFTER}
