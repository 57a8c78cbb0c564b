"""Where a stage has no room for more endpoints, idle ones give way to those that are needed."""

import boto3
import pytest

from headrace_runtime.aws import provisioning
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.endpoint import Endpoint, EndpointState
from tests.integration.endpoint_world import (
    World,
    asynchronous,
    end,
    publish,
    registered,
    standing,
    work,
)

WINE = "hr-test-wine-1-52e9ad0b"
WHY = "there are 2 endpoints: no more are made"


@pytest.fixture
def full(aws: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """A stage with two endpoints that sleep; it may have no more."""
    monkeypatch.setattr(provisioning, "MOST_ENDPOINTS", 2)
    publish("ale")
    publish("beer")
    world = World()
    world.settle()
    assert [name[:12] for name in standing()["endpoints"]] == ["hr-test-ale-", "hr-test-beer"]
    return world


def of(model: str) -> Endpoint:
    there = registered(1, model)
    assert there is not None
    assert there.asynchronous is not None
    return there.asynchronous


def test_a_version_that_a_job_waits_for_has_the_place_of_an_idle_one_at_once(full: World) -> None:
    publish()
    assert full.run().withheld == 1
    assert (asynchronous().state, asynchronous().reason) == (EndpointState.CREATING, WHY)
    work(1, at=full.now)

    report = full.run()

    assert asynchronous().ready
    assert of("beer").ready
    assert (of("ale").state, of("ale").reason) == (EndpointState.CREATING, WHY)
    assert (report.endpoints, report.withheld, report.why) == (2, 1, WHY)
    assert not any("ale-1" in name for name in standing()["alarms"] + standing()["targets"])
    assert full.errors == []


def test_what_gave_way_does_not_come_back_until_there_is_room(
    full: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    work(1, at=full.now)
    full.settle()
    end()

    for _ in range(3):
        assert not full.run(minutes=20).done
    assert (asynchronous().ready, of("ale").ready) == (True, False)
    monkeypatch.setattr(provisioning, "MOST_ENDPOINTS", 3)
    full.settle()

    assert of("ale").ready
    assert len(standing()["endpoints"]) == 3


def test_while_one_leaves_no_other_gives_way_for_the_same(full: World) -> None:
    publish()
    work(1, at=full.now)
    sagemaker = full.clients["sagemaker"]
    ale = of("ale").name

    def leaves(params: dict[str, str], **_: object) -> None:
        full.told[params["EndpointName"]] = {"EndpointStatus": "Deleting"}

    sagemaker.meta.events.register("provide-client-params.sagemaker.DeleteEndpoint", leaves)
    deleted = "before-call.sagemaker.DeleteEndpoint"
    answer = (type("Answer", (), {"status_code": 200})(), {})
    sagemaker.meta.events.register(deleted, lambda **_: answer)

    for _ in range(3):
        full.run(minutes=5)
        assert full.told == {ale: {"EndpointStatus": "Deleting"}}
        # The job waits on, as its endpoint comes.
        assert asynchronous() == Endpoint(WINE, EndpointState.CREATING)
        assert (of("ale").reason, of("beer").ready) == (WHY, True)

    boto3.client("sagemaker").delete_endpoint(EndpointName=ale)
    full.run()
    assert asynchronous().ready


@pytest.mark.parametrize(
    "acceleration", [Acceleration(Accelerator.GPU), Acceleration(realtime=True)]
)
def test_what_runs_on_nothing_else_or_answers_calls_comes_before_idle_ones(
    full: World, acceleration: Acceleration
) -> None:
    publish(acceleration=acceleration)

    full.run()

    there = registered()
    assert there is not None
    best = there.realtime or there.asynchronous
    assert best is not None
    assert best.ready
    assert (of("ale").ready, of("beer").ready) == (False, True)


def test_a_job_that_comes_meanwhile_keeps_its_endpoint(full: World) -> None:
    """Between the look at all jobs and the removal."""
    publish("zest", acceleration=Acceleration(Accelerator.GPU))
    ale = of("ale").name
    once = iter([1])

    def arrives(**_: object) -> None:
        if next(once, None):
            work(1, at=full.now, model="ale")

    full.clients["sagemaker"].meta.events.register("before-call.sagemaker.ListModels", arrives)
    full.run()
    assert ale in standing()["endpoints"]
    assert of("ale").ready

    full.settle()
    assert (of("ale").ready, of("zest").ready, of("beer").ready) == (True, True, False)
    assert full.errors == []
