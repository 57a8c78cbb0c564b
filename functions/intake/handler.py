"""A dropped file becomes a job.

SQS message → which file (`dropped`) → job, made once, its version fixed (`intake`) → its shards in
the queue of `batch`. What is no file is let go; a fault gives only its own message back.
"""

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
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.intake import Intake
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.monitoring.invocation import Invocation
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import IntakeSettings

settings = IntakeSettings.from_env(os.environ)
invocations = watch("intake", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
intake = Intake(
    registry=Registry(settings.registry_table, dynamodb=dynamodb),
    jobs=Jobs(settings.jobs_table, dynamodb=dynamodb),
    inbox=Inbox(s3=s3),
    results=ResultsBucket(settings.results_bucket, s3=s3),
    sqs=boto3.client("sqs"),
    queue_url=settings.shards_queue_url,
)


def take_in(invocation: Invocation, record: SQSRecord) -> None:
    """Make the job of one event's file."""
    invocation.queued(int(record.attributes.sent_timestamp))
    source = dropped_file(record.body)
    if source is None or source.bucket != settings.inbox_bucket:
        logger.info("a message that tells of no dropped file was let go")
        return
    try:
        job = intake.accept(source, datetime.now(UTC))
    except Exception as error:
        invocation.refused("Errors", type(error).__name__)
        log_failure(error, {**invocation.ids, "message_id": record.message_id})
        raise
    invocation.count(f"Jobs{job.state.title()}")
    logger.info("job", job_id=job.job_id, state=job.state, model=job.model, version=job.version)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Take in every message; return those to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(event, partial(take_in, invocation), processor, context)
