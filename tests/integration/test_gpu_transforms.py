"""A huge job is one transform job, and what that leaves is another."""

import json
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.aws.transforms import Transforms
from headrace_runtime.batch.placement import Engine
from headrace_runtime.batch.shard import ShardState
from tests import onnx_models
from tests.integration.gpu_door import GpuDoor, open_gpu_door, published
from tests.integration.played_sagemaker import PlayedSageMaker
from tests.integration.test_gpu_jobs import csv

ROWS = 3000
TYPES = ("ml.g6.xlarge", "ml.g5.xlarge", "ml.g4dn.xlarge")


@pytest.fixture
def played(aws: None) -> PlayedSageMaker:
    return published("linear", onnx_models.linear(), onnx_models.linear_signature())


@pytest.fixture
def door(
    played: PlayedSageMaker,
    function: Any,
    event: Any,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> GpuDoor:
    """Shards of some thousand records, all jobs so large that a transform job takes them."""
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.BLOCK_BYTES", 4 << 10)
    monkeypatch.setattr("headrace_runtime.batch.placement._MAX_SHARDS", 1)
    types = ",".join(TYPES)
    return open_gpu_door(function, event, context, shard_bytes=10_000, gpu_instance_types=types)


def started(event: Any, name: str) -> dict[str, Any]:
    """Return the event that tells of a transform job's change."""
    told = json.loads(event("collect.transform")["Records"][0]["body"])
    told["detail"]["TransformJobName"] = name
    return told


def types(played: PlayedSageMaker) -> dict[str, str]:
    """Return on which instance type each transform job runs."""
    asked = played.transforms.items()
    return {name: one["TransformResources"]["InstanceType"] for name, one in asked}


def test_it_starts_once_when_every_shard_lies_ready(played, door):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run("files")
    assert door.job(job_id).placement.engine is Engine.TRANSFORM
    shards = door.job(job_id).cut.shards
    assert shards > 2
    for number in range(shards - 1):
        door.give("hand_off", {"job_id": job_id, "shard": number})
    assert played.transforms == {}

    for _ in range(3):
        door.give("hand_off", {"job_id": job_id, "shard": shards - 1})

    (name,) = played.transforms
    assert name == f"hr-test-{job_id}-1"
    asked = played.transforms[name]
    assert asked["ModelName"] == "hr-test-model"
    assert asked["TransformOutput"]["S3OutputPath"] == "s3://staging/out/"
    assert sorted(played.bodies(name)) == sorted(
        key.removeprefix("in/") for key in door.staged() if key.startswith("in/")
    )
    assert played.taken == []


def test_its_outputs_are_collected_shard_by_shard_whoever_tells(played, door, event):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    (name,) = played.transforms
    door.tell(started(event, name))  # it has just begun
    assert door.job(job_id).state == "running"

    played.transform(name)
    door.tell(started(event, name), started(event, name))
    door.run()

    assert door.job(job_id).counts.rows_in == ROWS
    assert door.job(job_id).counts.rows_failed == ROWS // 100
    assert {shard.state for shard in door.shards(job_id)} == {ShardState.DONE}


@pytest.mark.fault("F34")
def test_one_bad_body_fails_the_job_and_only_what_lacks_an_output_is_tried_again(
    played, door, event
):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    (name,) = played.transforms
    bad = played.bodies(name)[:1]
    played.transform(name, failing=set(bad))
    door.tell(started(event, name))
    door.run()

    second = f"hr-test-{job_id}-2"
    assert played.bodies(second) == bad
    played.transform(second)
    door.tell(started(event, second))
    door.run()
    assert door.job(job_id).counts.rows_in == ROWS
    assert not any(shard.on_cpu for shard in door.shards(job_id))


@pytest.mark.fault("F34")
def test_a_body_that_fails_each_time_costs_its_shard_alone_the_gpu(played, door, event):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    bad = set(played.bodies(f"hr-test-{job_id}-1")[-1:])
    for round_ in (1, 2, 3):
        name = f"hr-test-{job_id}-{round_}"
        played.transform(name, failing=bad)
        door.tell(started(event, name))
        door.run()

    assert [shard.on_cpu for shard in door.shards(job_id)].count(True) == 1
    assert door.job(job_id).counts.rows_in == ROWS


@pytest.mark.fault("F35")
def test_one_whose_end_nobody_was_told_is_found_by_the_sweeper(
    function, played, event, context, door
):
    urls = {f"{name}_queue_url": url for name, url in door.urls.items()}
    door.functions["sweep"] = function("sweep", patience_s=0, **urls)
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    played.transform(f"hr-test-{job_id}-1")

    door.sweep()
    door.run()

    assert door.job(job_id).counts.rows_in == ROWS


def test_a_job_that_is_cancelled_stops_it(played, door):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    settling = door.functions["collect"].settling
    settling.queue.close(settling.jobs.change(job_id, lambda job: job.asked_to_cancel()))
    door.run("collect")
    door.tell({"detail-type": "Job Ended", "detail": {"job_id": job_id}})

    assert played.statuses == {f"hr-test-{job_id}-1": "Stopped"}
    assert door.job(job_id).state == "cancelled"


def test_where_the_account_has_no_quota_of_an_instance_type_the_next_one_is_taken(played, door):
    played.no_quota = frozenset({"ml.g6.xlarge", "ml.g5.xlarge"})
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()

    assert types(played) == {f"hr-test-{job_id}-1": "ml.g4dn.xlarge"}
    assert not any(shard.on_cpu for shard in door.shards(job_id))


@pytest.mark.fault("F34")
def test_after_a_round_that_failed_the_next_one_begins_with_the_next_instance_type(
    played, door, event
):
    played.no_quota = frozenset({"ml.g5.xlarge"})
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    for round_ in (1, 2):
        name = f"hr-test-{job_id}-{round_}"
        played.statuses[name] = "Failed"  # CapacityError: there was no instance
        door.tell(started(event, name))
        door.run()

    assert types(played) == {
        f"hr-test-{job_id}-1": "ml.g6.xlarge",
        f"hr-test-{job_id}-2": "ml.g4dn.xlarge",
        f"hr-test-{job_id}-3": "ml.g4dn.xlarge",
    }


def test_one_that_sagemaker_refuses_on_all_instance_types_is_worked_on_lambda(played, door):
    played.no_quota = frozenset(TYPES)
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()

    assert door.job(job_id).counts.rows_in == ROWS
    assert {shard.on_cpu for shard in door.shards(job_id)} == {True}
    assert door.job(job_id).placement.fell_back.endswith(
        "SageMaker refused its transform job (ResourceLimitExceeded)"
    )


@pytest.mark.fault("F34")
def test_one_that_completed_and_left_nothing_is_not_paid_for_again(played, door, event):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    name = f"hr-test-{job_id}-1"
    played.statuses[name] = "Completed"  # its outputs lie where nobody looks for them
    door.tell(started(event, name))
    door.run()

    assert list(played.transforms) == [name]
    assert door.job(job_id).counts.rows_in == ROWS
    assert door.job(job_id).placement.fell_back.endswith(
        "its transform job completed, and left no output where it is to be"
    )


def test_who_finds_no_quota_left_as_somebody_else_took_it_leaves_it_to_them(played, door):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    (first,) = played.transforms
    played.no_quota = frozenset(TYPES)
    state, asked = Transforms.state, []

    def unseen_at_first(self: Transforms, name: str) -> str | None:
        asked.append(name)
        return state(self, name) if len(asked) > 1 else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transforms, "state", unseen_at_first)
        door.give("hand_off", {"job_id": job_id, "shard": 0})

    assert asked
    assert list(played.transforms) == [first]
    assert not any(shard.on_cpu for shard in door.shards(job_id))


def test_one_that_takes_long_is_waited_for(played, door, monkeypatch):
    monkeypatch.setattr("headrace_runtime.aws.sending._TRANSFORM_S", -9999)
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    for shard in door.shards(job_id):
        door.give("collect", {"job_id": job_id, "shard": shard.number})
    door.run()

    assert list(played.transforms) == [f"hr-test-{job_id}-1"]


def test_a_job_cancelled_while_its_transform_job_is_started_stops_it(played, door):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run("files")
    jobs = door.functions["collect"].settling.jobs
    played.on_create = lambda: jobs.change(job_id, lambda job: job.asked_to_cancel())
    door.run("hand_off")

    assert played.statuses == {f"hr-test-{job_id}-1": "Stopped"}


def test_a_last_shard_that_goes_back_to_lambda_starts_those_that_waited_for_it(played, door):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run("files")
    boto3.client("sqs").purge_queue(QueueUrl=door.urls["hand_off"])
    *others, last = range(door.job(job_id).cut.shards)
    for number in others:
        door.give("hand_off", {"job_id": job_id, "shard": number})
    assert played.transforms == {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headrace_runtime.aws.staging.MAX_BODIES", 1)
        door.give("hand_off", {"job_id": job_id, "shard": last})
    door.run("hand_off")

    assert list(played.transforms) == [f"hr-test-{job_id}-1"]


def test_where_the_quota_is_one_instance_a_job_has_one(played, door):
    played.most_instances = 1
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()

    (asked,) = played.transforms.values()
    assert asked["TransformResources"]["InstanceType"] == TYPES[0]
    assert asked["TransformResources"]["InstanceCount"] == 1
    assert not any(shard.on_cpu for shard in door.shards(job_id))


def test_one_that_completes_just_after_it_was_looked_at_has_left_what_it_left(
    played, door, event, monkeypatch
):
    job_id = door.drop("linear/rows.csv", csv(ROWS))
    door.run()
    (name,) = played.transforms
    outputs = StagingBucket.outputs

    def ends_meanwhile(self: StagingBucket, place: str) -> set[int]:
        found = outputs(self, place)
        if played.statuses[name] == "InProgress":
            played.transform(name)
        return found

    monkeypatch.setattr(StagingBucket, "outputs", ends_meanwhile)
    door.give("collect", {"job_id": job_id, "shard": 0})
    door.tell(started(event, name))
    door.run()

    assert door.job(job_id).state == "partial"
    assert not any(shard.on_cpu for shard in door.shards(job_id))
