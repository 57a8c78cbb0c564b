"""Messages about jobs, and the queues that they go to."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from headrace_runtime.batch.job import Job
from headrace_runtime.batch.shard import Shard
from headrace_runtime.codec.file_format import FileFormat

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_WAITING: Final = "ApproximateNumberOfMessages"
_DELAYED: Final = "ApproximateNumberOfMessagesDelayed"


class ShardQueue:
    """Queues work of jobs, each where the function takes it that can do it.

    Args:
        shards_url: of `batch`.
        parquet_url: of `batch_parquet`.
        files_url: of `intake`, which cuts all files but Parquet; empty for who never asks it to.
        hand_off_url: of `hand_off`, which gives shards to SageMaker; empty where nobody does.
        collect_url: of `collect`, which takes its answers; empty where nobody does.
    """

    def __init__(
        self,
        shards_url: str,
        parquet_url: str,
        files_url: str = "",
        *,
        hand_off_url: str = "",
        collect_url: str = "",
        sqs: "SQSClient",
    ) -> None:
        self._shards_url = shards_url
        self._parquet_url = parquet_url
        self._files_url = files_url
        self._hand_off_url = hand_off_url
        self._collect_url = collect_url
        self._sqs = sqs

    def shard(self, job: Job, number: int) -> None:
        """Let a new shard be worked."""
        self.again(job, Shard(job.job_id, number))

    def again(self, job: Job, shard: Shard) -> None:
        """Let a shard be worked on, by whoever is to do what comes next."""
        self._send(self._url(job, shard), {"job_id": job.job_id, "shard": shard.number})

    @property
    def collects(self) -> bool:
        """Whether somebody takes SageMaker's answers."""
        return bool(self._collect_url)

    def for_gpu(self, job: Job, shard: Shard) -> bool:
        """Return whether a shard goes to SageMaker yet, where the stage still has a way there."""
        return bool(self._hand_off_url) and shard.for_gpu(job)

    def unsent(self, job: Job, shard: Shard) -> None:
        """Let those bodies of a shard be sent that lie ready and were not."""
        self._send(self._hand_off_url, {"job_id": job.job_id, "shard": shard.number})

    def later(self, job: Job, shard: Shard, since: datetime, delay_s: int) -> None:
        """Let a shard be given to SageMaker later.

        Args:
            job: of the shard.
            shard: to be given.
            since: when SageMaker was first found to have no place for it.
            delay_s: 0 to 900.
        """
        message = {"job_id": job.job_id, "shard": shard.number, "since": since.isoformat()}
        self._sqs.send_message(
            QueueUrl=self._hand_off_url, MessageBody=json.dumps(message), DelaySeconds=delay_s
        )

    def close(self, job: Job) -> None:
        """Let a job be closed if that is due."""
        url = self._collect_url if job.on_gpu else ""
        self._send(url or self._cpu_url(job), {"job_id": job.job_id, "close": True})

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
        urls = [self._cpu_url(job)]
        if job.on_gpu:
            urls += [url for url in (self._hand_off_url, self._collect_url) if url]
        return sum(self._count(url) for url in urls)

    def _count(self, url: str) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _DELAYED])
        return sum(int(answer["Attributes"].get(name, 0)) for name in (_WAITING, _DELAYED))

    def _url(self, job: Job, shard: Shard) -> str:
        if shard.handed is not None:
            return self._collect_url
        return self._hand_off_url if self.for_gpu(job, shard) else self._cpu_url(job)

    def _cpu_url(self, job: Job) -> str:
        return self._parquet_url if _is_parquet(job) else self._shards_url

    def _send(self, url: str, message: Mapping[str, Any]) -> None:
        self._sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))


def _is_parquet(job: Job) -> bool:
    return job.content is not None and job.content.format is FileFormat.PARQUET
