"""Policies in the access table; the rights of one caller, made of them.

pk        sk      holds
POLICIES  <name>  subjects, actions, models (lists of text)
"""

from collections.abc import Callable, Mapping
from typing import Any

from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.access.rights import Access
from headrace_runtime.aws.registry import DynamoDB, Item
from headrace_runtime.errors import HeadraceError

PARTITION = "POLICIES"

_MOST = 1000  # callers whose rights are remembered


class Policies:
    """Reads the policies, and remembers them and the rights made of them for a while.

    Args:
        table: the access table.
        dynamodb: boto3's client, or the light one.
        ttl_s: for how long what was read is believed: a policy that is changed or deleted takes
            effect within that time. While the table does not answer then, nobody has rights.
        clock: seconds, never running back.
        consistent: also see what was written a moment ago; a read costs twice as much then.
    """

    def __init__(
        self,
        table: str,
        *,
        dynamodb: DynamoDB,
        ttl_s: float,
        clock: Callable[[], float],
        consistent: bool = False,
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._ttl_s = ttl_s
        self._clock = clock
        self._consistent = consistent
        self._policies: list[Policy] = []
        self._until = float("-inf")
        self._rights: dict[tuple[str, ...], Access] = {}

    def access(self, subjects: tuple[str, ...]) -> Access:
        """Return the rights of the caller whom policies may call by these names.

        Raises:
            Unavailable: the policies could not be read.
        """
        now = self._clock()
        if now >= self._until:
            self._policies, self._rights = self.all(), {}
            self._until = now + self._ttl_s
        if subjects not in self._rights:
            if len(self._rights) >= _MOST:
                self._rights.clear()
            self._rights[subjects] = Access(self._policies, subjects)
        return self._rights[subjects]

    def all(self) -> list[Policy]:
        """Return every policy as it stands, by name.

        An item that is no policy, written by hand or by rules that were laxer, gives nobody rights
        and takes nobody theirs: it is left out.

        Raises:
            Unavailable: the table did not answer.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": PARTITION}},
            "ConsistentRead": self._consistent,
        }
        found: list[Policy] = []
        while True:
            page = self._dynamodb.query(**request)
            found += filter(None, map(_policy_in, page["Items"]))
            if "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def policy_of(item: Mapping[str, Any]) -> Policy:
    """Return the policy that an item holds."""
    return Policy(
        item["sk"]["S"],
        tuple(_texts(item, "subjects")),
        frozenset(map(Action, _texts(item, "actions"))),
        tuple(_texts(item, "models")),
    )


def _policy_in(item: Mapping[str, Any]) -> Policy | None:
    try:
        return policy_of(item)
    except (HeadraceError, KeyError, ValueError):
        return None


def item_of(policy: Policy) -> Item:
    """Return the item that holds a policy."""
    lists = {
        "subjects": policy.subjects,
        "actions": sorted(policy.actions),
        "models": policy.models,
    }
    return {"pk": {"S": PARTITION}, "sk": {"S": policy.name}} | {
        name: {"L": [{"S": str(text)} for text in texts]} for name, texts in lists.items()
    }


def _texts(item: Mapping[str, Any], name: str) -> list[str]:
    return [element["S"] for element in item[name]["L"]]
