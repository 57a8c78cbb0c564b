"""Policies, written: put whole, removed whole."""

from typing import TYPE_CHECKING

from headrace_runtime.access.policy import Policy
from headrace_runtime.aws.policies import PARTITION, item_of, policy_of
from headrace_runtime.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class PolicyBook:
    """Reads single policies and writes them; `Policies` reads them all and makes rights of them."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def get(self, name: str) -> Policy:
        """Return the policy of this name as it stands.

        Raises:
            NotFound: there is none.
        """
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(name), ConsistentRead=True)
        if "Item" not in answer:
            raise _missing(name)
        return policy_of(answer["Item"])

    def put(self, policy: Policy) -> None:
        """Write a policy, in the place of the one of its name if there is one."""
        self._dynamodb.put_item(TableName=self._table, Item=item_of(policy))

    def delete(self, name: str) -> Policy:
        """Remove the policy of this name, and return what it was.

        Raises:
            NotFound: there is none.
        """
        gone = self._dynamodb.delete_item(
            TableName=self._table, Key=_key(name), ReturnValues="ALL_OLD"
        )
        if "Attributes" not in gone:
            raise _missing(name)
        return policy_of(gone["Attributes"])


def _key(name: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": PARTITION}, "sk": {"S": name}}


def _missing(name: str) -> NotFound:
    return NotFound(f"there is no policy {name[:80]!r}", policy=name[:80])
