"""What was lost is found again, every few minutes.

Schedule → files that are no jobs → their queue; jobs that stand still → their ends told, their
states written, their work queued again (`sweeping`). All of it is safe to do twice.
"""

import os
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.sweeping import sweeping_of
from headrace_runtime.batch.clock import Slice
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import SweepSettings

settings = SweepSettings.from_env(os.environ)
invocations = watch("sweep", os.environ)
logger = Logger()
sweeping = sweeping_of(
    settings,
    dynamodb=boto3.client("dynamodb"),
    s3=boto3.client("s3"),
    sqs=boto3.client("sqs"),
    events=boto3.client("events"),
)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Look once at everything that may be lost; return how much of what was found."""
    del event
    found: dict[str, int] = {}
    time = Slice(lambda: context.get_remaining_time_in_millis() / 1000)
    with invocations.begin(context.aws_request_id) as invocation:
        for what in sweeping.sweep(datetime.now(UTC), time, on_failure=log_failure):
            found[what] = found.get(what, 0) + 1
            invocation.count(f"Swept{what.title()}")
    logger.info("swept", found=found)
    return found
