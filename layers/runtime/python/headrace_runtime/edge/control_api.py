"""The control API's bodies: models, versions, aliases as JSON; an alias's move, strictly read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headrace_runtime.codec.json_text import read_json
from headrace_runtime.edge.http_api import Answer, json_answer
from headrace_runtime.errors import Conflict, InvalidInput, UnfitInput
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.alias import Alias, Canary
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.names import MAX_VERSION


@dataclass(frozen=True, slots=True)
class AliasMove:
    """Where a caller wants an alias to point.

    Attributes:
        revision: that of the alias which the move replaces; None to replace whatever stands.
    """

    version: int
    canary: Canary | None
    revision: int | None

    def apply(self, name: str, old: Alias | None) -> Alias:
        """Return the alias after the move.

        Raises:
            Conflict: the alias is not at the revision that the caller read.
            UnfitInput: version and canary are the same.
        """
        if self.revision is not None and (old is None or old.revision != self.revision):
            at = "no revision, it does not exist" if old is None else f"revision {old.revision}"
            raise Conflict(f"alias {name!r} is at {at}, not at {self.revision}: read it again")
        try:
            if old is None:
                return Alias(name, self.version, self.canary)
            return old.moved(self.version, self.canary)
        except InvalidInput as error:
            raise UnfitInput(error.sentence) from None


def alias_move(body: bytes) -> AliasMove:
    """Return the move that the body of a PUT asks for.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is not `{"version", "canary"?: {"version", "weight"}, "revision"?}`; whole
            numbers must be written as such, nothing is converted.
    """
    plain = _members(read_json(body), "the body", {"version", "canary", "revision"})
    canary = plain.get("canary")
    revision = plain.get("revision")
    return AliasMove(
        version=_whole(plain, "version", "the body"),
        canary=None if canary is None else _canary(canary),
        revision=None if revision is None else _whole(plain, "revision", "the body"),
    )


def chosen_acceleration(body: bytes) -> Acceleration:
    """Return what the body of a POST for an upload chooses; nothing where there is none.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is not `{"accelerator"?, "realtime"?, "tensorrt"?}`: auto, gpu or never, and
            two booleans.
    """
    known = ("accelerator", "realtime", "tensorrt")
    plain = _members(read_json(body) if body else {}, "the body", set(known))
    given = {name: value for name, value in plain.items() if value is not None}
    accelerator = given.pop("accelerator", "auto")
    for name, value in given.items():
        if not isinstance(value, bool):
            raise UnfitInput(f"{name} of the body must be true or false")
    if accelerator not in list(Accelerator):
        raise UnfitInput(f"accelerator of the body must be one of {', '.join(Accelerator)}")
    try:
        return Acceleration(Accelerator(accelerator), **given)
    except InvalidInput as error:
        raise UnfitInput(error.sentence) from None


def alias_answer(model: str, alias: Alias) -> Answer:
    """Answer with where an alias points."""
    return json_answer({"model": model, **_alias(alias)})


def models_answer(latest: Mapping[str, int]) -> Answer:
    """Answer with all models and the highest version of each, 0 where all were refused."""
    return json_answer({"models": [{"name": n, "latest": v} for n, v in latest.items()]})


def model_answer(
    name: str,
    latest: int,
    *,
    manifests: Sequence[Manifest],
    aliases: Sequence[Alias],
    refusals: Sequence[Mapping[str, Any]],
) -> Answer:
    """Answer with all that is known of a model."""
    return json_answer(
        {
            "name": name,
            "latest": latest,
            "versions": [_version(manifest) for manifest in manifests],
            "aliases": [_alias(alias) for alias in aliases],
            "refusals": list(refusals),
        }
    )


def _version(manifest: Manifest) -> dict[str, Any]:
    plain = manifest.to_dict()
    shown = (
        *("version", "digest", "size_bytes", "origin", "registered_at"),
        *("signature", "profile", "acceleration"),
    )
    return {name: plain[name] for name in shown} | {
        "unfit_for_gpu": manifest.unfit_for_gpu or None,
        "rows_at_once": None if manifest.archive is None else manifest.archive.rows_at_once,
    }


def _alias(alias: Alias) -> dict[str, Any]:
    plain = {"name": alias.name, "version": alias.version, "revision": alias.revision}
    return plain | ({"canary": asdict(alias.canary)} if alias.canary else {})


def _canary(value: Any) -> Canary:
    plain = _members(value, "canary", {"version", "weight"})
    weight = plain.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise UnfitInput("weight of canary must be a number in (0, 1]")
    try:
        return Canary(_whole(plain, "version", "canary"), float(weight))
    except InvalidInput as error:
        raise UnfitInput(error.sentence) from None


def _members(value: Any, what: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnfitInput(f"{what} must be a JSON object")
    for name in value.keys() - known:
        raise UnfitInput(f"{what} has no member {name[:80]!r}: it takes {', '.join(sorted(known))}")
    return value


def _whole(plain: Mapping[str, Any], name: str, what: str) -> int:
    number = plain.get(name)
    if type(number) is not int or not 1 <= number <= MAX_VERSION:  # not isinstance: True is an int
        raise UnfitInput(f"{name} of {what} must be a whole number from 1 to {MAX_VERSION}")
    return number
