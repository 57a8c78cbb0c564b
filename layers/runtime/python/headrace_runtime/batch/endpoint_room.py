"""Which endpoints have the room that there is, where not all have it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from headrace_runtime.batch.endpoint_plan import Allowance
from headrace_runtime.batch.gpu_need import Need, Version
from headrace_runtime.batch.holding import Held, Holding
from headrace_runtime.batch.standing import Seen
from headrace_runtime.model.endpoint import EndpointState


class Rank(IntEnum):
    """What an endpoint is needed for; the first comes first."""

    AWAITED = 1  # jobs wait for it
    REALTIME = 2  # calls do
    GPU = 3  # of a version that runs on nothing else
    IDLE = 4  # of a version that merely may use it; or nobody needs it any more


# By the rank, then by the name: so each look comes to the same.
_Missing = tuple[Rank, str]


@dataclass(frozen=True, slots=True)
class Room:
    """All that needs endpoints, and all that there is of them.

    Attributes:
        needs: by version, what it needs.
        names: by version, how the SageMaker model is called of what needs one.
        noted: by version, what was noted of it.
        seen: what stands.
        now: the time.
    """

    needs: Mapping[Version, Need]
    names: Mapping[Version, str]
    noted: Mapping[Version, Holding]
    seen: Seen
    now: datetime

    def allowance(self, most: int, reason: str) -> Allowance:
        """Return what may be made, so that never more than *most* stand.

        An asynchronous endpoint that no job waits for gives way to one of a higher rank, and to
        none of its own: so two never change places for ever.

        Args:
            most: as many may stand.
            reason: why there are no more.
        """
        missing = sorted(self._missing())
        standing = self.seen.endpoints.values()
        going = sum(one.status == "Deleting" for one in standing)
        free = max(0, most - len(standing))
        soon = max(0, most - len(standing) + going)
        pairs = zip(missing[soon:], self._yielding(), strict=False)
        gives_way = [name for (rank, _), (lower, name) in pairs if lower > rank]
        names = [name for _, name in missing]
        return Allowance(
            reason,
            makes=frozenset(names[:free]),
            comes=frozenset(names[: soon + len(gives_way)]),
            on_demand=frozenset(name for rank, name in missing if rank > Rank.REALTIME),
            gives_way=frozenset(gives_way),
        )

    def _missing(self) -> Iterator[_Missing]:
        """Yield what is needed and may be made, as it is not there."""
        for version, need in self.needs.items():
            holding = self.noted.get(version, Holding(*version))
            resting = {one.name for one in holding.endpoints if one.rests(self.now)}
            for name, realtime in need.endpoints(self.names[version]).items():
                if name not in self.seen.endpoints and name not in resting:
                    yield _rank(need, realtime=realtime), name

    def _yielding(self) -> list[tuple[Rank, str]]:
        """Return what may be removed for another: the least first, what serves nobody before it."""
        some = [
            (_of_held(one, need), _serves(one, need), one.name)
            for version, holding in self.noted.items()
            for need in [self.needs.get(version)]
            for one in holding.endpoints
            if not (one.realtime or (need is not None and need.oldest_job))
            and one.name in self.seen.endpoints
            and self.seen.endpoints[one.name].removable
        ]
        order = sorted(some, key=lambda one: (-one[0], one[1], one[2]))
        return [(rank, name) for rank, _, name in order]


def _rank(need: Need, *, realtime: bool) -> Rank:
    if realtime:
        return Rank.REALTIME
    if need.oldest_job is not None:
        return Rank.AWAITED
    return Rank.GPU if need.gpu_alone else Rank.IDLE


def _of_held(one: Held, need: Need | None) -> Rank:
    """Return the rank of an asynchronous endpoint that was noted."""
    if need is None or one.leaving_since is not None:
        return Rank.IDLE
    return _rank(need, realtime=False)


def _serves(one: Held, need: Need | None) -> bool:
    return need is not None and one.leaving_since is None and one.state is EndpointState.READY
