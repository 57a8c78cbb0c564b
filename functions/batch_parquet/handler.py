"""A Parquet file is cut into shards, and they are worked: as `batch` does, but read at random.

SQS message → cut at row groups, each shard queued here again; or lease on the shard → records
read, run, written as a part; the last part closes the job. No other function pays for what
Parquet needs.
"""

import os
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.any_format import AnyFormat
from headrace_runtime.aws.batch_worker import model_process, shard_work
from headrace_runtime.aws.cutting import Cutting
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.retries import Retries
from headrace_runtime.batch.clock import Clock, Slice
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.parquet_formats import parquet_ends
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.edge.job_messages import JobMessages
from headrace_runtime.edge.shard_messages import asked_of_shards
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import BatchSettings

settings = BatchSettings.from_env(os.environ)
invocations = watch("batch_parquet", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
sqs, events = boto3.client("sqs"), boto3.client("events")
inbox, models = Inbox(s3=s3), model_process(settings, s3=s3)
files = AnyFormat(inbox, ResultsBucket(settings.results_bucket, s3=s3))

work = shard_work(
    settings,
    dynamodb=dynamodb,
    s3=s3,
    sqs=sqs,
    events=events,
    price=invocations.price.usd,
    models=models,
    opener=files.open,
    assemble=files.assemble,
)


cutting = Cutting(
    jobs=work.jobs,
    shards=work.shards,
    queue=work.queue,
    ends_of=lambda job, _: parquet_ends(
        inbox.at_random(job.source),
        job.cut.end,
        ShardLimit(settings.shard_bytes, job.shard_rows),
    ),
)


def cut(job_id: str, clock: Clock) -> Job:
    """Cut a file from where it is cut to by now."""
    return cutting.go_on(work.jobs.get(job_id), Slice(clock.left_s))


messages = JobMessages(
    asked_of_shards(work=work.work, close=work.closing.close_if_due, cut=cut),
    retry=Retries(settings.queue_url, sqs=sqs).soon,
    logger=logger,
)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Work every message; return those to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(
            event, partial(messages.take, invocation), processor, context
        )
