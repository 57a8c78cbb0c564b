"""Which endpoints have the room that there is, where not all have it."""

from collections.abc import Iterable, Iterator, Mapping
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
        none of its own: so two never change places for ever. Nor does one come back into the room
        that it gave to another because that failed: it is tried again.

        Args:
            most: as many may stand.
            reason: why there are no more.
        """
        missing, resting = sorted(self._missing()), self._resting()
        standing = self.seen.endpoints.values()
        going = sum(one.status == "Deleting" for one in standing)
        free = max(0, most - len(standing))
        soon = max(0, most - len(standing) + going)
        beyond = [one for one in missing[soon:] if one[1] not in resting]
        pairs = zip(beyond, self._yielding(), strict=False)
        gives_way = [name for (rank, _), (lower, name) in pairs if lower > rank]
        return Allowance(
            reason,
            makes=_names(missing[:free]) - resting,
            comes=_names([*missing[:soon], *beyond[: len(gives_way)]]) - resting,
            on_demand=_names(one for one in missing if one[0] > Rank.REALTIME) - resting,
            gives_way=frozenset(gives_way),
        )

    def _missing(self) -> Iterator[_Missing]:
        """Yield what is needed and not there; what failed and rests only if it outranks some."""
        resting = self._resting()
        for version, need in self.needs.items():
            for name, realtime in need.endpoints(self.names[version]).items():
                rank = _rank(need, realtime=realtime)
                lowly = name in resting and rank is Rank.IDLE
                if name not in self.seen.endpoints and not lowly:
                    yield rank, name

    def _resting(self) -> frozenset[str]:
        held = (one for holding in self.noted.values() for one in holding.endpoints)
        return frozenset(one.name for one in held if one.rests(self.now))

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


def _names(some: Iterable[_Missing]) -> frozenset[str]:
    return frozenset(name for _, name in some)


def _rank(need: Need, *, realtime: bool) -> Rank:
    if realtime:
        return Rank.REALTIME
    if need.awaited:
        return Rank.AWAITED
    return Rank.GPU if need.gpu_alone else Rank.IDLE


def _of_held(one: Held, need: Need | None) -> Rank:
    """Return the rank of an asynchronous endpoint that was noted."""
    if need is None or one.leaving_since is not None:
        return Rank.IDLE
    return _rank(need, realtime=False)


def _serves(one: Held, need: Need | None) -> bool:
    return need is not None and one.leaving_since is None and one.state is EndpointState.READY
