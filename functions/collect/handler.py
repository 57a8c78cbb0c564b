"""What SageMaker answered becomes parts of results, and the last part closes the job.

SQS message: a notice of a topic, the end of a transform job, or a shard of ours → which outputs
are there? All: lease on the shard → its records read again, answered by the outputs, written as a
part, as `batch` does. Not all, and no more come: they are asked for again; three times in vain,
and Lambda has the shard back, or the job fails, as the stage has it.
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
from headrace_runtime.edge.gpu_messages import asked_of_collect
from headrace_runtime.edge.job_messages import JobMessages
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import HeavySettings

settings = HeavySettings.from_env(os.environ)
invocations = watch("collect", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
sqs = boto3.client("sqs")
settling = GpuWorker(
    settings=settings,
    dynamodb=boto3.client("dynamodb"),
    s3=boto3.client("s3"),
    sqs=sqs,
    sagemaker=boto3.client("sagemaker"),
    runtime=boto3.client("sagemaker-runtime"),
).settling(events=boto3.client("events"), price=invocations.price.usd)
messages = JobMessages(
    asked_of_collect(settling),
    retry=Retries(settings.collect_queue_url, sqs=sqs).soon,
    logger=logger,
)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """See to every message; return those to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(
            event, partial(messages.take, invocation), processor, context
        )
