"""The requests that wait for an instance."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from infra.local.sagemaker.async_request import AsyncRequest
from infra.local.sagemaker.hosted import AsyncOutputs
from infra.local.sagemaker.s3_location import S3Location

_MOST = 100_000
_MOST_BODY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Invocation:
    """A request that an endpoint has taken.

    Attributes:
        received: when, for those who are told.
        expires: when, by `time.monotonic()`.
    """

    endpoint: str
    request: AsyncRequest
    outputs: AsyncOutputs
    received: datetime
    expires: float

    @property
    def output(self) -> S3Location:
        """Where its output goes."""
        return self.outputs.output.under(*self.request.path)

    @property
    def failure(self) -> S3Location | None:
        """Where it is written why there is none."""
        root = self.outputs.failure
        return root and root.under(*self.request.failure_path)


class BacklogFull(Exception):
    """This machine holds no more requests."""


class Backlog:
    """A queue, first in first out."""

    def __init__(self) -> None:
        self._waiting: deque[Invocation] = deque()
        self._body_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, invocation: Invocation) -> None:
        """Put a request at the end.

        Raises:
            BacklogFull: it is not there.
        """
        size = _held_bytes(invocation)
        if len(self._waiting) >= _MOST or self._body_bytes + size > _MOST_BODY_BYTES:
            raise BacklogFull
        self._waiting.append(invocation)
        self._body_bytes += size

    def take(self) -> Invocation:
        """Remove the first and return it."""
        invocation = self._waiting.popleft()
        self._body_bytes -= _held_bytes(invocation)
        return invocation

    def expired(self, now: float) -> list[Invocation]:
        """Remove those that have waited for too long and return them."""
        if not any(one.expires <= now for one in self._waiting):
            return []
        gone = [one for one in self._waiting if one.expires <= now]
        self._waiting = deque(one for one in self._waiting if one.expires > now)
        self._body_bytes -= sum(map(_held_bytes, gone))
        return gone

    def next_expiry(self) -> float | None:
        """Return when the next request expires; None if none waits."""
        return min((one.expires for one in self._waiting), default=None)

    def clear(self) -> list[Invocation]:
        """Remove all and return them."""
        gone, self._waiting, self._body_bytes = list(self._waiting), deque(), 0
        return gone


def _held_bytes(invocation: Invocation) -> int:
    source = invocation.request.source
    return len(source) if isinstance(source, bytes) else 0
