"""Waiting for what the service does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

from headrace.failures import WaitedTooLong

T = TypeVar("T")

_FIRST_S, _LONGEST_S = 0.1, 2.0  # between two questions: quick for a small file, gentle for long


def until(ask: Callable[[], T | None], what: str, timeout_s: float) -> T:
    """Return the first answer of *ask* that is not None.

    Raises:
        WaitedTooLong: there was none within *timeout_s* seconds; *what* names it.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = _FIRST_S
    while (answer := ask()) is None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise WaitedTooLong(f"{what} did not come within {timeout_s:g} s; it may still come")
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _LONGEST_S)
    return answer
