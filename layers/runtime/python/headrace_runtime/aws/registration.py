"""The registry, written: versions accepted or refused, aliases moved, each in one transaction."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.registry import Item, Registry, version_key
from headrace_runtime.errors import (
    AliasNotFound,
    Conflict,
    ModelNotFound,
    ModelRefused,
    Unavailable,
)
from headrace_runtime.model.alias import LIVE, Alias
from headrace_runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES = 20  # concurrent registrations of one model: each round at least one of them wins
_PAUSE_S = 0.01  # times the number of the try: what another transaction needs to end

_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class Registration(Registry):
    """Reads and writes the registry; `Registry` has the layout of the table.

    Single items are read consistently: who writes must see what was written a moment ago.
    """

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        super().__init__(table, dynamodb=dynamodb)
        self._writer = dynamodb

    def accept(self, model: str, make: Callable[[int], Manifest]) -> Manifest:
        """Register the next version and return its manifest; the first becomes `live`.

        Bytes that are a version of this model already, with the same acceleration, stay that
        version, and its manifest is returned: an event that comes twice has one effect.

        Args:
            model: the model's name.
            make: gives the manifest for a version number; called again if another
                registration took the number first.

        Raises:
            ModelRefused: these bytes were refused before; nothing was written.
            Conflict: other registrations won every round; nothing was written.
            Unavailable: other transactions were in the way; nothing was written.
        """
        for _ in range(_TRIES):
            number = self._latest_or_none(model) or 0
            manifest = make(number + 1)
            known = self.version_of(model, manifest.identity)
            if known is not None:
                return self.manifest(model, known)
            refusal = self.refusal(model, manifest.identity)
            if refusal is not None:
                raise refusal
            if self._transact(self._accepted(manifest)):
                return manifest
        raise Conflict(f"model {model!r} is being registered too often at once: try again")

    def refuse(
        self, model: str, identity: str, refusal: ModelRefused, *, origin: str, refused_at: str
    ) -> None:
        """Note that bytes of this identity stay refused, and list the model: both or neither.

        A first refusal is never overwritten, and bytes that are a version stay that version.

        Raises:
            Unavailable: other transactions were in the way; nothing was written.
        """
        pk = f"MODEL#{model}"
        refused = {
            "rule": {"S": refusal.rule},
            "error": {"S": refusal.sentence},
            "origin": {"S": origin},
            "refused_at": {"S": refused_at},
        }
        listed = self._listed(model, "SET latest = if_not_exists(latest, :none)", {":none": 0})
        self._transact(
            [
                listed,
                self._put(pk, f"REFUSAL#{identity}", refused, new=True),
                self._absent(pk, f"DIGEST#{identity}"),
            ]
        )

    def move(self, model: str, old: Alias | None, new: Alias) -> None:
        """Write *new* where *old* stood (None: where no alias stood).

        Raises:
            VersionNotFound: the model has no version that *new* points to; nothing was written.
            Conflict: the alias is no longer at *old*; nothing was written.
            Unavailable: other transactions were in the way; nothing was written.
        """
        if not self._moved(model, old, new):
            raise Conflict(f"alias {new.name!r} of model {model!r} has moved: read it again")

    def change(self, model: str, alias: str, to: Callable[[Alias | None], Alias]) -> Alias:
        """Move an alias to what *to* makes of where it stands, and return that.

        Args:
            model: the model's name.
            alias: the alias's name.
            to: gives the new alias for the one that stands, None where none does; called again
                if the alias moved meanwhile.

        Raises:
            ModelNotFound, VersionNotFound: there is nothing to point to; nothing was written.
            Conflict: it moved every time; nothing was written.
        """
        for _ in range(_TRIES):
            try:
                old = self.alias(model, alias)
            except AliasNotFound:
                old = None
            new = to(old)
            if self._moved(model, old, new):
                return new
        raise Conflict(f"alias {alias!r} of model {model!r} moves too often: try again")

    def _moved(self, model: str, old: Alias | None, new: Alias) -> bool:
        self.manifest(model, new.version)
        if new.canary is not None:
            self.manifest(model, new.canary.version)
        return self._transact([self._put_alias(model, new, replaces=old)])

    def _item(self, pk: str, sk: str) -> Item | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        answer = self._writer.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

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
        counted = self._listed(
            manifest.model,
            "SET latest = :new",
            {":new": manifest.version, ":old": manifest.version - 1},
            condition="attribute_not_exists(latest) OR latest = :old",
        )
        writes: list[dict[str, Any]] = [
            counted,
            self._put(pk, version_key(manifest.version), version, new=True),
            self._put(pk, f"DIGEST#{manifest.identity}", {"version": {"N": number}}, new=True),
            self._absent(pk, f"REFUSAL#{manifest.identity}"),
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

    def _listed(
        self, model: str, update: str, numbers: dict[str, int], *, condition: str | None = None
    ) -> dict[str, Any]:
        changed: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"pk": {"S": "MODELS"}, "sk": {"S": model}},
            "UpdateExpression": update,
            "ExpressionAttributeValues": {n: {"N": str(number)} for n, number in numbers.items()},
        }
        if condition is not None:
            changed["ConditionExpression"] = condition
        return {"Update": changed}

    def _absent(self, pk: str, sk: str) -> dict[str, Any]:
        check = {
            "TableName": self._table,
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        return {"ConditionCheck": check}

    def _transact(self, writes: list[Any]) -> bool:
        """Write all or nothing; False where a condition failed, which is an answer for good.

        A transaction is also cancelled when another one holds an item, or by a throttle: that
        says nothing about the conditions, so it is tried again. A retry of botocore's own, after
        an answer that was lost, carries the same token and so cannot fail on its own writes.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                self._writer.transact_write_items(TransactItems=writes)
            except self._writer.exceptions.TransactionCanceledException as error:
                reasons = {r.get("Code") for r in error.response.get("CancellationReasons", ())}
                if "ConditionalCheckFailed" in reasons:
                    return False
                if not reasons & _PASSING:
                    raise
                time.sleep(attempt * _PAUSE_S)
            else:
                return True
        raise Unavailable("the registry is busy: try again")
