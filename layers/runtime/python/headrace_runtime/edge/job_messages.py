"""Messages about jobs: each is done, counted and logged; one that fails comes again soon."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.monitoring.invocation import Invocation

Message = Mapping[str, Any]
Do = Callable[[Message, Clock, Invocation], Job | None]
Retry = Callable[[Exception, str, int], object]


class JobMessages:
    """Takes messages of a queue.

    Args:
        do: does what a message asks for; returns the job that it was of, None if of none.
        retry: told of the error, the receipt and the receives of a message that comes again.
        logger: told of each job that was worked on.
    """

    def __init__(self, do: Do, *, retry: Retry, logger: Logger) -> None:
        self._do = do
        self._retry = retry
        self._logger = logger

    def take(
        self, invocation: Invocation, record: SQSRecord, lambda_context: LambdaContext
    ) -> None:
        """Do what one message asks for.

        Raises:
            Exception: whatever kept it from being done; the message comes again.
        """
        invocation.queued(int(record.attributes.sent_timestamp))
        began = datetime.now(UTC).isoformat()
        clock = Clock(
            now=partial(datetime.now, UTC),
            left_s=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
        )
        try:
            job = self._do(json.loads(record.body), clock, invocation)
        except Exception as error:
            invocation.refused("Errors", type(error).__name__)
            log_failure(error, {**invocation.ids, "message_id": record.message_id})
            receives = int(record.attributes.approximate_receive_count)
            self._retry(error, record.receipt_handle, receives)
            raise
        if job is None:
            self._logger.info("a message that is of no job was ignored")
            return
        if job.finished_at and job.finished_at >= began:  # not by an earlier delivery
            _note_end(invocation, job)
        self._logger.info("job", job_id=job.job_id, state=job.state, rows=job.counts.rows_in)


def _note_end(invocation: Invocation, job: Job) -> None:
    """Count a job by its end, and its records, for the version that answered them."""
    if job.model is not None and job.version is not None:
        invocation.routed(job.model, job.version)
    invocation.count(f"Jobs{job.state.title()}")
    invocation.count("RowsIn", job.counts.rows_in)
    invocation.count("RowsOk", job.counts.rows_ok)
    invocation.count("RowsFailed", job.counts.rows_failed)
