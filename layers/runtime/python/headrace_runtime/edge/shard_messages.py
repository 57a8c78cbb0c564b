"""Messages about jobs: which work each asks for, and what is counted and logged of it."""

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

Work = Callable[[str, int, Clock], Job]
Close = Callable[[str, datetime], Job]
Cut = Callable[[str, Clock], Job]
Retry = Callable[[Exception, str, int], object]


class ShardMessages:
    """Takes messages of a queue of shards.

    Args:
        work: works a job's shard, by its number.
        close: closes a job if that is due.
        cut: cuts a job's file further; None where no message asks for that.
        retry: told of the error, the receipt and the receives of a message that comes again.
        logger: told of each job that was worked on.
    """

    def __init__(
        self, *, work: Work, close: Close, cut: Cut | None = None, retry: Retry, logger: Logger
    ) -> None:
        self._work = work
        self._close = close
        self._cut = cut
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
        message = json.loads(record.body)
        clock = Clock(
            now=partial(datetime.now, UTC),
            left_s=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
        )
        try:
            job = self._done(message, clock)
        except Exception as error:
            invocation.refused("Errors", type(error).__name__)
            log_failure(error, {**invocation.ids, "message_id": record.message_id})
            receives = int(record.attributes.approximate_receive_count)
            self._retry(error, record.receipt_handle, receives)
            raise
        if job.finished_at and job.finished_at >= began:  # not by an earlier delivery
            _note_end(invocation, job)
        self._logger.info("job", job_id=job.job_id, state=job.state, rows=job.counts.rows_in)

    def _done(self, message: Mapping[str, Any], clock: Clock) -> Job:
        job_id = message["job_id"]
        if "shard" in message:
            return self._work(job_id, message["shard"], clock)
        if self._cut is not None and "cut" in message:
            return self._cut(job_id, clock)
        return self._close(job_id, clock.now())


def _note_end(invocation: Invocation, job: Job) -> None:
    """Count a job by its end, and its records, for the version that answered them."""
    if job.model is not None and job.version is not None:
        invocation.routed(job.model, job.version)
    invocation.count(f"Jobs{job.state.title()}")
    invocation.count("RowsIn", job.counts.rows_in)
    invocation.count("RowsOk", job.counts.rows_ok)
    invocation.count("RowsFailed", job.counts.rows_failed)
