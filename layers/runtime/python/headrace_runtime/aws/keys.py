"""API keys in the access table: one item a key, so that no change to one can be half.

pk    sk    holds
KEYS  <id>  name, salt, digest, created_at, expires_at?, revoked_at?, rate_per_s?, daily_quota?

All keys lie in one partition: DynamoDB splits one that is read often by its sort keys.
"""

from typing import TYPE_CHECKING, Any

from headrace_runtime.access.api_key import SecretHash
from headrace_runtime.access.key_facts import KeyFacts
from headrace_runtime.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from headrace_runtime.aws.registry import DynamoDB, Item

_TEXTS = ("name", "created_at", "expires_at", "revoked_at")
_NUMBERS = ("rate_per_s", "daily_quota")


class Keys:
    """Finds keys: all that `authorise` does with them."""

    def __init__(self, table: str, *, dynamodb: "DynamoDB") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def find(self, key_id: str) -> KeyFacts | None:
        """Return the key as it stands at this moment, or None where there is none.

        Raises:
            Unavailable: the table did not answer.
        """
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=_key(key_id), ConsistentRead=True
        )
        return _facts(answer["Item"]) if "Item" in answer else None


class KeyBook(Keys):
    """Finds, lists, makes and revokes keys."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        super().__init__(table, dynamodb=dynamodb)
        self._writer = dynamodb

    def all(self) -> list[KeyFacts]:
        """Return every key, the revoked and expired ones too, oldest first."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "KEYS"}},
            "ConsistentRead": True,
        }
        pages = self._writer.get_paginator("query").paginate(**request)
        found = [_facts(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda key: (key.created_at, key.key_id))

    def add(self, key: KeyFacts) -> None:
        """Write a new key."""
        values = {name: {"S": getattr(key, name)} for name in _TEXTS}
        numbers = {name: {"N": str(getattr(key, name))} for name in _NUMBERS}
        given = {n: v for n, v in (values | numbers).items() if getattr(key, n) is not None}
        secret = {"salt": {"S": key.kept.salt}, "digest": {"S": key.kept.digest}}
        self._writer.put_item(
            TableName=self._table,
            Item=_key(key.key_id) | given | secret,
            ConditionExpression="attribute_not_exists(pk)",
        )

    def revoke(self, key_id: str, *, revoked_at: str) -> KeyFacts:
        """Let the key be good no more, from the next call on; return it.

        A key that was revoked before keeps the moment at which it was.

        Raises:
            NotFound: there is no such key.
        """
        try:
            changed = self._writer.update_item(
                TableName=self._table,
                Key=_key(key_id),
                UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"S": revoked_at}},
                ReturnValues="ALL_NEW",
            )
        except self._writer.exceptions.ConditionalCheckFailedException:
            raise NotFound(f"there is no key {key_id[:80]!r}", key=key_id[:80]) from None
        return _facts(changed["Attributes"])


def _key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": "KEYS"}, "sk": {"S": key_id}}


def _facts(item: "Item") -> KeyFacts:
    return KeyFacts(
        key_id=item["sk"]["S"],
        name=item["name"]["S"],
        kept=SecretHash(item["salt"]["S"], item["digest"]["S"]),
        created_at=item["created_at"]["S"],
        expires_at=_text(item, "expires_at"),
        revoked_at=_text(item, "revoked_at"),
        rate_per_s=_number(item, "rate_per_s"),
        daily_quota=_number(item, "daily_quota"),
    )


def _text(item: "Item", name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _number(item: "Item", name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
