"""Who asked to be told of a job's end is told.

Message with the event of an end → the job's webhook, whose secret only the table has → signed call.
What is not taken now comes again; what never will be is given up: the results stand without it.
"""

import json
import os
import time
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.webhook_call import WebhookCall
from headrace_runtime.batch.webhook import ended_body, signed_headers
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.errors import JobNotFound
from headrace_runtime.monitoring.invocation import Invocation
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import NotifySettings

settings = NotifySettings.from_env(os.environ)
invocations = watch("notify", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
jobs = Jobs(settings.jobs_table, dynamodb=boto3.client("dynamodb"))
webhooks = WebhookCall(private_addresses=bool(settings.private_addresses))


def notify(invocation: Invocation, record: SQSRecord) -> None:
    """Tell of the end that one message names; an error sends the message back to its queue."""
    invocation.queued(int(record.attributes.sent_timestamp))
    try:
        told(invocation, json.loads(record.body).get("detail") or {})
    except Exception as error:
        invocation.refused("Errors", type(error).__name__)
        log_failure(error, {**invocation.ids, "message_id": record.message_id})
        raise


def told(invocation: Invocation, detail: dict[str, Any]) -> None:
    """Call the webhook of the job that an event's detail is of, if it has one."""
    job_id = str(detail.get("job_id", ""))
    try:
        webhook = jobs.get(job_id).webhook
    except JobNotFound:
        webhook = None
    if webhook is None:
        logger.info("a message that tells of no job with a webhook was ignored")
        return
    body = ended_body(detail)
    headers = signed_headers(webhook.secret, job_id, body, now_s=int(time.time()))
    given_up = webhooks.post(webhook, headers, body)
    if given_up is None:
        invocation.count("WebhooksTaken")
    else:
        invocation.refused("WebhooksRefused", given_up)
    logger.info("webhook", job_id=job_id, host=webhook.host, given_up=given_up)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Tell of every end; return the messages that are to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(event, partial(notify, invocation), processor, context)
