"""A model dropped into the models bucket becomes a version, or a refusal that says why.

Message → object dropped at `models/<model>/….onnx` → its bytes, their digest and the choice of an
accelerator beside them → verdict of two limited child processes → artifacts, Triton's archive last
→ registry. The registry is written last of all: a message that comes again after a crash finds
either nothing, and all is done again with the same effect, or the end.
"""

import os
from dataclasses import asdict
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
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.dropped import dropped_file
from headrace_runtime.aws.model_door import ModelDoor
from headrace_runtime.aws.models_bucket import ModelsBucket, model_of
from headrace_runtime.aws.registration import Registration
from headrace_runtime.aws.version_events import VersionEvents
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.errors import InvalidName, ObjectNotFound
from headrace_runtime.monitoring.invocation import Invocation
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.validation.limited_process import Limits
from headrace_runtime.work_settings import RegisterSettings

logger = Logger()
settings = RegisterSettings.from_env(os.environ)
invocations = watch("register", os.environ)
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
door = ModelDoor(
    ModelsBucket(settings.models_bucket, s3=boto3.client("s3")),
    Registration(settings.registry_table, dynamodb=boto3.client("dynamodb")),
    limits=Limits(settings.trial_timeout_s, settings.trial_memory_mb << 20),
    max_bytes=settings.max_model_bytes,
)
version_events = VersionEvents(events=boto3.client("events"))


def register(invocation: Invocation, record: SQSRecord) -> None:
    """Register what one message tells of; an error sends the message back to its queue."""
    invocation.queued(int(record.attributes.sent_timestamp))
    dropped = dropped_file(record.body)
    if dropped is None or dropped.bucket != settings.models_bucket:
        logger.info("a message that tells of no dropped model was ignored")
        return
    try:
        model = model_of(dropped.key)
        decision = door.decide(model, dropped.key, dropped.version_id, now=_now)
    except (InvalidName, ObjectNotFound) as error:
        # No retry helps, and there is no model at which the reason could be read.
        logger.warning("a dropped object was ignored", key=dropped.key, code=error.code)
        return
    except Exception as error:
        invocation.refused("Errors", type(error).__name__)
        log_failure(error, {**invocation.ids, "message_id": record.message_id})
        raise
    if decision.rule is None:
        invocation.count("Accepted")
        version_events.moved(model)
    else:
        invocation.refused("Refused", decision.rule)
    logger.info("a dropped model was decided on", extra={"model": model, **asdict(decision)})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Take a batch of SQS messages; answer which of them must come again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(event, partial(register, invocation), processor, context)
