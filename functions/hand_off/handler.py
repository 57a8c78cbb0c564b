"""A shard of a job is given to SageMaker.

SQS message → is there an endpoint? → lease on the shard → records read, made into bodies in the
staging bucket → bodies sent. Where there is no endpoint yet the message comes again; where there
is none for long, Lambda has the shard back, or the job fails, as the stage has it.
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

from headrace_runtime.aws.gpu_worker import GpuWorker
from headrace_runtime.aws.retries import Retries
from headrace_runtime.edge.gpu_messages import asked_of_hand_off
from headrace_runtime.edge.job_messages import JobMessages
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import HeavySettings

settings = HeavySettings.from_env(os.environ)
invocations = watch("hand_off", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
sqs = boto3.client("sqs")
hand_off = GpuWorker(
    settings=settings,
    dynamodb=boto3.client("dynamodb"),
    s3=boto3.client("s3"),
    sqs=sqs,
    sagemaker=boto3.client("sagemaker"),
    runtime=boto3.client("sagemaker-runtime"),
).hand_off(events=boto3.client("events"))
messages = JobMessages(
    asked_of_hand_off(hand_off.work),
    retry=Retries(settings.hand_off_queue_url, sqs=sqs).soon,
    logger=logger,
)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Give away every shard; return the messages to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(
            event, partial(messages.take, invocation), processor, context
        )
