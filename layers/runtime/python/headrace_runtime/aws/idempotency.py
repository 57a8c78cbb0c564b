"""Answers that a caller may ask for again: all that chance had to do with them is remembered.

pk                                        sk           holds
IDEMPOTENCY#<principal>#<sha256 of key>   IDEMPOTENCY  asked (sha256), folder, secret, expires_at_s

What is done with it must give the same when it is done again: nothing says how far the first came.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from headrace_runtime.batch.job_failures import IdempotencyMismatch
from headrace_runtime.batch.webhook import SECRET_BYTES, secret_of
from headrace_runtime.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT_S = 24 * 3600

_FOLDER_BYTES = 16
DRAW_BYTES = _FOLDER_BYTES + SECRET_BYTES


@dataclass(frozen=True, slots=True)
class Drawn:
    """What an answer has from chance.

    Attributes:
        folder: of the upload, 32 hex digits.
        secret: of the webhook, if there is one.
    """

    folder: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, draw: bytes) -> Self:
        """Make it of `DRAW_BYTES` random bytes, none of which may be used again."""
        return cls(draw[:_FOLDER_BYTES].hex(), secret_of(draw[_FOLDER_BYTES:]))


class Idempotency:
    """Remembers for a day what was drawn for a principal's Idempotency-Key.

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

    def first(self, principal: str, key: str, asked: str, drawn: Drawn) -> Drawn:
        """Return what was drawn when this key first came, *drawn* if it is now.

        Of several that come at the same time one is the first, and all get its.

        Args:
            principal: who asks; others' keys are others.
            key: the Idempotency-Key.
            asked: what is asked for, as a canonical text.
            drawn: for the case that nobody asked before.

        Raises:
            IdempotencyMismatch: something else was asked for with this key.
            Conflict: the key was given up at this very moment; nothing was written.
        """
        where = _key(principal, key)
        fingerprint, now = sha256(asked.encode()).hexdigest(), int(self._clock())
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    **where,
                    "asked": {"S": fingerprint},
                    "folder": {"S": drawn.folder},
                    "secret": {"S": drawn.secret},
                    "expires_at_s": {"N": str(now + KEPT_S)},
                },
                # DynamoDB removes what has expired when it likes, which may be days later.
                ConditionExpression="attribute_not_exists(pk) OR expires_at_s <= :now",
                ExpressionAttributeValues={":now": {"N": str(now)}},
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return self._earlier(where, fingerprint)
        return drawn

    def _earlier(self, where: "dict[str, AttributeValueTypeDef]", fingerprint: str) -> Drawn:
        answer = self._dynamodb.get_item(TableName=self._table, Key=where, ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            raise Conflict("this Idempotency-Key expired a moment ago: send the call again")
        if item["asked"]["S"] != fingerprint:
            raise IdempotencyMismatch
        return Drawn(item["folder"]["S"], item["secret"]["S"])


def _key(principal: str, key: str) -> "dict[str, AttributeValueTypeDef]":
    digest = sha256(key.encode()).hexdigest()
    return {"pk": {"S": f"IDEMPOTENCY#{principal}#{digest}"}, "sk": {"S": "IDEMPOTENCY"}}
