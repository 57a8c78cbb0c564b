"""What GPUs cost this month, metered by looks at what runs.

pk           sk      holds
GPU#2026-11  METER   usd: since the month's beginning; looked_at: ISO 8601, UTC, when last

Items of the jobs' table. SageMaker has no figure of its own that is younger than a day: AWS's bill
comes with that delay, and alarms on it too.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.busy_table import once_free

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of a time in which nobody looked, so much is held to be like this moment: what runs now did not
# run through a night of which nothing is known.
LONGEST = timedelta(minutes=30)


class GpuMeter:
    """Adds up what instances cost, each stretch of time once, whoever else looks meanwhile."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def spent_usd(self, now: datetime) -> float:
        """Return what was spent since the beginning of the month, up to the last look.

        Args:
            now: the time, UTC.
        """
        return self._seen(now)[0]

    def meter(self, now: datetime, usd_per_hour_now: float) -> float:
        """Add what ran since the last look, as if all the time had been like now; return the sum.

        A stretch that another look took in meanwhile is not added again, whatever that one saw.

        Args:
            now: the time, UTC.
            usd_per_hour_now: of all instances that are there at this moment.

        Raises:
            Unavailable: the table is busy; nothing was added.
        """
        spent_usd, looked_at = self._seen(now)
        since = max(looked_at or _month(now), now - LONGEST)
        hours = (now - since) / timedelta(hours=1)
        if hours <= 0:
            return spent_usd
        total = spent_usd + hours * usd_per_hour_now
        try:
            once_free(lambda: self._put(now, total, looked_at))
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return self.spent_usd(now)
        return total

    def _put(self, now: datetime, total: float, looked_at: datetime | None) -> None:
        replaces: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if looked_at is not None:
            replaces = {
                "ConditionExpression": "looked_at = :old",
                "ExpressionAttributeValues": {":old": {"S": looked_at.isoformat()}},
            }
        values = {"usd": {"N": f"{total:.6f}"}, "looked_at": {"S": now.isoformat()}}
        self._dynamodb.put_item(TableName=self._table, Item=_key(now) | values, **replaces)

    def _seen(self, now: datetime) -> tuple[float, datetime | None]:
        """Return the month's sum, and when it was last looked; None where never."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(now), ConsistentRead=True)
        if "Item" not in answer:
            return 0.0, None
        item = answer["Item"]
        return float(item["usd"]["N"]), datetime.fromisoformat(item["looked_at"]["S"])


def _month(now: datetime) -> datetime:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _key(now: datetime) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"GPU#{now:%Y-%m}"}, "sk": {"S": "METER"}}
