"""Windows in which a key's calls are counted: each second, and each day from midnight UTC."""

from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple

Refusal = Literal["RATE_EXCEEDED", "QUOTA_EXCEEDED"]

_KEPT = timedelta(hours=1)  # past a window's end, before its counter may be removed


class Window(NamedTuple):
    """One window of one key.

    Attributes:
        limit: calls that it takes.
        counter: names the window among the key's: `S#<epoch second>` or `D#<yyyy-mm-dd>`.
        refusal: what a call beyond the limit is told.
        retry_after_s: whole seconds from now until the window has ended, at least 1.
        expires_at_s: epoch second from which nobody needs the counter.
    """

    limit: int
    counter: str
    refusal: Refusal
    retry_after_s: int
    expires_at_s: int


def windows(
    now: datetime, *, rate_per_s: int | None = None, daily_quota: int | None = None
) -> list[Window]:
    """Return the windows that a call at *now* is counted in, the shorter first.

    Args:
        now: with its time zone.
        rate_per_s: None where seconds are not limited.
        daily_quota: None where days are not limited.
    """
    now = now.astimezone(UTC)
    found = []
    if rate_per_s is not None:
        second = now.replace(microsecond=0)
        end = second + timedelta(seconds=1)
        counter = f"S#{int(second.timestamp())}"
        found.append(_window(rate_per_s, counter, "RATE_EXCEEDED", now, end))
    if daily_quota is not None:
        end = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        counter = f"D#{now.date().isoformat()}"
        found.append(_window(daily_quota, counter, "QUOTA_EXCEEDED", now, end))
    return found


def _window(limit: int, counter: str, refusal: Refusal, now: datetime, end: datetime) -> Window:
    wait_s = -((now - end) // timedelta(seconds=1))  # rounded up
    return Window(limit, counter, refusal, max(1, wait_s), int((end + _KEPT).timestamp()))
