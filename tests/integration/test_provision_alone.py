"""One run of `provision` at a time: none is late, and what woke the others is not lost."""

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from headrace_runtime.aws.run_lease import RunLease
from headrace_runtime.batch.clock import Clock
from tests.integration.endpoint_world import (
    REALTIME,
    Crash,
    World,
    asynchronous,
    move,
    publish,
    registered,
    standing,
)

# What a run asks first of all that it asks of SageMaker: it knows what is needed by then.
LOOKS = "before-call.sagemaker.ListModels"


@pytest.fixture
def world(aws: None) -> World:
    """A stage without endpoints."""
    return World()


def at_first(world: World, event: str, act: Callable[[], Any]) -> None:
    """Let something happen, once, as a run of *world* is at an event of botocore's."""
    acts = iter([act])

    def happen(**_: Any) -> None:
        if one := next(acts, None):
            one()

    world.clients[event.split(".")[1]].meta.events.register(event, happen)


def lease(world: World) -> RunLease:
    return RunLease("jobs", dynamodb=world.clients["dynamodb"])


def clock(world: World, left_s: float = 60.0) -> Clock:
    return Clock(lambda: world.now, lambda: left_s)


@pytest.mark.parametrize("moment", [LOOKS, "after-call.sagemaker.ListEndpoints"])
def test_a_late_run_does_not_remove_what_is_needed_again_meanwhile(
    world: World, moment: str
) -> None:
    publish(versions=2, acceleration=REALTIME)
    world.settle()
    move(2)
    world.settle()
    there = standing()["endpoints"]
    second = World()
    second.now = world.now = world.now + timedelta(minutes=31)
    late: list[Any] = []

    def needed_again() -> None:
        move(1)
        late.append(second.woken("two"))

    at_first(world, moment, needed_again)
    world.calls.clear()

    reports = world.woken("one")

    assert late == [[]]
    assert "DeleteEndpoint" not in world.calls + second.calls
    assert len(reports) == 2  # It looked again, as the other one asked.
    assert set(there) >= {asynchronous(1).name, f"{asynchronous(1).name}-rt"}
    assert asynchronous(1).ready
    assert (world.errors, second.errors) == ([], [])
    # Now it is the other version's turn to leave, and all is done by whoever comes.
    second.now += timedelta(minutes=60)
    second.woken("three")
    assert standing()["endpoints"] == [asynchronous(1).name, f"{asynchronous(1).name}-rt"]


def test_what_comes_while_a_run_is_at_it_is_seen_by_that_run(world: World) -> None:
    second = World()

    def published() -> None:
        publish()
        assert [second.woken(run) for run in ("two", "three", "four")] == [[], [], []]

    at_first(world, LOOKS, published)

    assert [report.endpoints for report in world.woken()] == [0, 1]
    assert asynchronous().ready


def test_a_run_without_time_for_another_look_leaves_it_to_the_next(world: World) -> None:
    at_first(world, LOOKS, lambda: (publish(), World().woken("two")))

    assert len(world.woken(left_s=19.0)) == 1
    assert registered() is None
    assert len(world.woken("three")) == 1
    assert asynchronous().ready


def test_a_run_that_dies_keeps_others_from_it_no_longer_than_it_could_have_lived(
    world: World,
) -> None:
    publish()
    with world.dying_after(2), pytest.raises(Crash):
        world.woken(left_s=120.0)
    again = World()
    again.now = world.now

    for minute, looks in [(0, 0), (1, 0), (2, 0), (3, 1), (3, 1)]:
        again.now = world.now + timedelta(minutes=minute)
        assert len(again.woken(f"{minute}")) == looks
    assert asynchronous().ready


def test_the_lease_outlives_the_run_that_has_it_however_late_it_took_it(world: World) -> None:
    assert lease(world).take("one", clock(world, left_s=33.0))

    for second, free in [(33, False), (42, False), (43, True)]:
        later = Clock(lambda s=second: world.now + timedelta(seconds=s), lambda: 120.0)
        assert lease(world).take("two", later) is free


def test_a_run_that_fails_gives_the_lease_back(world: World) -> None:
    world.refused["ListModels"] = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        world.woken()
    world.refused.clear()

    assert len(world.woken("two")) == 1


def test_a_run_that_lost_the_lease_takes_nothing_from_whom_it_has_now(world: World) -> None:
    assert lease(world).take("one", clock(world))
    world.now += timedelta(minutes=5)
    assert lease(world).take("two", clock(world))

    assert lease(world).give_back("one", may_stay=True)

    assert not lease(world).take("three", clock(world))
    assert not lease(world).give_back("two", may_stay=True)
    assert lease(world).give_back("two", may_stay=True)


def test_of_two_that_take_it_at_once_one_has_it(world: World) -> None:
    other = World()
    took: list[bool] = []
    at_first(
        world,
        "before-call.dynamodb.PutItem",
        lambda: took.append(lease(other).take("two", clock(world))),
    )

    took.append(lease(world).take("one", clock(world)))

    assert took == [True, False]
    # The one that came late has asked.
    assert not lease(world).give_back("two", may_stay=True)


def test_who_asks_as_the_lease_is_given_back_is_heard_or_looks_himself(world: World) -> None:
    assert lease(world).take("one", clock(world))
    other = World()
    at_first(
        world,
        "before-call.dynamodb.PutItem",
        lambda: lease(other).take("two", clock(world)),
    )

    assert not lease(world).give_back("one", may_stay=True)
    assert lease(world).give_back("one", may_stay=True)
    assert lease(world).take("three", clock(world))


def test_a_message_that_finds_another_run_at_it_is_done_and_does_not_come_again(
    world: World,
    function: Callable[..., ModuleType],
    event: Callable[..., dict[str, Any]],
    context: Any,
) -> None:
    publish()
    handler = function("provision")
    assert lease(world).take("another", clock(world))

    answer = handler.lambda_handler(event("provision.versions_moved"), context)

    assert answer == {"batchItemFailures": []}
    assert registered() is None
    assert not lease(world).give_back("another", may_stay=True)


def test_an_answer_of_the_table_that_is_lost_is_no_other_run(world: World) -> None:
    other, lose = World(), [True]

    def asked_again(**_: Any) -> int | None:
        return 0 if lose and lose.pop() else None

    events = world.clients["dynamodb"].meta.events
    events.register_first("needs-retry.dynamodb.PutItem", asked_again)

    assert lease(world).take("one", clock(world))
    assert not lease(other).take("two", clock(world))
    lose.append(True)
    assert not lease(world).give_back("one", may_stay=True)  # the other one has asked
    assert lease(world).give_back("one", may_stay=True)
    assert lease(other).take("three", clock(world))
    assert not lose
