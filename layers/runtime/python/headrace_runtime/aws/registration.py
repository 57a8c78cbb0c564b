"""The registry, written: versions accepted or refused, aliases moved, each in one transaction."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.registry import Registry, version_key
from headrace_runtime.errors import Conflict, ModelNotFound, ModelRefused
from headrace_runtime.model.alias import LIVE, Alias
from headrace_runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES = 20  # concurrent registrations of one model: each round at least one of them wins


class Registration(Registry):
    """Reads and writes the registry; `Registry` has the layout of the table."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        super().__init__(table, dynamodb=dynamodb)
        self._writer = dynamodb

    def accept(self, model: str, make: Callable[[int], Manifest]) -> Manifest:
        """Register the next version and return its manifest; the first becomes `live`.

        Bytes that are a version of this model already stay that version, and its manifest is
        returned: an event that comes twice has one effect.

        Args:
            model: the model's name.
            make: gives the manifest for a version number; called again if another
                registration took the number first.

        Raises:
            Conflict: other registrations won every round; nothing was written.
        """
        for _ in range(_TRIES):
            number = self._latest_or_none(model) or 0
            manifest = make(number + 1)
            known = self.version_of(model, manifest.digest)
            if known is not None:
                return self.manifest(model, known)
            if self._transact(self._accepted(manifest)):
                return manifest
        raise Conflict(f"model {model!r} is being registered too often at once: try again")

    def refuse(
        self, model: str, digest: str, refusal: ModelRefused, *, origin: str, refused_at: str
    ) -> None:
        """Note that these bytes stay refused, and why; a first refusal is never overwritten."""
        refused = {
            "rule": {"S": refusal.rule},
            "error": {"S": refusal.sentence},
            "origin": {"S": origin},
            "refused_at": {"S": refused_at},
        }
        self._transact([self._put(f"MODEL#{model}", f"REFUSAL#{digest}", refused, new=True)])
        self._transact([self._put("MODELS", model, {"latest": {"N": "0"}}, new=True)])

    def move(self, model: str, old: Alias | None, new: Alias) -> None:
        """Write *new* where *old* stood (None: where no alias stood).

        Raises:
            VersionNotFound: the model has no version that *new* points to; nothing was written.
            Conflict: the alias is no longer at *old*; nothing was written.
        """
        self.manifest(model, new.version)
        if new.canary is not None:
            self.manifest(model, new.canary.version)
        put = self._put_alias(model, new, replaces=old)
        if not self._transact([put]):
            raise Conflict(f"alias {new.name!r} of model {model!r} has moved: read it again")

    def _latest_or_none(self, model: str) -> int | None:
        try:
            return self.latest(model)
        except ModelNotFound:
            return None

    def _accepted(self, manifest: Manifest) -> list[dict[str, Any]]:
        pk, number = f"MODEL#{manifest.model}", str(manifest.version)
        version = {
            "version": {"N": number},
            "digest": {"S": manifest.digest},
            "manifest": {"S": json.dumps(manifest.to_dict())},
        }
        counted: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"pk": {"S": "MODELS"}, "sk": {"S": manifest.model}},
            "UpdateExpression": "SET latest = :new",
            "ConditionExpression": "attribute_not_exists(latest) OR latest = :old",
            "ExpressionAttributeValues": {
                ":new": {"N": number},
                ":old": {"N": str(manifest.version - 1)},
            },
        }
        writes: list[dict[str, Any]] = [
            {"Update": counted},
            self._put(pk, version_key(manifest.version), version, new=True),
            self._put(pk, f"DIGEST#{manifest.digest}", {"version": {"N": number}}, new=True),
        ]
        if manifest.version == 1:
            writes.append(self._put_alias(manifest.model, Alias(LIVE, 1), replaces=None))
        return writes

    def _put_alias(self, model: str, alias: Alias, *, replaces: Alias | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            "version": {"N": str(alias.version)},
            "revision": {"N": str(alias.revision)},
        }
        if alias.canary is not None:
            values["canary_version"] = {"N": str(alias.canary.version)}
            values["canary_weight"] = {"N": repr(alias.canary.weight)}
        pk, sk = f"MODEL#{model}", f"ALIAS#{alias.name}"
        put = self._put(pk, sk, values, new=replaces is None)
        if replaces is not None:
            put["Put"]["ConditionExpression"] = "revision = :old"
            put["Put"]["ExpressionAttributeValues"] = {":old": {"N": str(replaces.revision)}}
        return put

    def _put(self, pk: str, sk: str, values: dict[str, Any], *, new: bool) -> dict[str, Any]:
        item = {"pk": {"S": pk}, "sk": {"S": sk}, **values}
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if new:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        return {"Put": put}

    def _transact(self, writes: list[Any]) -> bool:
        """Write all or nothing; False where a condition failed or another write was under way."""
        try:
            self._writer.transact_write_items(TransactItems=writes)
        except self._writer.exceptions.TransactionCanceledException:
            return False
        return True
