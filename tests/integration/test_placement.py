"""A dropped file's job says where it runs and why, from its making to its manifest."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.gpu_meter import GpuMeter
from headrace_runtime.aws.tickets import Ticket, Tickets
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n0,0,0,1\n"
GPU = {
    "gpu_instance_type": "ml.g5.xlarge",
    "gpu_max_instances": 2,
    "gpu_cpu_limit_s": 3600.0,
    "gpu_monthly_usd": 100.0,
}


@pytest.fixture
def linear(publish: Callable[..., Manifest]) -> Manifest:
    """A model that asks for a GPU, and has an archive for one."""
    return publish(
        "linear",
        onnx_models.linear(),
        onnx_models.linear_signature(),
        acceleration=Acceleration(Accelerator.GPU),
        archive=True,
    )


@pytest.fixture
def gpu_door(
    function: Callable[..., ModuleType], event: Any, context: Any, linear: Manifest
) -> FileDoor:
    """The door of a stage with GPUs; `shards` of what is handed over are those of `hand_off`."""
    url = boto3.client("sqs").create_queue(QueueName="hand-off")["QueueUrl"]
    door = open_door(function, event, context, hand_off_queue_url=url, **GPU)
    door.queue_url = url
    return door


@pytest.fixture
def door(
    function: Callable[..., ModuleType], event: Any, context: Any, linear: Manifest
) -> FileDoor:
    """The door of a stage without GPUs."""
    return open_door(function, event, context)


def dropped(door: FileDoor, body: bytes = CSV, **metadata: str) -> dict[str, Any]:
    """Drop a file for the model, and return its job."""
    door.take_in(door.drop("inbox/linear/rows.csv", body, **metadata))
    return door.jobs()[0]


def test_a_job_on_a_gpu_waits_for_who_hands_it_over(gpu_door):
    placement = dropped(gpu_door)["placement"]

    assert placement["engine"] == "sagemaker-async"
    assert placement["reason"].startswith("the model asks for a GPU, which answers it in about 486")
    assert placement["may_use_gpu"]
    (waiting,) = gpu_door.shards()
    assert json.loads(waiting["Records"][0]["body"])["shard"] == 0


def test_a_budget_that_is_spent_keeps_the_job_on_lambda(gpu_door):
    meter, now = GpuMeter("jobs", dynamodb=boto3.client("dynamodb")), datetime.now(UTC)
    meter.meter(now - timedelta(minutes=30), 0.0)
    meter.meter(now, 250.0)

    placement = dropped(gpu_door)["placement"]

    assert placement["engine"] == "lambda"
    assert "but GPUs have cost $125.00 this month" in placement["reason"]
    assert dict(placement["inputs"])["gpu_spent_usd"] == 125.0
    assert gpu_door.shards() == []


def test_the_manifest_of_the_results_says_where_they_were_made(door):
    dropped(door)
    door.work_all()

    placement = json.loads(door.results()["manifest.json"])["placement"]
    assert placement.keys() == {"engine", "reason", "inputs"}
    assert placement["engine"] == "lambda"
    assert placement["reason"].endswith("the model asks for a GPU, but this stage has none")
    inputs = placement["inputs"]
    assert (inputs["rows"], inputs["rows_are"], inputs["accelerator"]) == (3, "estimated", "gpu")


def test_a_file_that_cannot_be_a_job_is_placed_nowhere(door):
    assert dropped(door, b"")["placement"] is None


def test_a_deadline_is_a_wish_of_the_objects_metadata(door):
    job = dropped(door, **{"deadline-s": "600"})

    assert job["deadline_s"] == 600
    assert dict(job["placement"]["inputs"])["deadline_s"] == 600


def test_the_deadline_of_a_submission_waits_for_its_file(door):
    key = f"inbox/linear/{'0a' * 16}/rows.csv"
    Tickets("jobs", dynamodb=boto3.client("dynamodb")).put(key, Ticket(deadline_s=900))

    door.take_in(door.drop(key, CSV, **{"deadline-s": "never looked at"}))

    assert door.jobs()[0]["deadline_s"] == 900


@pytest.mark.parametrize("said", ["0", "604801", "10 s", "-5", "1.5", "", "9" * 40])
def test_what_is_no_deadline_fails_its_job_with_a_sentence(door, said):
    job = dropped(door, **{"deadline-s": said})

    assert job["state"] == "failed"
    assert "'deadline-s' must be a whole number of seconds from 1 to 604800" in job["error"]


def test_a_plan_is_made_as_the_job_would_be_placed(function, event, context, linear):
    submit = function("submit", **GPU)
    body = {"model": "linear", "rows": 1000, "size_bytes": 148_000, "deadline_s": 600}

    answer = submit.lambda_handler(event("submit.plan", body=json.dumps(body)), context)

    plan = json.loads(answer["body"])
    assert (plan["placement"], plan["shards"], plan["concurrency"]) == ("sagemaker-async", 1, 1)
    assert plan["reason"].startswith("the model asks for a GPU")
    first, second = plan["considered"]
    assert first == {
        "placement": "sagemaker-async",
        "seconds": plan["seconds"],
        "estimated_cost_usd": plan["estimated_cost_usd"],
    }
    assert (second["placement"], second["seconds"] < 10) == ("lambda", True)
