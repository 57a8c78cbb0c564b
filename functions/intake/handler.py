"""A dropped file becomes a job, cut into shards.

SQS message → which file (`dropped`) → job, made once, its version fixed (`intake`) → cut at true
boundaries of records, each shard queued for `batch` as it stands (`cutting`). A long cutting goes
on by a message of its own. What is no file is let go; a fault gives only its own message back.
"""

import json
import os
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.dropped import dropped_file
from headrace_runtime.aws.intake_worker import intake_of
from headrace_runtime.aws.retries import Retries
from headrace_runtime.batch.clock import Slice
from headrace_runtime.batch.job import Job
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.errors import Unavailable
from headrace_runtime.monitoring.invocation import Invocation
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import IntakeSettings

settings = IntakeSettings.from_env(os.environ)
invocations = watch("intake", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
sqs, events = boto3.client("sqs"), boto3.client("events")
intake = intake_of(settings, dynamodb=dynamodb, s3=s3, sqs=sqs, events=events)
retries = Retries(settings.files_queue_url, sqs=sqs)


def take_in(invocation: Invocation, record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Make the job of one event's file, or go on with a job that is made."""
    invocation.queued(int(record.attributes.sent_timestamp))
    try:
        job = job_of(record.body, lambda_context)
    except Exception as error:
        invocation.refused("Errors", type(error).__name__)
        log_failure(error, {**invocation.ids, "message_id": record.message_id})
        receives = int(record.attributes.approximate_receive_count)
        retries.soon(error, record.receipt_handle, receives)
        raise
    if job is None:
        logger.info("a message that tells of no dropped file was let go")
        return
    invocation.count(f"Jobs{job.state.title()}")
    logger.info("job", job_id=job.job_id, state=job.state, model=job.model, version=job.version)


def job_of(body: str, lambda_context: LambdaContext) -> Job | None:
    """Return the job that a message is about; None where it is about none.

    Raises:
        Unavailable: those before it in the batch took the time; nothing was begun.
    """
    time = Slice(lambda: lambda_context.get_remaining_time_in_millis() / 1000)
    if not time.lasts():
        raise Unavailable("too little time was left to begin with a file")
    begun = json.loads(body).get("cut")
    if begun is not None:
        return intake.go_on(begun, time)
    source = dropped_file(body)
    if source is None or source.bucket != settings.inbox_bucket:
        return None
    return intake.accept(source, datetime.now(UTC), time)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Take in every message; return those to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(event, partial(take_in, invocation), processor, context)
