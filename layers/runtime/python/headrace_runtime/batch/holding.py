"""What SageMaker holds of a version: noted before it is made, and until it is seen to be gone.

So whatever stands was noted, whenever a run was killed, and what nobody noted is nobody's to
remove.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from headrace_runtime.model.endpoint import Endpoint, Endpoints, EndpointState

# Reasons are shown to callers, whose business the account is not.
_ACCOUNT = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:")
_REASON_LENGTH = 500
_FIRST, _LONGEST = timedelta(minutes=15), timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Held:
    """One endpoint that is, or will be, or was.

    Attributes:
        realtime: whether it answers at once.
        failures: how often in a row it failed.
        failed_at: when it did last, ISO 8601; None where it did not.
        leaving_since: since when nobody needs it, ISO 8601; None while somebody does.
    """

    name: str
    realtime: bool
    state: EndpointState = EndpointState.CREATING
    reason: str = ""
    failures: int = 0
    failed_at: str | None = None
    leaving_since: str | None = None

    def being(self, state: EndpointState, reason: str = "") -> "Held":
        """Return it in another state; one that is ready has never failed."""
        changed = replace(self, state=state, reason=reason)
        if state is EndpointState.READY:
            return replace(changed, failures=0, failed_at=None)
        return changed

    def failed(self, reason: str, at: datetime) -> "Held":
        """Return it once it failed at that moment; what is told twice is one failure."""
        told = _ACCOUNT.sub("", reason)[:_REASON_LENGTH]
        changed = self.being(EndpointState.FAILED, told)
        if self.failed_at == at.isoformat():
            return changed
        return replace(changed, failures=self.failures + 1, failed_at=at.isoformat())

    def rests(self, now: datetime) -> bool:
        """Return whether it failed too short a time ago to be tried again.

        After a first failure it rests 15 minutes, after each other one twice as long as after the
        one before, up to 6 hours.
        """
        if self.failed_at is None:
            return False
        rest: timedelta = min(_FIRST * 2 ** min(self.failures - 1, 10), _LONGEST)
        return now < datetime.fromisoformat(self.failed_at) + rest

    def leaving(self, now: datetime) -> "Held":
        """Return it once nobody needs it; the first moment counts."""
        return replace(self, leaving_since=self.leaving_since or now.isoformat())

    def needed(self) -> "Held":
        """Return it once somebody needs it again."""
        return replace(self, leaving_since=None)


@dataclass(frozen=True, slots=True)
class Holding:
    """All of one version.

    Attributes:
        models: names of SageMaker models, the newest last.
        sagemaker_model: the newest that was seen; empty while none was.
        endpoints: in the order in which they came to be needed.
        revision: how often it was written; a write names the one that it replaces.
    """

    model: str
    version: int
    models: tuple[str, ...] = ()
    sagemaker_model: str = ""
    endpoints: tuple[Held, ...] = ()
    revision: int = 0

    @property
    def empty(self) -> bool:
        """Whether SageMaker has nothing of the version any more."""
        return not (self.models or self.endpoints)

    def published(self) -> Endpoints:
        """Return what requests go to."""
        return Endpoints(
            self.sagemaker_model, self._best(realtime=False), self._best(realtime=True)
        )

    def with_failure(self, names: Collection[str], reason: str, now: datetime) -> "Holding":
        """Return it once the endpoints of these names could not be made."""
        endpoints = tuple(
            one.failed(reason, now) if one.name in names else one for one in self.endpoints
        )
        return replace(self, endpoints=endpoints)

    def _best(self, *, realtime: bool) -> Endpoint | None:
        """Return the one of a kind that answers best: ready, then needed, then the newest."""
        some = [one for one in self.endpoints if one.realtime is realtime]
        if not some:
            return None
        best = max(
            enumerate(some),
            key=lambda at: (
                at[1].state is EndpointState.READY,
                at[1].leaving_since is None,
                at[0],
            ),
        )[1]
        if best.leaving_since and best.state is not EndpointState.READY:
            return None
        return Endpoint(best.name, best.state, best.reason)
