"""What takes dropped files in, put together."""

from functools import partial
from typing import TYPE_CHECKING

from headrace_runtime.aws.announcing import Announcing
from headrace_runtime.aws.cutting import Cutting
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.intake import Intake
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.stage_means import means_now
from headrace_runtime.aws.tickets import Tickets
from headrace_runtime.batch import cuts
from headrace_runtime.batch.clock import Slice
from headrace_runtime.batch.job import Job
from headrace_runtime.codec.file_format import Compression
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.work_settings import IntakeSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


def intake_of(
    settings: IntakeSettings,
    *,
    dynamodb: "DynamoDBClient",
    s3: "S3Client",
    sqs: "SQSClient",
    events: "EventBridgeClient",
) -> Intake:
    """Return what makes jobs of dropped files and cuts them.

    Args:
        settings: the function's.
        dynamodb: holds jobs, shards and versions.
        s3: holds files and results.
        sqs: takes shards, and cuttings that go on.
        events: is told of jobs that end at once.
    """
    table = settings.jobs_table
    jobs, inbox = Jobs(table, dynamodb=dynamodb), Inbox(s3=s3)
    registry = Registry(settings.registry_table, dynamodb=dynamodb)
    queue = ShardQueue(
        settings.shards_queue_url,
        settings.parquet_queue_url,
        settings.files_queue_url,
        hand_off_url=settings.hand_off_queue_url,
        sqs=sqs,
    )

    def ends_of(job: Job, time: Slice) -> cuts.Ends:
        plain = job.known_content.compression is Compression.NONE
        return cuts.ends(
            partial(inbox.open, job.source),
            job.known_content,
            registry.manifest(*job.known_version).signature,
            size_bytes=job.source.size_bytes,
            start=job.cut.end,
            limit=ShardLimit(settings.shard_bytes, job.shard_rows),
            # What is compressed is undone from its beginning each time the cutting goes on.
            go_on=time.goes_on if plain else time.lasts,
        )

    return Intake(
        registry=registry,
        jobs=jobs,
        inbox=inbox,
        results=ResultsBucket(settings.results_bucket, s3=s3),
        tickets=Tickets(table, dynamodb=dynamodb),
        cutting=Cutting(
            jobs=jobs, shards=Shards(table, dynamodb=dynamodb), queue=queue, ends_of=ends_of
        ),
        queue=queue,
        announce=Announcing(table, dynamodb=dynamodb, events=events).announce,
        means=lambda now: means_now(settings, now, dynamodb=dynamodb),
    )
