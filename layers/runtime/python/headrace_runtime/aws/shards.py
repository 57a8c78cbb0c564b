"""Shards in the jobs' table: added as the file is cut, moved only from where they stand.

Where the table is busy for long, any call raises `Unavailable`, and nothing was written.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.busy_table import once_free
from headrace_runtime.aws.job_items import (
    job_key,
    job_values,
    shard_item,
    shard_key,
    shard_of,
)
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_view import Progress
from headrace_runtime.batch.shard import Shard, ShardState
from headrace_runtime.errors import Conflict, JobNotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Shards:
    """Reads and writes the shards of jobs."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def get(self, job_id: str, number: int) -> Shard:
        """Return the shard as it stands.

        Raises:
            JobNotFound: the job has no shard of this number.
        """
        answer = once_free(
            lambda: self._dynamodb.get_item(
                TableName=self._table, Key=shard_key(job_id, number), ConsistentRead=True
            )
        )
        if "Item" not in answer:
            raise JobNotFound(job_id)
        return shard_of(answer["Item"])

    def of(self, job_id: str) -> Iterator[Shard]:
        """Yield all shards of a job as they stand, in order."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :shard)",
            ExpressionAttributeValues={
                ":pk": {"S": f"JOB#{job_id}"},
                ":shard": {"S": "SHARD#"},
            },
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(shard_of, page["Items"])

    def progress(self, job: Job) -> Progress:
        """Return how far a job is."""
        shards = list(self.of(job.job_id))
        done = sum(shard.state is ShardState.DONE for shard in shards)
        return Progress(sum((shard.counts for shard in shards), Counts()), done)

    def add(self, shard: Shard, was: Job, cut: Job) -> Job:
        """Add a shard as the next of a job; return the job, cut as far as *cut* says.

        Raises:
            Conflict: the job is no longer where *was* has it; nothing was written.
        """
        cut = replace(cut, revision=was.revision + 1)
        values = {f":{name}": value for name, value in job_values(cut).items()}
        sets = ", ".join(f"#{name[1:]} = {name}" for name in values)
        self._together(
            [
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": shard_item(shard),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
                {
                    "Update": {
                        "TableName": self._table,
                        "Key": job_key(was.job_id),
                        "UpdateExpression": f"SET {sets}",
                        "ConditionExpression": "revision = :was",
                        "ExpressionAttributeNames": {f"#{name[1:]}": name[1:] for name in values},
                        "ExpressionAttributeValues": {
                            **values,
                            ":was": {"N": str(was.revision)},
                        },
                    }
                },
            ],
            f"job {was.job_id} was changed meanwhile: shard {shard.number} was not added",
        )
        return cut

    def move(self, old: Shard, new: Shard) -> Shard:
        """Write *new* where *old* stands; return it.

        Raises:
            Conflict: the shard is no longer where *old* has it; nothing was written.
        """
        try:
            once_free(lambda: self._dynamodb.put_item(TableName=self._table, **_where(old, new)))
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return self._written_before(new, _moved_meanwhile(old))
        return new

    def write(self, old: Shard, new: Shard) -> Shard:
        """Write *new*, which has one more part, where *old* stands; return it.

        Raises:
            Conflict: the shard is no longer there, or its job is being closed; nothing was
                written, and what the part is made of does not count.
        """
        done = int(new.state is ShardState.DONE)
        try:
            self._together(
                [
                    {"Put": {"TableName": self._table, **_where(old, new)}},
                    {
                        "Update": {
                            "TableName": self._table,
                            "Key": job_key(old.job_id),
                            "UpdateExpression": "ADD shards_done :done",
                            "ConditionExpression": "#state = :running AND closing = :no",
                            "ExpressionAttributeNames": {"#state": "state"},
                            "ExpressionAttributeValues": {
                                ":done": {"N": str(done)},
                                ":running": {"S": "running"},
                                ":no": {"BOOL": False},
                            },
                        }
                    },
                ],
                _moved_meanwhile(old),
            )
        except Conflict as conflict:
            return self._written_before(new, str(conflict))
        return new

    def _written_before(self, new: Shard, otherwise: str) -> Shard:
        """Return *new* if it stands: written by a first try whose answer was lost.

        Raises:
            Conflict: it does not; the text is *otherwise*.
        """
        if self.get(new.job_id, new.number) == new:
            return new
        raise Conflict(otherwise)

    def _together(self, items: list[Any], otherwise: str) -> None:
        try:
            once_free(lambda: self._dynamodb.transact_write_items(TransactItems=items))
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            reasons = {one.get("Code") for one in error.response.get("CancellationReasons", [])}
            if "ConditionalCheckFailed" not in reasons:
                raise
            raise Conflict(otherwise) from None


def _where(old: Shard, new: Shard) -> dict[str, Any]:
    return {
        "Item": shard_item(new),
        "ConditionExpression": "#state = :state AND attempt = :attempt",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":state": {"S": str(old.state)},
            ":attempt": {"N": str(old.attempt)},
        },
    }


def _moved_meanwhile(old: Shard) -> str:
    return (
        f"shard {old.number} of job {old.job_id} is no longer {old.state} at attempt "
        f"{old.attempt}, or its job is over: it was not moved"
    )
