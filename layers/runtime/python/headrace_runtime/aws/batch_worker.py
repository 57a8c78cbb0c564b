"""What works jobs, put together: `batch` and `batch_parquet` differ in what they read."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from headrace_runtime.aws.announcing import Announcing
from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.aws.job_closing import Assemble, JobClosing
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.model_runs import model_runs
from headrace_runtime.aws.part_join import PartJoin
from headrace_runtime.aws.quarantine import Quarantine
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shard_work import ShardWork
from headrace_runtime.aws.shard_writing import Opener, ShardWriting
from headrace_runtime.aws.shards import Shards
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.work_settings import BatchSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


def model_process(settings: BatchSettings, *, s3: "S3Client") -> ModelProcess:
    """Return what runs models in a process of their own.

    Args:
        settings: the function's.
        s3: holds the models.
    """
    return ModelProcess(
        threads=settings.threads,
        memory_bytes=settings.models_memory_mb << 20,
        fetched=Artifacts(settings.models_bucket, s3=s3).fetched,
    )


def shard_work(
    settings: BatchSettings,
    *,
    dynamodb: "DynamoDBClient",
    s3: "S3Client",
    sqs: "SQSClient",
    events: "EventBridgeClient",
    price: Callable[[int], float],
    models: ModelProcess,
    opener: Opener,
    assemble: Assemble,
) -> ShardWork:
    """Return what works shards.

    Args:
        settings: the function's.
        dynamodb: holds jobs, shards and versions.
        s3: holds files, models and results.
        sqs: takes what is left for another run.
        events: is told of jobs that end.
        price: says what so many nanoseconds of the function cost, in USD.
        models: runs them.
        opener: opens a range of a job's file.
        assemble: says which parts make the file of results.
    """
    jobs = Jobs(settings.jobs_table, dynamodb=dynamodb)
    shards = Shards(settings.jobs_table, dynamodb=dynamodb)
    results = ResultsBucket(settings.results_bucket, s3=s3)
    announcing = Announcing(settings.jobs_table, dynamodb=dynamodb, events=events)
    return ShardWork(
        jobs=jobs,
        shards=shards,
        registry=Registry(settings.registry_table, dynamodb=dynamodb),
        quarantine=Quarantine(settings.jobs_table, dynamodb=dynamodb),
        writing=ShardWriting(
            results,
            opener=opener,
            runs_of=model_runs(models, rows_at_once=settings.batch_rows),
        ),
        closing=JobClosing(
            jobs=jobs,
            shards=shards,
            results=results,
            assemble=assemble,
            join=PartJoin(results, s3=s3).join,
            announce=announcing.announce,
        ),
        queue=ShardQueue(
            settings.queue_url,
            settings.queue_url,
            hand_off_url=settings.hand_off_queue_url,
            sqs=sqs,
        ),
        price=price,
    )
