"""Jobs in their table: made once, moved only from where they stand.

pk            sk     holds
JOB#<job id>  JOB    state, attempt, job (JSON)
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from headrace_runtime.batch.job import Counts, Job, JobState, Source, Target
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.errors import Conflict, JobNotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=_key(job_id), ConsistentRead=True
        )
        if "Item" not in answer:
            raise JobNotFound(job_id)
        return _job(answer["Item"]["job"]["S"])

    def create(self, job: Job) -> Job:
        """Return the job of this id: *job* if it is the first, else the one that stands."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(job),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return self.get(job.job_id)
        return job

    def move(self, old: Job, new: Job) -> Job:
        """Write *new* where *old* stands; return it.

        Raises:
            Conflict: the job is no longer at *old*'s state and attempt; nothing was written.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(new),
                ConditionExpression="#state = :state AND attempt = :attempt",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":state": {"S": str(old.state)},
                    ":attempt": {"N": str(old.attempt)},
                },
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            if self.get(old.job_id) == new:  # written by a first try whose answer was lost
                return new
            raise Conflict(
                f"job {old.job_id} is no longer {old.state} at attempt {old.attempt}: "
                f"it was not moved to {new.state}"
            ) from None
        return new


def _key(job_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "JOB"}}


def _item(job: Job) -> dict[str, Any]:
    return _key(job.job_id) | {
        "state": {"S": str(job.state)},
        "attempt": {"N": str(job.attempt)},
        "job": {"S": json.dumps(asdict(job))},
    }


def _job(text: str) -> Job:
    plain = json.loads(text)
    content = plain.get("content")
    return Job(
        **plain
        | {
            "content": content
            and Content(FileFormat(content["format"]), Compression(content["compression"])),
            "source": Source(**plain["source"]),
            "target": Target(**plain["target"]),
            "state": JobState(plain["state"]),
            "counts": Counts(**plain["counts"]),
        }
    )
