"""What was lost is found: files without a job, results without a state, work without a message."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from headrace_runtime.aws.announcing import Announce, Announcing
from headrace_runtime.aws.dropped import dropped_message
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.job_ending import earlier_ending, state_written
from headrace_runtime.aws.job_items import UNFINISHED, job_of
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.clock import Slice
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.batch.shard import ShardState
from headrace_runtime.batch.source import Source
from headrace_runtime.work_settings import SweepSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# A file that lay in the inbox longer than this was looked for again and again before.
_LOOKED_FOR = timedelta(days=1)

# Files that are looked up together; DynamoDB takes no more.
_AT_ONCE = 100

OnFailure = Callable[[Exception, Mapping[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """Looks at what should have moved and did not; whatever it does twice has no second effect.

    Attributes:
        table: the jobs' table, which has the index `unfinished`.
        patience: for how long nothing is missed.
    """

    table: str
    jobs: Jobs
    shards: Shards
    inbox: Inbox
    inbox_bucket: str
    results: ResultsBucket
    queue: ShardQueue
    announce: Announce
    patience: timedelta
    dynamodb: "DynamoDBClient"

    def sweep(self, now: datetime, time: Slice, on_failure: OnFailure) -> Iterator[str]:
        """Mend what is to be mended, while there is time; yield what each thing lacked.

        Args:
            now: the time.
            time: of this look; what it does not reach is looked at the next time.
            on_failure: told of each fault, with the job's id; others are looked at all the same.
        """
        for job in self._standing_still(now):
            if not time.lasts():
                return
            try:
                lacked = self._mend(job, now)
            except Exception as error:  # noqa: BLE001 - one that cannot be mended keeps no other from it
                on_failure(error, {"job_id": job.job_id})
                continue
            if lacked:
                yield lacked
        dropped = self._dropped(now, time)
        while time.lasts() and (some := list(islice(dropped, _AT_ONCE))):
            try:
                for lost in self._lost(some):
                    self.queue.file(dropped_message(lost))
                    yield "file"
            except Exception as error:  # noqa: BLE001 - as above; the next sweep looks at them again
                on_failure(error, {"job_id": job_id(some[0])})

    def _standing_still(self, now: datetime) -> Iterator[Job]:
        """Yield jobs that have not ended, or were not told of, and did not change for long."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="unfinished",
            KeyConditionExpression="unfinished = :yes AND changed_at < :before",
            ExpressionAttributeValues={
                ":yes": {"S": UNFINISHED},
                ":before": {"S": (now - self.patience).isoformat()},
            },
        )
        for page in pages:
            yield from map(job_of, page["Items"])

    def _mend(self, job: Job, now: datetime) -> str:
        """Let a job move on that stands still; return what it lacked, "" if nothing."""
        job = self.jobs.get(job.job_id)
        if job.state.final:
            self.announce(job)
            return "event"
        ended = earlier_ending(job, self.results)
        if ended is not None:
            state_written(ended, jobs=self.jobs, announce=self.announce)
            return "state"
        if job.closing or job.stop or (job.cut.complete and job.shards_done >= job.cut.shards):
            self.queue.close(job)
            return "end"
        return self._work(job, now)

    def _work(self, job: Job, now: datetime) -> str:
        """Queue again what nobody works, if no message waits that may be its own."""
        if self.queue.waiting(job):
            return ""
        lost = [
            shard
            for shard in self.shards.of(job.job_id)
            if shard.state is not ShardState.DONE and not shard.held(now)
        ]
        for shard in lost:
            orphaned = shard.handed is not None and not self.queue.collects
            back = self.shards.move(shard, shard.given_back()) if orphaned else shard
            self.queue.again(job, back)
        if job.cut.complete:
            return "shard" if lost else ""
        self.queue.cut(job)
        return "cut"

    def _dropped(self, now: datetime, time: Slice) -> Iterator[Source]:
        """Yield the files that were dropped long enough ago to be jobs, and not too long ago.

        Of a full inbox there may be pages without any: the time is looked at all the same.
        """
        for source, dropped_at in self.inbox.dropped(self.inbox_bucket):
            if not time.lasts():
                return
            if self.patience < now - dropped_at < _LOOKED_FOR:
                yield source

    def _lost(self, files: Sequence[Source]) -> list[Source]:
        """Return those of some files that are no jobs."""
        jobs = {job_id(file): file for file in files}
        return [jobs[identity] for identity in self.jobs.missing(list(jobs))]


def sweeping_of(
    settings: SweepSettings,
    *,
    dynamodb: "DynamoDBClient",
    s3: "S3Client",
    sqs: "SQSClient",
    events: "EventBridgeClient",
) -> Sweeping:
    """Return what looks for what was lost.

    Args:
        settings: the function's.
        dynamodb: holds jobs and shards.
        s3: holds files and results.
        sqs: takes work again.
        events: is told of ends that nobody was told of.
    """
    table = settings.jobs_table
    return Sweeping(
        table=table,
        jobs=Jobs(table, dynamodb=dynamodb),
        shards=Shards(table, dynamodb=dynamodb),
        inbox=Inbox(s3=s3),
        inbox_bucket=settings.inbox_bucket,
        results=ResultsBucket(settings.results_bucket, s3=s3),
        queue=ShardQueue(
            settings.shards_queue_url,
            settings.parquet_queue_url,
            settings.files_queue_url,
            hand_off_url=settings.hand_off_queue_url,
            collect_url=settings.collect_queue_url,
            sqs=sqs,
        ),
        announce=Announcing(table, dynamodb=dynamodb, events=events).announce,
        patience=timedelta(seconds=settings.patience_s),
        dynamodb=dynamodb,
    )
