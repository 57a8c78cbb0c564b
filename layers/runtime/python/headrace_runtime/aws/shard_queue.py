"""Messages about jobs, and the queues that they go to."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace_runtime.batch.job import Job
from headrace_runtime.codec.file_format import FileFormat

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class ShardQueue:
    """Queues work of jobs, each where the function takes it that can read the job's format.

    Args:
        shards_url: of `batch`.
        parquet_url: of `batch_parquet`.
        files_url: of `intake`, which cuts all files but Parquet; empty for who never asks it to.
    """

    def __init__(
        self, shards_url: str, parquet_url: str, files_url: str = "", *, sqs: "SQSClient"
    ) -> None:
        self._shards_url = shards_url
        self._parquet_url = parquet_url
        self._files_url = files_url
        self._sqs = sqs

    def shard(self, job: Job, number: int) -> None:
        """Let a shard be worked."""
        self._send(self._url(job), {"job_id": job.job_id, "shard": number})

    def close(self, job: Job) -> None:
        """Let a job be closed if that is due."""
        self._send(self._url(job), {"job_id": job.job_id, "close": True})

    def cut(self, job: Job) -> None:
        """Let a job's file be cut, from where it is cut to by now."""
        if _is_parquet(job):
            self._send(self._parquet_url, {"job_id": job.job_id, "cut": True})
        else:
            self._send(self._files_url, {"cut": job.job_id})

    def file(self, message: str) -> None:
        """Let a dropped file become a job, by a message as its event would be."""
        self._sqs.send_message(QueueUrl=self._files_url, MessageBody=message)

    def waiting(self, job: Job) -> int:
        """Return about how many messages wait where the job's do."""
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._url(job), AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def _url(self, job: Job) -> str:
        return self._parquet_url if _is_parquet(job) else self._shards_url

    def _send(self, url: str, message: Mapping[str, Any]) -> None:
        self._sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))


def _is_parquet(job: Job) -> bool:
    return job.content is not None and job.content.format is FileFormat.PARQUET
