"""Tickets: what a submitter asked for beside the file, kept for when the file arrives.

pk            sk      holds
TICKET#<key>  TICKET  joined, webhook_url?, webhook_secret?, deadline_s?, expires_at_s

Not in the object's metadata: whoever may read the object would read the webhook's secret.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headrace_runtime.batch.webhook import Webhook

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT_S = 7 * 24 * 3600  # an upload's form holds for minutes; lost events are found within days

_TICKETED = re.compile(r"inbox/[^/]+/[0-9a-f]{32}/[^/]+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a submitter asked for beside the file.

    Attributes:
        joined: whether the results repeat the records before their outputs.
        webhook: who is told of the job's end.
        deadline_s: in so many seconds the job should have ended; None where it has time.
    """

    joined: bool = True
    webhook: Webhook | None = None
    deadline_s: int | None = None


class Tickets:
    """Keeps tickets by the key at which the file will arrive.

    Args:
        clock: seconds since 1970.
    """

    def __init__(
        self,
        table: str,
        *,
        dynamodb: "DynamoDBClient",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock

    def put(self, key: str, ticket: Ticket) -> None:
        """Keep a ticket for seven days, in place of one that the key has."""
        item: dict[str, AttributeValueTypeDef] = {
            **_key(key),
            "joined": {"BOOL": ticket.joined},
            "expires_at_s": {"N": str(int(self._clock()) + KEPT_S)},
        }
        if ticket.webhook is not None:
            item["webhook_url"] = {"S": ticket.webhook.url}
            item["webhook_secret"] = {"S": ticket.webhook.secret}
        if ticket.deadline_s is not None:
            item["deadline_s"] = {"N": str(ticket.deadline_s)}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def of(self, key: str) -> Ticket | None:
        """Return the key's ticket; None where there is none, or none that still holds."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        item = answer.get("Item")
        # DynamoDB removes what has expired when it likes, which may be days later.
        if item is None or int(item["expires_at_s"]["N"]) <= self._clock():
            return None
        webhook = None
        if "webhook_url" in item:
            webhook = Webhook(item["webhook_url"]["S"], item["webhook_secret"]["S"])
        deadline_s = int(item["deadline_s"]["N"]) if "deadline_s" in item else None
        return Ticket(item["joined"]["BOOL"], webhook, deadline_s)


def is_ticketed(key: str) -> bool:
    """Return whether a file at *key* was submitted, and so may have a ticket."""
    return _TICKETED.fullmatch(key) is not None


def _key(key: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": f"TICKET#{key}"}, "sk": {"S": "TICKET"}}
