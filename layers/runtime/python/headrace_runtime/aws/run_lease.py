"""One run of `provision` at a time: who is at it, and whether it has to look again.

pk             sk     holds
GPU#PROVISION  LEASE  holder: a run, or nobody; until: ISO 8601, UTC, when it must be over;
                      asked: whether another run came meanwhile

An item of the jobs' table. Each write names what it replaces, so of two at once one holds.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.busy_table import once_free
from headrace_runtime.batch.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"pk": {"S": "GPU#PROVISION"}, "sk": {"S": "LEASE"}}
_NOBODY = ""
# Clocks differ, and what a run sent as it was killed may be done a moment later.
_MARGIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _Lease:
    holder: str
    until: datetime
    asked: bool = False


class RunLease:
    """Taken by a run before it looks at anything, and given back once nobody asks for more."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def take(self, run: str, clock: Clock) -> bool:
        """Take the lease; return False where another run has it, which then will look again.

        It ends when the run is killed, and a little later: a run that dies keeps the others from
        nothing but that long, and none is alive that has it no more.

        Args:
            run: tells it from all others.
            clock: the run's; read at once.

        Raises:
            Unavailable: the table is busy; nothing was taken.
        """
        now = clock.now()
        mine = _Lease(run, now + timedelta(seconds=clock.left_s()) + _MARGIN)
        while True:  # a write that comes to nothing is another run's that did
            there = self._there()
            if there is not None and there.holder == run:
                return True  # the answer of a first try was lost
            if there is None or there.holder == _NOBODY or there.until <= now:
                if self._put(mine, there):
                    return True
            elif there.asked or self._put(replace(there, asked=True), there):
                return False

    def give_back(self, run: str, *, may_stay: bool) -> bool:
        """Give the lease back; return False where the run has to look again, and keeps it.

        Args:
            run: that has it.
            may_stay: whether it has time for another look; where it has none the clock wakes one.
        """
        there = self._there()
        if there is None or there.holder != run:
            return True
        if there.asked and may_stay:
            if self._put(replace(there, asked=False), there):
                return False
            stands = self._there()  # it is this run's yet where the answer of a first try was lost
            return stands is None or stands.holder != run
        gave_back = self._put(replace(there, holder=_NOBODY, asked=False), there)
        return gave_back or self.give_back(run, may_stay=may_stay)

    def _there(self) -> _Lease | None:
        answer = self._dynamodb.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = answer["Item"]
        until = datetime.fromisoformat(item["until"]["S"])
        return _Lease(item["holder"]["S"], until, item["asked"]["BOOL"])

    def _put(self, new: _Lease, old: _Lease | None) -> bool:
        """Write *new* in the place of *old*; return False where that stands there no more."""
        replaces: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if old is not None:
            replaces = {
                "ConditionExpression": "holder = :holder AND asked = :asked",
                "ExpressionAttributeValues": {
                    ":holder": {"S": old.holder},
                    ":asked": {"BOOL": old.asked},
                },
            }
        values: dict[str, Any] = {
            "holder": {"S": new.holder},
            "until": {"S": new.until.isoformat()},
            "asked": {"BOOL": new.asked},
        }
        item = _KEY | values
        try:
            once_free(lambda: self._dynamodb.put_item(TableName=self._table, Item=item, **replaces))
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True
