"""Calls of a key, counted in the access table.

pk          sk                                      holds
COUNT#<id>  S#<epoch second> or D#<yyyy-mm-dd>      calls, expires_at_s
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from headrace_runtime.access.rate_windows import Window


class Counting(Protocol):
    """What counting needs of a DynamoDB client: boto3's, or the light one."""

    @property
    def update_item(self) -> Callable[..., Mapping[str, Any]]:
        """Answers as boto3's `update_item` does."""
        ...


class CallCounts:
    """Counts calls, each in every window that limits it, whoever else counts at the same time.

    A count whose answer was lost on the way is made again, so a call may count twice, never not.
    """

    def __init__(self, table: str, *, dynamodb: Counting) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def exceeded(self, key_id: str, windows: Iterable[Window]) -> Window | None:
        """Count one call; return the first window that has no room for it, or None.

        In later windows it is not counted then: a call that its second refuses costs no quota.

        Raises:
            Unavailable: the table did not answer.
        """
        return next((w for w in windows if self._counted(key_id, w) > w.limit), None)

    def _counted(self, key_id: str, window: Window) -> int:
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"COUNT#{key_id}"}, "sk": {"S": window.counter}},
            UpdateExpression="ADD calls :one SET expires_at_s = :end",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":end": {"N": str(window.expires_at_s)},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["calls"]["N"])
