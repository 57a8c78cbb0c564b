"""Who wants to know is told that a job has ended: an event, at least once."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.busy_table import once_free
from headrace_runtime.aws.job_items import job_key
from headrace_runtime.batch.job import Job
from headrace_runtime.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient

SOURCE, KIND = "headrace", "Job Ended"

Announce = Callable[[Job], None]


class Announcing:
    """Puts an event on the default bus, and notes on the job that it was told.

    Between the two a job stays in the index of unfinished ones, where `sweep` finds it.
    """

    def __init__(
        self, table: str, *, dynamodb: "DynamoDBClient", events: "EventBridgeClient"
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._events = events

    def announce(self, job: Job) -> None:
        """Tell of the end of *job*.

        Raises:
            Unavailable: the bus did not take the event, or the table is busy; the job still waits
                to be told of.
        """
        detail = json.dumps(ending_detail(job))
        answer = self._events.put_events(
            Entries=[{"Source": SOURCE, "DetailType": KIND, "Detail": detail}]
        )
        if answer["FailedEntryCount"]:
            raise Unavailable(f"the event bus did not take the end of job {job.job_id}")
        once_free(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key=job_key(job.job_id),
                UpdateExpression="REMOVE unfinished",
                ConditionExpression="attribute_exists(pk)",
            )
        )


def ending_detail(job: Job) -> dict[str, Any]:
    """Return what the event says; a webhook's secret is not in it."""
    return {
        "job_id": job.job_id,
        "state": str(job.state),
        "model": job.model,
        "version": job.version,
        "rows_in": job.counts.rows_in,
        "rows_ok": job.counts.rows_ok,
        "rows_failed": job.counts.rows_failed,
        "results": {"bucket": job.target.bucket, "prefix": job.target.prefix},
        **({} if job.error is None else {"error": job.error}),
        "finished_at": job.finished_at,
        **({} if job.placement is None else {"engine": str(job.placement.engine)}),
        **({} if job.webhook is None else {"webhook": job.webhook.url}),
    }
