"""The registry, read: models, versions and aliases in one DynamoDB table.

pk               sk                    holds
MODELS           <model>               latest: the highest version, 0 while none was accepted
MODEL#<model>    VERSION#000000001     digest, manifest (JSON)
MODEL#<model>    ALIAS#<alias>         version, canary_version?, canary_weight?, revision
MODEL#<model>    DIGEST#<identity>     version: what these bytes became
MODEL#<model>    REFUSAL#<identity>    rule, error, origin, refused_at
MODEL#<model>    ENDPOINT#000000001    sagemaker_model; asynchronous, realtime: name, state, reason

An identity is the sha256 of the dropped bytes and the mark of the acceleration that was chosen.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from headrace_runtime.errors import AliasNotFound, ModelNotFound, ModelRefused, VersionNotFound
from headrace_runtime.model.acceleration import Acceleration
from headrace_runtime.model.alias import Alias, Canary
from headrace_runtime.model.endpoint import Endpoint, Endpoints, EndpointState
from headrace_runtime.model.manifest import Manifest

Item = dict[str, Any]


class DynamoDB(Protocol):
    """What the registry needs of a DynamoDB client: boto3's, or the light one of `predict`."""

    @property
    def get_item(self) -> Callable[..., Mapping[str, Any]]:
        """Answers as boto3's `get_item` does."""
        ...

    @property
    def query(self) -> Callable[..., Mapping[str, Any]]:
        """Answers as boto3's `query` does, one page a call."""
        ...


class Registry:
    """Reads the registry; `aws/registration.py` writes it."""

    def __init__(self, table: str, *, dynamodb: DynamoDB) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def models(self) -> list[str]:
        """Return the names of all models, those with only refusals included, sorted."""
        return list(self.latest_versions())

    def latest_versions(self) -> dict[str, int]:
        """Return the highest version of every model by name, 0 where each try was refused."""
        return {item["sk"]["S"]: int(item["latest"]["N"]) for item in self._items("MODELS", "")}

    def latest(self, model: str) -> int:
        """Return the model's highest version, 0 where every try so far was refused.

        Raises:
            ModelNotFound: nothing was ever dropped for it.
        """
        item = self._item("MODELS", model)
        if item is None:
            raise ModelNotFound(model)
        return int(item["latest"]["N"])

    def alias(self, model: str, alias: str) -> Alias:
        """Return where *alias* points.

        Raises:
            ModelNotFound, AliasNotFound: there is no such model, or no such alias of it.
        """
        item = self._item(f"MODEL#{model}", f"ALIAS#{alias}")
        if item is None:
            self.latest(model)
            raise AliasNotFound(model, alias)
        return _alias(item)

    def aliases(self, model: str) -> list[Alias]:
        """Return the model's aliases by name."""
        return [_alias(item) for item in self._items(f"MODEL#{model}", "ALIAS#")]

    def manifest(self, model: str, version: int) -> Manifest:
        """Return the facts of a version, which never change.

        Raises:
            ModelNotFound, VersionNotFound: there is no such model, or no such version of it.
        """
        item = self._item(f"MODEL#{model}", version_key(version))
        if item is None:
            self.latest(model)
            raise VersionNotFound(model, version)
        return _manifest(item)

    def manifests(self, model: str) -> list[Manifest]:
        """Return the facts of every version, oldest first."""
        return [_manifest(item) for item in self._items(f"MODEL#{model}", "VERSION#")]

    def refusals(self, model: str) -> list[dict[str, Any]]:
        """Return what was refused: digest, rule, error, origin and refused_at of each.

        And `acceleration`, as a plain value: what was chosen, None where that could not be read.
        """
        return [
            _refused(item["sk"]["S"].removeprefix("REFUSAL#"))
            | {name: item[name]["S"] for name in ("rule", "error", "origin", "refused_at")}
            for item in self._items(f"MODEL#{model}", "REFUSAL#")
        ]

    def version_of(self, model: str, identity: str) -> int | None:
        """Return the version that bytes of this identity became, or None."""
        item = self._item(f"MODEL#{model}", f"DIGEST#{identity}")
        return None if item is None else int(item["version"]["N"])

    def refusal(self, model: str, identity: str) -> ModelRefused | None:
        """Return why bytes of this identity were refused before, or None."""
        item = self._item(f"MODEL#{model}", f"REFUSAL#{identity}")
        return None if item is None else ModelRefused(item["rule"]["S"], item["error"]["S"])

    def endpoints(self, model: str, version: int) -> Endpoints | None:
        """Return what SageMaker has of a version, or None where it has nothing of it.

        `aws/holdings.py` writes it, up to some minutes late: the endpoint itself may be gone.
        """
        item = self._item(f"MODEL#{model}", endpoint_key(version))
        return None if item is None else endpoints_of(item)

    def _item(self, pk: str, sk: str) -> Item | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return self._dynamodb.get_item(TableName=self._table, Key=key).get("Item")

    def _items(self, pk: str, prefix: str) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk"
            + (" AND begins_with(sk, :prefix)" if prefix else ""),
            "ExpressionAttributeValues": {":pk": {"S": pk}}
            | ({":prefix": {"S": prefix}} if prefix else {}),
        }
        while True:
            page = self._dynamodb.query(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def version_key(version: int) -> str:
    """Return the sort key of a version; nine digits, so that keys sort as numbers do."""
    return f"VERSION#{version:09d}"


def endpoint_key(version: int) -> str:
    """Return the sort key of what SageMaker has of a version."""
    return f"ENDPOINT#{version:09d}"


def endpoints_of(item: Item) -> Endpoints:
    """Return what an item says that SageMaker has of a version."""
    asynchronous, realtime = (
        Endpoint(
            name=item[kind]["M"]["name"]["S"],
            state=EndpointState(item[kind]["M"]["state"]["S"]),
            reason=item[kind]["M"]["reason"]["S"],
        )
        if kind in item
        else None
        for kind in ("asynchronous", "realtime")
    )
    return Endpoints(item["sagemaker_model"]["S"], asynchronous, realtime)


def _alias(item: Item) -> Alias:
    canary = None
    if "canary_version" in item:
        canary = Canary(int(item["canary_version"]["N"]), float(item["canary_weight"]["N"]))
    name = item["sk"]["S"].removeprefix("ALIAS#")
    return Alias(name, int(item["version"]["N"]), canary, int(item["revision"]["N"]))


def _refused(identity: str) -> dict[str, Any]:
    digest, plus, names = identity.partition("+")
    chosen = Acceleration.of_mark(plus + names)
    return {"digest": digest, "acceleration": None if chosen is None else chosen.to_dict()}


def _manifest(item: Item) -> Manifest:
    return Manifest.from_dict(json.loads(item["manifest"]["S"]))
