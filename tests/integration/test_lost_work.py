"""Work that was lost goes on: without its event, its message, its state, the news of its end."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.job_items import job_key
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shards import Shards
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"
LATER = timedelta(minutes=11)


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context)


@pytest.fixture
def sweep(
    door: FileDoor,
    function: Callable[..., ModuleType],
    event: Any,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, int]]:
    """Run the function, eleven minutes from now or whenever else."""
    handler = function("sweep", files_queue_url=door.files_url, shards_queue_url=door.queue_url)

    def run(after: timedelta = LATER) -> dict[str, int]:
        class Later(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) + after

        monkeypatch.setattr(handler, "datetime", Later)
        return handler.lambda_handler(event("sweep.schedule"), context)

    return run


@pytest.mark.fault("F24")
def test_a_file_whose_event_was_lost_becomes_a_job(door: FileDoor, sweep: Any) -> None:
    door.drop("linear/rows.csv", CSV)
    door.drop("linear/folder/", b"")

    found = sweep()
    door.work_all()

    assert found == {"file": 1}
    assert [(job["state"], job["counts"]["rows_ok"]) for job in door.jobs()] == [("partial", 2)]


@pytest.mark.fault("F24")
def test_nothing_is_missed_before_its_time(door: FileDoor, sweep: Any) -> None:
    door.drop("linear/new.csv", CSV)
    door.take_in(door.drop("linear/begun.csv", CSV))
    door.shards()

    assert sweep(timedelta(minutes=9)) == {}


@pytest.mark.fault("F24")
def test_a_shard_whose_message_was_lost_is_queued_again(door: FileDoor, sweep: Any) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    lost = door.shards()

    found = sweep()
    door.work_all()

    assert len(lost) == 1
    assert found == {"shard": 1}
    assert door.jobs()[0]["state"] == "partial"


def test_a_shard_that_waits_in_its_queue_is_not_queued_twice(door: FileDoor, sweep: Any) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))

    assert sweep() == {}
    assert len(door.shards()) == 1


@pytest.mark.fault("F6", "F17")
def test_a_shard_whose_worker_died_is_queued_again_once_its_lease_is_over(
    door: FileDoor, sweep: Any
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    door.shards()
    shards = Shards("jobs", dynamodb=boto3.client("dynamodb"))
    waiting = shards.get(door.jobs()[0]["job_id"], 0)
    shards.move(waiting, waiting.start(datetime.now(UTC), 900))

    assert sweep() == {}
    assert sweep(timedelta(minutes=16)) == {"shard": 1}


@pytest.mark.fault("F6")
def test_a_cutting_that_broke_off_goes_on(door: FileDoor, sweep: Any) -> None:
    class Crash(Exception):
        pass

    def crash(**_: Any) -> None:
        raise Crash

    client = door.intake.dynamodb
    client.meta.events.register("before-call.dynamodb.TransactWriteItems", crash)
    answer = door.take_in(door.drop("linear/rows.csv", CSV))
    client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", crash)

    found = sweep()
    door.work_all()

    assert len(answer["batchItemFailures"]) == 1
    assert found == {"cut": 1}
    assert door.jobs()[0]["state"] == "partial"


@pytest.mark.fault("F23")
def test_results_without_a_state_get_it_from_their_manifest(door: FileDoor, sweep: Any) -> None:
    door.answer("linear/rows.csv", CSV)
    job = Jobs("jobs", dynamodb=boto3.client("dynamodb")).get(door.jobs()[0]["job_id"])
    boto3.client("dynamodb").update_item(  # as it was before the last step
        TableName="jobs",
        Key=job_key(job.job_id),
        UpdateExpression="SET #state = :running, unfinished = :yes",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":running": {"S": "running"}, ":yes": {"S": "1"}},
    )

    assert sweep() == {"state": 1}
    assert door.jobs()[0]["state"] == "partial"
    assert sweep() == {}


def test_a_job_that_was_stopped_and_that_nobody_works_is_closed(door: FileDoor, sweep: Any) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    door.shards()
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    jobs.change(door.jobs()[0]["job_id"], lambda job: job.asked_to_cancel())

    found = sweep()
    door.work_all()

    assert found == {"end": 1}
    assert json.loads(door.results()["manifest.json"])["state"] == "cancelled"


@pytest.mark.fault("F23")
def test_an_end_that_nobody_was_told_of_is_told(door: FileDoor, sweep: Any) -> None:
    def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
        class Http:
            status_code = 500

        return Http(), {"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {}}

    door.take_in(door.drop("linear/rows.csv", CSV))
    events = door.batch.events
    events.meta.events.register("before-call.events.PutEvents", refuse)
    answer = door.work(door.shards()[0])
    events.meta.events.unregister("before-call.events.PutEvents", refuse)
    ended = door.jobs()[0]["state"]

    assert len(answer["batchItemFailures"]) == 1
    assert ended == "partial"
    assert sweep() == {"event": 1}
    assert sweep() == {}


def test_a_job_that_cannot_be_mended_keeps_no_other_from_it(door: FileDoor, sweep: Any) -> None:
    for name in ("a", "b"):
        door.take_in(door.drop(f"linear/{name}.csv", CSV))
    door.shards()
    spoilt = door.jobs()[0]["job_id"]
    boto3.client("dynamodb").delete_item(TableName="jobs", Key=_shard_key(spoilt))
    boto3.client("dynamodb").put_item(
        TableName="jobs", Item={**_shard_key(spoilt), "shard": {"S": "no JSON"}}
    )

    assert sweep() == {"shard": 1}


def _shard_key(job_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "SHARD#00000000"}}
