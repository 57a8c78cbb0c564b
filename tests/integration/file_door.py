"""The file door in one process: drop a file, take it in, work its shards, read what came."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import boto3

from headrace_runtime.aws.job_items import job_of

Start = Callable[..., ModuleType]


def open_door(
    function: Start, event: Callable[..., dict[str, Any]], context: Any, **changed: Any
) -> "FileDoor":
    """Start both functions, between queues of their own; *changed* are settings of both."""
    sqs = boto3.client("sqs")
    shards, files = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("shards", "files"))
    intake = function("intake", shards_queue_url=shards, files_queue_url=files, **changed)
    return FileDoor(
        intake, function("batch", queue_url=shards, **changed), shards, files, event, context
    )


@dataclass
class FileDoor:
    """The handlers of `intake` and `batch`, and the buckets on both sides of them."""

    intake: ModuleType
    batch: ModuleType
    queue_url: str
    files_url: str
    event: Callable[..., dict[str, Any]]
    context: Any

    def drop(self, key: str, body: bytes, **metadata: str) -> dict[str, Any]:
        """Put an object in the inbox; return the event that tells of it."""
        s3 = boto3.client("s3")
        put = s3.put_object(Bucket="inbox", Key=key, Body=body, Metadata=metadata)
        event = self.event("intake.csv")
        message = json.loads(event["Records"][0]["body"])
        message["detail"]["object"] |= {
            "key": key,
            "size": len(body),
            "version-id": put.get("VersionId", "null"),
            "etag": put["ETag"].strip('"'),
        }
        event["Records"][0]["body"] = json.dumps(message)
        return event

    def take_in(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let `intake` have an event."""
        return self.intake.lambda_handler(event, self.context)

    def shards(self) -> list[dict[str, Any]]:
        """Take the events for `batch` out of the queue."""
        return self._messages(self.queue_url, "batch.shard")

    def cuttings(self) -> list[dict[str, Any]]:
        """Take the events for `intake` out of its own queue."""
        return self._messages(self.files_url, "intake.csv")

    def _messages(self, url: str, sample: str) -> list[dict[str, Any]]:
        sqs, events = boto3.client("sqs"), []
        while True:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
            for message in answer.get("Messages", []):
                event = self.event(sample)
                event["Records"][0]["body"] = message["Body"]
                events.append(event)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if "Messages" not in answer:
                return events

    def work(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let `batch` have an event."""
        return self.batch.lambda_handler(event, self.context)

    def answer(self, key: str, body: bytes) -> dict[str, bytes]:
        """Take a file through both functions; return the results by file name."""
        self.take_in(self.drop(key, body))
        self.work_all()
        return self.results()

    def work_all(self) -> None:
        """Work until nothing waits any more."""
        while waiting := [*self.cuttings(), *self.shards()]:
            for event in waiting:
                body = json.loads(event["Records"][0]["body"])
                answer = self.work(event) if "job_id" in body else self.take_in(event)
                assert answer == {"batchItemFailures": []}

    def results(self) -> dict[str, bytes]:
        """Return what stands in the results bucket, by file name."""
        return {key.rsplit("/", 1)[-1]: body for key, body in self.objects().items()}

    def objects(self) -> dict[str, bytes]:
        """Return what stands in the results bucket, by key."""
        s3 = boto3.client("s3")
        listed = s3.list_objects_v2(Bucket="results").get("Contents", [])
        return {
            entry["Key"]: s3.get_object(Bucket="results", Key=entry["Key"])["Body"].read()
            for entry in listed
        }

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs, as their table holds them."""
        items = boto3.client("dynamodb").scan(TableName="jobs")["Items"]
        return [asdict(job_of(item)) for item in items if item["sk"]["S"] == "JOB"]
