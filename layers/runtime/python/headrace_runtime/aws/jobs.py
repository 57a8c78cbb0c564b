"""Jobs in their table: made once, moved only from where they stand.

Where the table is busy for long, any call raises `Unavailable`, and nothing was written.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.busy_table import once_free
from headrace_runtime.aws.job_items import job_key, job_of, job_values, new_job_item
from headrace_runtime.batch.job import Job
from headrace_runtime.errors import Conflict, JobNotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ID_ALONE = {"ProjectionExpression": "pk"}
_TRIES = 12  # of a change that others are always faster with


class Jobs:
    """Reads and writes jobs."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def get(self, job_id: str) -> Job:
        """Return the job as it stands.

        Raises:
            JobNotFound: there is none of this id.
        """
        answer = once_free(
            lambda: self._dynamodb.get_item(
                TableName=self._table, Key=job_key(job_id), ConsistentRead=True
            )
        )
        if "Item" not in answer:
            raise JobNotFound(job_id)
        return job_of(answer["Item"])

    def missing(self, job_ids: Sequence[str]) -> list[str]:
        """Return those of at most 100 different ids of which there was no job a moment ago."""
        keys = {job_id: job_key(job_id) for job_id in job_ids}
        found: set[str] = set()
        wanted: dict[str, Any] = {self._table: {"Keys": [*keys.values()], **_ID_ALONE}}
        while wanted:  # DynamoDB may answer a part of it
            answer = once_free(partial(self._dynamodb.batch_get_item, RequestItems=wanted))
            found |= {item["pk"]["S"] for item in answer["Responses"].get(self._table, [])}
            wanted = answer["UnprocessedKeys"]
        return [job_id for job_id in job_ids if keys[job_id]["pk"]["S"] not in found]

    def create(self, job: Job) -> Job:
        """Return the job of this id: *job* if it is the first, else the one that stands."""
        try:
            once_free(
                lambda: self._dynamodb.put_item(
                    TableName=self._table,
                    Item=new_job_item(job),
                    ConditionExpression="attribute_not_exists(pk)",
                )
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return self.get(job.job_id)
        return job

    def change(self, job_id: str, move: Callable[[Job], Job]) -> Job:
        """Move the job on from where it stands, and return it; *move* is asked again if need be.

        Whatever *move* raises passes through. A job that *move* leaves as it is is not written.

        Raises:
            JobNotFound: there is none of this id.
            Conflict: others changed it again and again; nothing was written.
        """
        for attempt in range(_TRIES):
            old = self.get(job_id)
            new = move(old)
            if new == old:
                return old
            try:
                return self.move(old, new)
            except Conflict:
                time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311 - jitter
        raise Conflict(f"job {job_id} is changed by others again and again: try later")

    def move(self, old: Job, new: Job) -> Job:
        """Write *new* where *old* stands; return it as it stands then.

        Raises:
            Conflict: the job is no longer where *old* has it; nothing was written.
        """
        moved = replace(new, revision=old.revision + 1)
        values = {f":{name}": value for name, value in job_values(moved).items()}
        values[":changed_at"] = {"S": datetime.now(UTC).isoformat()}
        sets = ", ".join(f"#{name[1:]} = {name}" for name in values)
        names = {f"#{name[1:]}": name[1:] for name in values}
        values |= {":old": {"N": str(old.revision)}, ":was": {"S": str(old.state)}}
        try:
            once_free(
                lambda: self._dynamodb.update_item(
                    TableName=self._table,
                    Key=job_key(old.job_id),
                    UpdateExpression=f"SET {sets}",
                    ConditionExpression="revision = :old AND #state = :was",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                )
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            stands = self.get(old.job_id)
            if replace(stands, shards_done=moved.shards_done) == moved:
                return stands  # written by a first try whose answer was lost
            raise Conflict(
                f"job {old.job_id} is no longer {old.state} at revision {old.revision}: "
                f"it was not moved to {new.state}"
            ) from None
        return moved
