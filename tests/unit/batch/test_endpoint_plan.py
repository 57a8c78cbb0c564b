"""What is noted of a version, and what is to be done, for whatever stands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from headrace_runtime.batch.endpoint_plan import Act, Allowance, Plan, Step, planned
from headrace_runtime.batch.gpu_need import Need
from headrace_runtime.batch.holding import Held, Holding
from headrace_runtime.batch.standing import Seen, Standing
from headrace_runtime.model.endpoint import Endpoint, EndpointState

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NEED = Need("wine", 1, "artifacts/a/model.tar.gz")
NEW = Holding("wine", 1)
READY, CREATING, FAILED = EndpointState.READY, EndpointState.CREATING, EndpointState.FAILED
NO_ROOM = "there is no room"
ROOM = Allowance(NO_ROOM, makes=frozenset({"a", "a-rt", "b"}))


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


def seen(*models: str, scaled: str = "", **statuses: str) -> Seen:
    """Return models and endpoints of these statuses, by name; all of them have their configs."""
    endpoints = {name: Standing(name, status, NOW, "why") for name, status in statuses.items()}
    whole = frozenset(scaled.split())
    return Seen(frozenset(models), frozenset(endpoints), endpoints, whole, whole)


def plan(
    holding: Holding, need: Need | None, there: Seen, name: str = "a", allowance: Allowance = ROOM
) -> Plan:
    return planned(holding, need, name, there, allowance=allowance, now=NOW)


def acts(found: Plan) -> list[str]:
    return [f"{step.act} {step.name}" for step in found.steps]


def test_what_is_new_is_noted_and_made() -> None:
    found = plan(NEW, NEED, Seen())

    assert found.holding == Holding("wine", 1, models=("a",), endpoints=(Held("a", False),))
    assert found.steps == (Step(Act.MAKE_MODEL, "a"), Step(Act.MAKE_ENDPOINT, "a"))


def test_what_is_being_made_is_waited_for() -> None:
    holding = Holding("wine", 1, ("a",), endpoints=(Held("a", False),))

    found = plan(holding, NEED, seen("a", a="Creating"))

    assert found.holding == replace(holding, sagemaker_model="a")
    assert found.steps == ()


def test_what_is_in_service_is_scaled() -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False),))

    found = plan(holding, NEED, seen("a", a="InService"))

    assert found.holding.published().asynchronous == Endpoint("a", READY)
    assert acts(found) == ["scale a"]
    assert plan(holding, NEED, seen("a", a="InService", scaled="a")).steps == ()
    # While it scales, how it does is not changed; it answers all the same.
    assert plan(holding, NEED, seen("a", a="Updating")).steps == ()


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_that_changes_takes_requests(status: str) -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False),))

    assert plan(holding, NEED, seen("a", a=status)).holding.endpoints == (Held("a", False, READY),)


def test_a_failure_is_counted_once_and_rests() -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False),))
    there = seen("a", a="Failed")

    once = plan(holding, NEED, there)
    twice = plan(once.holding, NEED, there)

    assert once.holding.endpoints == (Held("a", False, FAILED, "why", 1, NOW.isoformat()),)
    assert twice == once
    assert once.steps == ()


def test_what_failed_long_ago_is_removed_and_then_made_anew() -> None:
    held = Held("a", False, FAILED, "why", 1, ago(16))
    holding = Holding("wine", 1, ("a",), "a", (held,))
    failed = Standing("a", "Failed", datetime.fromisoformat(ago(16)), "why")

    removed = plan(holding, NEED, replace(seen("a"), endpoints={"a": failed}))
    waits = plan(holding, NEED, seen("a", a="Deleting"))
    made = plan(holding, NEED, seen("a"))

    assert acts(removed) == ["remove endpoint a"]
    assert removed.holding == waits.holding == holding
    assert waits.steps == ()
    assert acts(made) == ["make endpoint a"]
    assert made.holding.endpoints == (replace(held, state=CREATING, reason=""),)


@pytest.mark.parametrize(
    ("failures", "rest_minutes"),
    [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 360), (99, 360)],
)
def test_the_rest_after_a_failure_doubles_up_to_six_hours(failures: int, rest_minutes: int) -> None:
    held = Held("a", False, FAILED, "why", failures, NOW.isoformat())

    assert held.rests(NOW + timedelta(minutes=rest_minutes - 1))
    assert not held.rests(NOW + timedelta(minutes=rest_minutes))


def test_what_was_ready_once_has_never_failed() -> None:
    assert Held("a", False, FAILED, "why", 4, ago(1)).being(READY) == Held("a", False, READY)


def test_a_reason_names_no_account() -> None:
    told = 'Could not access model data for "arn:aws:iam::123456789012:role/sagemaker"'

    assert Held("a", False).failed(told, NOW).reason == (
        'Could not access model data for "role/sagemaker"'
    )


def test_what_there_is_no_room_for_is_noted_with_the_reason_and_made_once_there_is() -> None:
    both = replace(NEED, realtime=True)

    found = plan(NEW, both, Seen(), allowance=Allowance(NO_ROOM, makes=frozenset({"a"})))

    assert acts(found) == ["make model a", "make endpoint a"]
    published = found.holding.published()
    assert published.asynchronous == Endpoint("a", CREATING)
    assert published.realtime == Endpoint("a-rt", FAILED, "there is no room")
    later = plan(found.holding, both, seen("a", a="InService", scaled="a"))
    assert acts(later) == ["make endpoint a-rt"]


def test_what_is_not_needed_stays_for_half_an_hour() -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False, READY),))
    there = seen("a", a="InService", scaled="a")

    left = plan(holding, None, there).holding

    assert left.endpoints == (Held("a", False, READY, leaving_since=NOW.isoformat()),)
    assert left.published().asynchronous == Endpoint("a", READY)
    for minutes, steps in [(29, []), (30, ["remove endpoint a"])]:
        held = Held("a", False, READY, leaving_since=ago(minutes))
        assert acts(plan(replace(holding, endpoints=(held,)), None, there)) == steps


def test_what_is_needed_again_stays_as_it_was() -> None:
    held = Held("a", False, READY, leaving_since=ago(29))
    holding = Holding("wine", 1, ("a",), "a", (held,))

    found = plan(holding, NEED, seen("a", a="InService", scaled="a"))

    assert found.holding.endpoints == (Held("a", False, READY),)
    assert found.steps == ()


def test_what_failed_and_is_not_needed_goes_at_once() -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False, CREATING),))

    assert acts(plan(holding, None, seen("a", a="Failed"))) == ["remove endpoint a"]
    assert acts(plan(holding, None, seen("a", a="Creating"))) == []


def test_of_what_is_gone_scaling_config_and_model_go_before_it_is_forgotten() -> None:
    held = Held("a", False, READY, leaving_since=ago(40))
    holding = Holding("wine", 1, ("a",), "a", (held,))

    gone = plan(holding, None, replace(seen("a"), configs=frozenset({"a"})))
    only_scaling = plan(holding, None, replace(Seen(), scaling=frozenset({"a"})))

    assert acts(gone) == ["clear a", "remove model a"]
    assert not gone.holding.empty
    assert acts(only_scaling) == ["clear a"]
    assert plan(holding, None, Seen()).holding.empty


def test_requests_go_to_the_old_endpoint_until_the_new_one_is_ready() -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False, READY),))

    begun = plan(holding, NEED, seen("a", a="InService", scaled="a"), "b")
    waiting = plan(begun.holding, NEED, seen("a", "b", a="InService", b="Creating"), "b")
    ready = plan(waiting.holding, NEED, seen("a", "b", a="InService", b="InService"), "b")

    assert acts(begun) == ["make model b", "make endpoint b"]
    for early in (begun, waiting):
        assert early.holding.published().asynchronous == Endpoint("a", READY)
    assert ready.holding.published().asynchronous == Endpoint("b", READY)
    assert ready.holding.published().sagemaker_model == "b"
    assert ready.holding.endpoints[0].leaving_since == NOW.isoformat()


def test_an_old_endpoint_with_work_in_its_queue_stays_until_that_is_done() -> None:
    old = Held("a", False, READY, leaving_since=ago(60))
    holding = Holding("wine", 1, ("a", "b"), "b", (old, Held("b", False, READY)))
    there = seen("a", "b", a="InService", b="InService", scaled="a b")

    assert acts(plan(holding, replace(NEED, oldest_job=ago(61)), there, "b")) == []
    younger = replace(NEED, oldest_job=ago(59))
    assert acts(plan(holding, younger, there, "b")) == ["remove endpoint a"]


def test_an_older_sagemaker_model_stays_while_jobs_run() -> None:
    holding = Holding("wine", 1, ("a", "b"), "b", (Held("b", False, READY),))
    there = seen("a", "b", b="InService", scaled="b")

    assert acts(plan(holding, replace(NEED, oldest_job=ago(1)), there, "b")) == []
    assert acts(plan(holding, NEED, there, "b")) == ["remove model a"]


def test_a_version_for_transform_jobs_alone_has_a_sagemaker_model_alone() -> None:
    found = plan(NEW, replace(NEED, asynchronous=False), Seen())

    assert acts(found) == ["make model a"]
    assert found.holding.published().asynchronous is None
    # Until it is seen, jobs wait for it.
    assert found.holding.published().sagemaker_model == ""


def test_a_status_that_nobody_knows_is_waited_for() -> None:
    holding = Holding("wine", 1, ("a",), "a", (Held("a", False, READY),))

    found = plan(holding, NEED, seen("a", a="Dreaming"))

    assert found.holding.endpoints == (Held("a", False, CREATING),)
    assert found.steps == ()
