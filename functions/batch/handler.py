"""A shard of a job is worked.

SQS message → lease on the job → records read, run, written → errors → manifest → the job's state
(`shard_work`). A shard that another worker has, or that broke off, is given back for later.
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

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shard_watch import Clock
from headrace_runtime.aws.shard_work import ShardWork
from headrace_runtime.batch.job import Job
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.inference.predictor import predict
from headrace_runtime.inference.session import Session
from headrace_runtime.inference.session_cache import SessionCache
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.monitoring.invocation import Invocation
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import BatchSettings

settings = BatchSettings.from_env(os.environ)
invocations = watch("batch", os.environ)
logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
artifacts = Artifacts(settings.models_bucket, s3=s3)


def load(manifest: Manifest) -> Session:
    """Return the version's session; its weights stay mapped when the files are gone."""
    with artifacts.fetched(manifest) as graph:
        return Session(graph, threads=settings.threads, optimise=manifest.profile.optimise)


shard_work = ShardWork(
    jobs=Jobs(settings.jobs_table, dynamodb=dynamodb),
    registry=Registry(settings.registry_table, dynamodb=dynamodb),
    inbox=Inbox(s3=s3),
    results=ResultsBucket(settings.results_bucket, s3=s3),
    predict=partial(predict, sessions=SessionCache(settings.models_memory_mb << 20, load=load)),
    rows_at_once=settings.batch_rows,
    price=invocations.price.usd,
)


def work(invocation: Invocation, record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Work the shard that one message names."""
    invocation.queued(int(record.attributes.sent_timestamp))
    began = datetime.now(UTC).isoformat()
    job_id = json.loads(record.body)["job_id"]
    clock = Clock(
        now=partial(datetime.now, UTC),
        left_s=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
    )
    try:
        job = shard_work.work(job_id, clock)
    except Exception as error:
        invocation.refused("Errors", type(error).__name__)
        log_failure(error, {**invocation.ids, "message_id": record.message_id})
        raise
    if job.finished_at and job.finished_at >= began:  # not by an earlier delivery
        note_end(invocation, job)
    logger.info("job", job_id=job_id, state=job.state, attempt=job.attempt, rows=job.counts.rows_in)


def note_end(invocation: Invocation, job: Job) -> None:
    """Count a job by its end, and its records, for the version that answered them."""
    if job.model is not None and job.version is not None:
        invocation.routed(job.model, job.version)
    invocation.count(f"Jobs{job.state.title()}")
    invocation.count("RowsIn", job.counts.rows_in)
    invocation.count("RowsOk", job.counts.rows_ok)
    invocation.count("RowsFailed", job.counts.rows_failed)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Work every shard; return those to be delivered again."""
    with invocations.begin(context.aws_request_id) as invocation:
        return process_partial_response(event, partial(work, invocation), processor, context)
