"""What SageMaker holds of versions, as items of the registry, whose layout is `Registry`'s.

Beside what requests go to, an item has `holding`, all that was noted (JSON), and `revision`.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.registry import Item, endpoint_key
from headrace_runtime.batch.holding import Held, Holding
from headrace_runtime.errors import Conflict
from headrace_runtime.model.endpoint import Endpoint, EndpointState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_APART = ("revision",)  # an attribute of its own


class Holdings:
    """Reads and writes holdings; `Registry.endpoints` reads what requests go to."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def of(self, model: str) -> Iterator[Holding]:
        """Yield what SageMaker holds of each version of a model, as it was noted last."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": f"MODEL#{model}"},
                ":prefix": {"S": "ENDPOINT#"},
            },
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_holding, page["Items"])

    def note(self, old: Holding, new: Holding) -> Holding:
        """Write *new* in the place of *old*, if it says anything else; return what stands then.

        A holding of nothing has no item.

        Raises:
            Conflict: another run noted something meanwhile; nothing was written.
        """
        if new == old:
            return old
        changed = replace(new, revision=old.revision + 1)
        replaces: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if old.revision:
            replaces = {
                "ConditionExpression": "revision = :old",
                "ExpressionAttributeValues": {":old": {"N": str(old.revision)}},
            }
        try:
            if new.empty:
                self._dynamodb.delete_item(TableName=self._table, Key=_key(new), **replaces)
                return replace(new, revision=0)
            self._dynamodb.put_item(TableName=self._table, Item=_item(changed), **replaces)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            what = f"version {new.version} of model {new.model!r}"
            raise Conflict(f"the endpoints of {what} are being worked at by another run") from None
        return changed


def _key(holding: Holding) -> Item:
    return {"pk": {"S": f"MODEL#{holding.model}"}, "sk": {"S": endpoint_key(holding.version)}}


def _item(holding: Holding) -> Item:
    plain = {name: value for name, value in asdict(holding).items() if name not in _APART}
    published = holding.published()
    kinds = {"asynchronous": published.asynchronous, "realtime": published.realtime}
    return {
        **_key(holding),
        "sagemaker_model": {"S": published.sagemaker_model},
        **{kind: _endpoint(one) for kind, one in kinds.items() if one is not None},
        "holding": {"S": json.dumps(plain)},
        "revision": {"N": str(holding.revision)},
    }


def _endpoint(endpoint: Endpoint) -> Item:
    texts = {"name": endpoint.name, "state": str(endpoint.state), "reason": endpoint.reason}
    return {"M": {name: {"S": text} for name, text in texts.items()}}


def _holding(item: Item) -> Holding:
    plain = json.loads(item["holding"]["S"])
    endpoints = tuple(
        Held(**one | {"state": EndpointState(one["state"])}) for one in plain["endpoints"]
    )
    read = {"models": tuple(plain["models"]), "endpoints": endpoints}
    return Holding(**plain | read, revision=int(item["revision"]["N"]))
