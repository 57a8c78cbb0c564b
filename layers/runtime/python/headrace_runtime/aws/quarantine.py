"""Versions that killed their process again and again: for a day no job is given to them.

pk                     sk          holds
QUARANTINE#<digest>    QUARANTINE  why, expires_at_s
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from headrace_runtime.batch.job_failures import ModelQuarantined
from headrace_runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FOR = timedelta(hours=24)


class Quarantine:
    """Knows which versions no job is given to."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def check(self, manifest: Manifest, now: datetime) -> None:
        """Let pass a version that is not in quarantine.

        Raises:
            ModelQuarantined: it is.
        """
        key = _key(manifest)
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        found = item.get("Item")
        # What has expired may stand for days before DynamoDB removes it.
        if found is None or int(found["expires_at_s"]["N"]) <= now.timestamp():
            return
        raise refusal(manifest, found["why"]["S"])

    def put(self, manifest: Manifest, why: str, now: datetime) -> None:
        """Give no job to a version for a day."""
        until = {"N": str(int((now + _FOR).timestamp()))}
        item = {**_key(manifest), "why": {"S": why}, "expires_at_s": until}
        self._dynamodb.put_item(TableName=self._table, Item=item)


def refusal(manifest: Manifest, why: str) -> ModelQuarantined:
    """Return what a job of a version in quarantine fails with."""
    return ModelQuarantined(
        f"version {manifest.version} of model {manifest.model!r} is in quarantine, for a day since "
        f"{why}: publish a mended model"
    )


def _key(manifest: Manifest) -> Any:
    return {"pk": {"S": f"QUARANTINE#{manifest.digest}"}, "sk": {"S": "QUARANTINE"}}
