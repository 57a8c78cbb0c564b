"""The way over SageMaker in one process: `intake`, `hand_off`, `collect`, `batch` and `sweep`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import results_prefix
from headrace_runtime.batch.shard import Shard
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.signature import Signature
from tests import worlds
from tests.integration.file_door import FileDoor
from tests.integration.played_sagemaker import PlayedSageMaker

Start = Callable[..., ModuleType]
GPU = {
    "gpu_instance_type": "ml.g5.xlarge",
    "gpu_max_instances": 2,
    "gpu_cpu_limit_s": 3600.0,
    "gpu_monthly_usd": 100.0,
}
QUEUES = ("files", "shards", "parquet", "hand_off", "collect")
ROWS_AT_ONCE = 100


def published(
    model: str,
    graph: bytes,
    signature: Signature,
    *,
    accelerator: Accelerator = Accelerator.GPU,
    listening: bool = True,
) -> PlayedSageMaker:
    """Register a version that may run on a GPU, with an endpoint that is there, and play it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.worlds.rows_at_once", lambda *_, **__: ROWS_AT_ONCE)
        manifest = worlds.publish(
            model, graph, signature, acceleration=Acceleration(accelerator), archive=True
        )
    played = PlayedSageMaker(manifest, graph)
    open_endpoint(manifest)
    if listening:
        played.listen()
    return played


def open_endpoint(manifest: Manifest, state: str = "ready") -> None:
    """Write what `provision` writes once an endpoint is there."""
    endpoint = {"name": {"S": "ep"}, "state": {"S": state}, "reason": {"S": ""}}
    boto3.client("dynamodb").put_item(
        TableName="registry",
        Item={
            "pk": {"S": f"MODEL#{manifest.model}"},
            "sk": {"S": f"ENDPOINT#{manifest.version:09}"},
            "sagemaker_model": {"S": "hr-test-model"},
            "asynchronous": {"M": endpoint},
        },
    )


def open_gpu_door(function: Start, event: Any, context: Any, **changed: Any) -> "GpuDoor":
    """Have all functions between queues of their own; *changed* are settings of any."""
    sqs = boto3.client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
    settings = {
        "queue_url": urls["shards"],
        "files_queue_url": urls["files"],
        "shards_queue_url": urls["shards"],
        "parquet_queue_url": urls["parquet"],
        "hand_off_queue_url": urls["hand_off"],
        "collect_queue_url": urls["collect"],
        **GPU,
        **changed,
    }
    return GpuDoor(_Functions(function, settings), urls, event, context)


class _Functions(dict[str, ModuleType]):
    """Handlers by function, each started when it is first asked for."""

    def __init__(self, function: Start, settings: dict[str, Any]) -> None:
        super().__init__()
        self._start = partial(function, **settings)
        self._parquet = {"queue_url": settings["parquet_queue_url"]}

    def __missing__(self, name: str) -> ModuleType:
        own = self._parquet if name == "batch_parquet" else {}
        self[name] = self._start(name, **own)
        return self[name]


@dataclass
class GpuDoor:
    """The handlers between a dropped file and its results, by way of SageMaker."""

    functions: dict[str, ModuleType]
    urls: dict[str, str]
    event: Callable[..., dict[str, Any]]
    context: Any

    def __post_init__(self) -> None:
        self._sqs, self._s3 = boto3.client("sqs"), boto3.client("s3")
        dynamodb = boto3.client("dynamodb")
        self._jobs = Jobs("jobs", dynamodb=dynamodb)
        self._shards = Shards("jobs", dynamodb=dynamodb)
        self._items = partial(dynamodb.scan, TableName="jobs")

    def drop(self, key: str, body: bytes) -> str:
        """Take a file in; return its job's id."""
        door = FileDoor(self.functions["intake"], None, "", "", self.event, self.context)
        answer = self.functions["intake"].lambda_handler(door.drop(key, body), self.context)
        assert answer == {"batchItemFailures": []}
        items = self._items()["Items"]
        jobs = [json.loads(item["job"]["S"]) for item in items if item["sk"]["S"] == "JOB"]
        return next(job["job_id"] for job in jobs if job["source"]["key"] == key)

    def run(self, *names: str) -> None:
        """Work these queues, or all, until nothing waits in them; nothing may fail."""
        while sum(self._run_one(name) for name in names or QUEUES):
            pass

    def tell(self, *notices: dict[str, Any]) -> None:
        """Let `collect` have notices, in that order."""
        for told in notices:
            assert self.give("collect", told) == {"batchItemFailures": []}

    def give(self, name: str, message: dict[str, Any]) -> dict[str, Any]:
        """Let a function have a message; return its answer."""
        event = self.event("batch.shard")
        event["Records"][0]["body"] = json.dumps(message)
        return self.functions[name].lambda_handler(event, self.context)

    def sweep(self) -> None:
        """Let `sweep` look, as if what stands still had done so for long."""
        self.functions["sweep"].lambda_handler({}, self.context)

    def job(self, job_id: str) -> Job:
        return self._jobs.get(job_id)

    def shards(self, job_id: str) -> list[Shard]:
        return list(self._shards.of(job_id))

    def results(self, job_id: str) -> dict[str, bytes]:
        """Return the files of a job's results, by name."""
        s3, prefix = self._s3, self.job(job_id).target.prefix
        assert prefix == results_prefix(self.job(job_id).source.key, job_id)
        listed = s3.list_objects_v2(Bucket="results", Prefix=prefix).get("Contents", [])
        return {
            one["Key"].removeprefix(prefix): s3.get_object(Bucket="results", Key=one["Key"])[
                "Body"
            ].read()
            for one in listed
        }

    def staged(self) -> list[str]:
        """Return the keys of what lies in the staging bucket."""
        listed = self._s3.list_objects_v2(Bucket="staging").get("Contents", [])
        return [one["Key"] for one in listed]

    def _run_one(self, name: str) -> bool:
        takers = {"files": "intake", "shards": "batch", "parquet": "batch_parquet"}
        sqs, worked = self._sqs, False
        while messages := sqs.receive_message(
            QueueUrl=self.urls[name], MaxNumberOfMessages=1, AttributeNames=["All"]
        ).get("Messages"):
            sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=messages[0]["ReceiptHandle"])
            message = json.loads(messages[0]["Body"])
            assert self.give(takers.get(name, name), message) == {"batchItemFailures": []}
            worked = True
        return worked
