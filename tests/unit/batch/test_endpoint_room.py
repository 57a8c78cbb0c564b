"""Who has the room for endpoints where not all have it, and who gives way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.endpoint_plan import Allowance
from headrace_runtime.batch.endpoint_room import Room
from headrace_runtime.batch.gpu_need import Need, Version
from headrace_runtime.batch.holding import Held, Holding
from headrace_runtime.batch.standing import Seen, Standing
from headrace_runtime.model.endpoint import EndpointState

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SINCE = "2026-11-26T11:50:00+00:00"
WHY = "there is no room"
STATUSES = ["Creating", "InService", "Updating", "Deleting", "Failed"]


def idle(name: str) -> Need:
    return Need(name, 1, "archive")


def awaited(name: str) -> Need:
    return replace(idle(name), oldest_job=SINCE, awaited=True)


def transformed(name: str) -> Need:
    return replace(idle(name), oldest_job=SINCE)


def gpu(name: str) -> Need:
    return replace(idle(name), gpu_alone=True)


def realtime(name: str) -> Need:
    return replace(idle(name), asynchronous=False, realtime=True)


def room(needs: list[Need], statuses: Mapping[str, str], *, unneeded: str = "") -> Room:
    """Return what there is, each endpoint named after its model; realtime ones end in `-rt`."""
    noted: dict[Version, Holding] = {}
    for name, status in statuses.items():
        model = name.removesuffix("-rt")
        state = EndpointState.FAILED if status == "Failed" else EndpointState.READY
        held = Held(name, name != model, state)
        before = noted.get((model, 1), Holding(model, 1))
        noted[model, 1] = replace(before, endpoints=(*before.endpoints, held))
    if unneeded:
        held = Held(unneeded, False, EndpointState.READY, leaving_since=SINCE)
        noted[unneeded, 1] = Holding(unneeded, 1, endpoints=(held,))
    seen = {name: Standing(name, status, NOW) for name, status in statuses.items()}
    return Room(
        needs={(one.model, 1): one for one in needs},
        names={(one.model, 1): one.model for one in needs},
        noted=noted,
        seen=Seen(endpoints=seen),
        now=NOW,
    )


def names(*some: str) -> frozenset[str]:
    return frozenset(some)


def test_where_there_is_room_all_are_made_and_nobody_gives_way() -> None:
    found = room([idle("a"), realtime("b")], {"c": "InService"}).allowance(3, WHY)

    assert found == Allowance(WHY, names("a", "b-rt"), names("a", "b-rt"), names("a"))


def test_the_room_that_there_is_goes_to_the_highest() -> None:
    needs = [idle("a"), gpu("b"), realtime("c"), awaited("d")]
    order = ["d", "c-rt", "b", "a"]

    for most in range(5):
        assert room(needs, {}).allowance(most, WHY).makes == names(*order[:most])


@pytest.mark.parametrize("one", [awaited, realtime, gpu])
def test_an_idle_one_gives_way_at_once_and_what_takes_its_place_comes(one) -> None:
    new = next(iter(one("new").endpoints("new")))
    needs = [idle("a"), idle("b"), one("new")]

    found = room(needs, {"b": "InService", "a": "InService"}).allowance(2, WHY)

    assert (found.gives_way, found.makes, found.comes) == (names("a"), names(), names(new))
    leaving = room(needs, {"b": "InService", "a": "Deleting"}).allowance(2, WHY)
    assert (leaving.gives_way, leaving.makes, leaving.comes) == (names(), names(), names(new))
    gone = room(needs, {"b": "InService"}).allowance(2, WHY)
    assert (gone.makes, gone.on_demand - gone.makes) == (names(new), names("a"))


@pytest.mark.parametrize("one", [idle, awaited, gpu, realtime])
def test_of_the_same_rank_none_gives_way(one) -> None:
    old = next(iter(one("old").endpoints("old")))

    found = room([one("old"), one("new")], {old: "InService"}).allowance(1, WHY)

    assert (found.gives_way, found.comes) == (names(), names())


def test_the_lowest_gives_way_first_and_of_them_what_serves_nobody() -> None:
    needs = [gpu("a"), idle("b"), idle("c"), *map(awaited, "vwxyz")]
    there = dict.fromkeys(["a", "b", "c", "left"], "InService") | {"c": "Failed"}

    for more, goes in enumerate(["", "c", "c left", "c left b", "c left b a", "c left b a"]):
        some = room(needs[: 3 + more], there, unneeded="left").allowance(4, WHY)
        assert some.gives_way == names(*goes.split())


def test_what_jobs_or_calls_wait_for_or_what_changes_gives_way_to_nobody() -> None:
    needs = [awaited("a"), realtime("b"), idle("c"), idle("d"), awaited("new")]
    there = {"a": "InService", "b-rt": "InService", "c": "Updating", "d": "Creating"}

    found = room(needs, there).allowance(4, WHY)

    assert (found.gives_way, found.comes, found.on_demand) == (names(), names(), names())


def test_an_old_one_in_whose_queue_a_job_may_have_bodies_gives_way_to_nobody() -> None:
    there = {"a": "InService", "old": "InService"}
    needs = [awaited("a"), realtime("new")]
    some = room(needs, there, unneeded="old")
    (left,) = some.noted["old", 1].endpoints
    (needed,) = some.noted["a", 1].endpoints
    noted = {("a", 1): Holding("a", 1, endpoints=(left, needed))}

    assert some.allowance(2, WHY).gives_way == names("old")
    assert replace(some, noted=noted).allowance(2, WHY).gives_way == names()


def test_for_what_failed_and_rests_nobody_gives_way() -> None:
    some = room([idle("a"), awaited("b")], {"a": "InService"})
    failed = Held("b", False).failed("why", NOW - timedelta(minutes=5))
    noted = {**some.noted, ("b", 1): Holding("b", 1, endpoints=(failed,))}

    assert replace(some, noted=noted).allowance(1, WHY).gives_way == names()


def test_where_there_are_too_many_no_more_go_than_is_needed() -> None:
    there = dict.fromkeys("abcd", "InService")
    needs = [*map(idle, "abcd"), awaited("e")]

    first = room(needs, there).allowance(2, WHY)
    assert first.gives_way == names("a")
    assert room(needs, there | dict.fromkeys("ab", "Deleting")).allowance(2, WHY).gives_way == (
        names("c")
    )
    assert room(needs, there | dict.fromkeys("abc", "Deleting")).allowance(2, WHY).gives_way == (
        names()
    )


@dataclass(frozen=True)
class Case:
    needs: list[Need]
    statuses: dict[str, str]
    most: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a stage that has no more endpoints than it may have, whatever they are doing."""
    needs, statuses = [], {}
    for model in "abcdefgh"[: draw(st.integers(1, 8))]:
        kind = draw(st.sampled_from([idle, awaited, gpu, transformed]))
        need = replace(kind(model), realtime=draw(st.booleans()))
        if draw(st.integers(0, 3)):
            needs.append(need)
        for name in need.endpoints(model):
            if status := draw(st.none() | st.sampled_from(STATUSES)):
                statuses[name] = status
    return Case(needs, statuses, max(len(statuses), draw(st.integers(1, 6))))


def a_moment_later(statuses: dict[str, str], allowed: Allowance) -> dict[str, str]:
    """Return what stands once all was done that was to be, and SageMaker has gone on."""
    next_ones = {"Creating": "InService", "Updating": "InService"}
    later = {
        name: "Deleting" if name in allowed.gives_way else next_ones.get(status, status)
        for name, status in statuses.items()
        if status != "Deleting"
    }
    return later | dict.fromkeys(allowed.makes, "Creating")


@given(cases())
def test_who_is_needed_more_has_the_room_and_it_comes_to_rest(case: Case) -> None:
    jobs = {one.model for one in case.needs if one.oldest_job}
    statuses = case.statuses
    for _ in range(9):
        allowed = room(case.needs, statuses).allowance(case.most, WHY)
        assert not {name.removesuffix("-rt") for name in allowed.gives_way} & jobs
        assert not any(name.endswith("-rt") for name in allowed.gives_way)
        assert len(allowed.gives_way) <= len(allowed.comes)
        statuses = a_moment_later(statuses, allowed)
        assert len(statuses) <= case.most

    at_rest = room(case.needs, statuses).allowance(case.most, WHY)
    assert not at_rest.gives_way | at_rest.makes | at_rest.comes
    worth = {name: order(need, name) for need in case.needs for name in need.endpoints(need.model)}
    best_missing = min((worth[name] for name in worth.keys() - statuses.keys()), default=9)
    may_go = {n for n in statuses if not n.endswith("-rt") and n not in jobs}
    assert all(worth.get(name, 3) <= best_missing for name in may_go)


def order(need: Need, name: str) -> int:
    """Return what comes first, said once more: jobs, calls, what has no choice, the rest."""
    if name.endswith("-rt"):
        return 1
    return 0 if need.awaited else 2 if need.gpu_alone else 3
