"""The file door in one process: drop a file, take it in, work its shards, read what came."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import boto3


@dataclass
class FileDoor:
    """The handlers of `intake` and `batch`, and the buckets on both sides of them."""

    intake: ModuleType
    batch: ModuleType
    queue_url: str
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
            "version-id": put["VersionId"],
            "etag": put["ETag"].strip('"'),
        }
        event["Records"][0]["body"] = json.dumps(message)
        return event

    def take_in(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let `intake` have an event."""
        return self.intake.lambda_handler(event, self.context)

    def shards(self) -> list[dict[str, Any]]:
        """Take the events for `batch` out of the queue."""
        sqs, events = boto3.client("sqs"), []
        while True:
            answer = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=1)
            for message in answer.get("Messages", []):
                event = self.event("batch.shard")
                event["Records"][0]["body"] = message["Body"]
                events.append(event)
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            if "Messages" not in answer:
                return events

    def work(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let `batch` have an event."""
        return self.batch.lambda_handler(event, self.context)

    def answer(self, key: str, body: bytes) -> dict[str, bytes]:
        """Take a file through both functions; return the results by file name."""
        self.take_in(self.drop(key, body))
        for shard in self.shards():
            assert self.work(shard) == {"batchItemFailures": []}
        return self.results()

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
        return [json.loads(item["job"]["S"]) for item in items]
