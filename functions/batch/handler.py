"""A shard of a job is worked.

SQS message → lease on the shard → records read, run, written as a part; the last part closes the
job: results → errors → manifest → state (`shard_work`, `job_closing`). What is left when the time
is over is queued again; a shard that another worker has, or that broke off, comes again soon.
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

from headrace_runtime.aws.batch_worker import model_process, shard_work
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.retries import Retries
from headrace_runtime.batch.file_formats import Opened, Wanted, opened
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.parts import one_file
from headrace_runtime.batch.shard import Range
from headrace_runtime.edge.job_messages import JobMessages
from headrace_runtime.edge.shard_messages import asked_of_shards
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import BatchSettings

settings = BatchSettings.from_env(os.environ)
invocations = watch("batch", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
sqs, events = boto3.client("sqs"), boto3.client("events")
inbox, models = Inbox(s3=s3), model_process(settings, s3=s3)


def opener(job: Job, wanted: Wanted, of: Range) -> Opened:
    """Open a range of a job's file."""
    return opened(partial(inbox.open, job.source), job.known_content, wanted, of)


work = shard_work(
    settings,
    dynamodb=dynamodb,
    s3=s3,
    sqs=sqs,
    events=events,
    price=invocations.price.usd,
    models=models,
    opener=opener,
    assemble=lambda _, parts: one_file(parts),
)
messages = JobMessages(
    asked_of_shards(work=work.work, close=work.closing.close_if_due),
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
