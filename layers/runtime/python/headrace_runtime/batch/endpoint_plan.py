"""What is to be done so that what stands becomes what is needed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from headrace_runtime.batch.gpu_need import REALTIME, Need
from headrace_runtime.batch.holding import Held, Holding
from headrace_runtime.batch.standing import Seen
from headrace_runtime.model.endpoint import EndpointState

# For so long an endpoint stays that nobody needs: an alias may come back to its version, and a new
# one takes minutes. While it has no instance it costs nothing.
PATIENCE = timedelta(minutes=30)


class Act(StrEnum):
    """A step, in the order in which steps are taken."""

    MAKE_MODEL = "make model"
    MAKE_ENDPOINT = "make endpoint"  # and its config
    SCALE = "scale"
    REMOVE_ENDPOINT = "remove endpoint"  # and its scaling
    CLEAR = "clear"  # what is left of one that is gone: scaling, config
    REMOVE_MODEL = "remove model"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; doing it again does nothing.

    Attributes:
        name: of the SageMaker model or the endpoint.
    """

    act: Act
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be noted of one version, and then done."""

    holding: Holding
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Which endpoints may be made, by their names; `batch/endpoint_room.py` decides.

    Attributes:
        reason: why there is no room for more, one sentence that is always the same.
        makes: those that are made at once.
        comes: those that are made as soon as others, which leave, are gone.
        on_demand: those that are worth waiting for though they are not made: a job that waits has
            them made, others give way to it.
        gives_way: those that others need more: they are removed at once. No job waits for them.
    """

    reason: str
    makes: frozenset[str] = frozenset()
    comes: frozenset[str] = frozenset()
    on_demand: frozenset[str] = frozenset()
    gives_way: frozenset[str] = frozenset()


def planned(
    holding: Holding,
    need: Need | None,
    name: str,
    seen: Seen,
    *,
    allowance: Allowance,
    now: datetime,
) -> Plan:
    """Return what is to be noted of one version and what is to be done.

    Args:
        holding: what was noted of it.
        need: what it needs; None where nothing.
        name: how its SageMaker model is called now; without a need it is not looked at.
        seen: what stands.
        allowance: what may be made.
        now: the time.
    """
    wanted = {} if need is None else need.endpoints(name)
    noted = {one.name: _as_seen(one, seen) for one in holding.endpoints}
    needed = [noted.pop(one, Held(one, realtime)).needed() for one, realtime in wanted.items()]
    awaited = {one.realtime for one in needed if one.state is not EndpointState.READY}
    others = [
        # Until the one is ready that takes its place, requests go to this one.
        one if one.realtime in awaited and one.state is EndpointState.READY else one.leaving(now)
        for one in noted.values()
    ]
    steps: list[Step] = []
    left = []
    for one in others:
        due = one.name in allowance.gives_way or _due(one, need, now)
        if _leave(one, seen, steps, due=due):
            left.append(one)
    kept = [_kept(one, seen, now, steps, allowance) for one in needed]
    changed = replace(holding, endpoints=(*left, *kept))
    changed = _models(changed, need, name, seen, steps)
    order = list(Act)
    steps.sort(key=lambda step: order.index(step.act))
    return Plan(changed, tuple(steps))


def _as_seen(held: Held, seen: Seen) -> Held:
    """Return an endpoint as it stands."""
    standing = seen.endpoints.get(held.name)
    if standing is None:
        # It is made yet, or anew; one that could not be made stays failed while it rests.
        return held if held.state is EndpointState.FAILED else held.being(EndpointState.CREATING)
    if standing.state is EndpointState.FAILED:
        return held.failed(standing.reason or standing.status, standing.changed_at)
    if standing.status == "Deleting" and held.state is not EndpointState.READY:
        return held
    return held.being(standing.state)


def _kept(held: Held, seen: Seen, now: datetime, steps: list[Step], allowance: Allowance) -> Held:
    """Add the steps for an endpoint that is needed; return it as it is to be noted."""
    standing = seen.endpoints.get(held.name)
    if standing is None and not held.rests(now):
        if held.name not in allowance.makes:
            return _withheld(held, allowance)
        steps.append(Step(Act.MAKE_ENDPOINT, held.name))
        return held.being(EndpointState.CREATING)
    if standing is not None and held.name in allowance.gives_way:
        steps.append(Step(Act.REMOVE_ENDPOINT, held.name))
        failed = held.state is EndpointState.FAILED
        return held if failed else held.being(EndpointState.CREATING, allowance.reason)
    if standing is not None and held.state is EndpointState.FAILED:
        if standing.removable and not held.rests(now):
            steps.append(Step(Act.REMOVE_ENDPOINT, held.name))
    elif standing is not None and standing.status == "InService" and held.name not in seen.scaled:
        steps.append(Step(Act.SCALE, held.name))
    return held


def _withheld(held: Held, allowance: Allowance) -> Held:
    """Return an endpoint that is needed and not made now, with the reason."""
    if held.name in allowance.comes:
        return held.being(EndpointState.CREATING)
    # What failed is not waited for; then no job would ever wait so that room is made.
    worth = held.name in allowance.on_demand
    state = EndpointState.CREATING if worth else EndpointState.FAILED
    return held.being(state, allowance.reason)


def _leave(held: Held, seen: Seen, steps: list[Step], *, due: bool) -> bool:
    """Add the steps for an endpoint that is not needed; return whether anything of it is left."""
    standing = seen.endpoints.get(held.name)
    if standing is None:
        remains = held.name in seen.configs | seen.scaling
        if remains:
            steps.append(Step(Act.CLEAR, held.name))
        return remains
    if standing.removable and due:
        steps.append(Step(Act.REMOVE_ENDPOINT, held.name))
    return True


def _due(held: Held, need: Need | None, now: datetime) -> bool:
    """Return whether nobody comes back to an endpoint, and nothing waits in its queue."""
    if held.leaving_since is None:
        return False
    if held.state is not EndpointState.READY:
        return True
    since = datetime.fromisoformat(held.leaving_since)
    # A job that was made before may have bodies there.
    drained = (
        need is None or need.oldest_job is None or datetime.fromisoformat(need.oldest_job) > since
    )
    return drained and now - since >= PATIENCE


def _models(
    holding: Holding, need: Need | None, name: str, seen: Seen, steps: list[Step]
) -> Holding:
    """Add the steps for SageMaker models; return the holding with those that are left."""
    older = [one for one in holding.models if need is None or one != name]
    working = need is not None and need.oldest_job is not None
    served = {
        one.name.removesuffix(REALTIME) for one in holding.endpoints if one.name in seen.endpoints
    }
    going = [one for one in older if one not in served and not working]
    steps.extend(Step(Act.REMOVE_MODEL, one) for one in going if one in seen.models)
    models = [one for one in older if one not in going or one in seen.models]
    if need is not None:
        models.append(name)
        if name not in seen.models:
            steps.append(Step(Act.MAKE_MODEL, name))
    there = [one for one in models if one in seen.models and one not in going]
    return replace(holding, models=tuple(models), sagemaker_model=there[-1] if there else "")
