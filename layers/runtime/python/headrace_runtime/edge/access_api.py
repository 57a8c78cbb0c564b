"""Bodies of the routes over keys and policies, strictly read and plainly written."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from headrace_runtime.access.api_key import NewKey
from headrace_runtime.access.key_facts import (
    MAX_DAILY_QUOTA,
    MAX_EXPIRY_DAYS,
    MAX_RATE_PER_S,
    KeyFacts,
    moment,
)
from headrace_runtime.access.policy import Policy, actions_of, policy_name
from headrace_runtime.codec.json_text import read_json
from headrace_runtime.edge.http_api import Answer, json_answer
from headrace_runtime.errors import UnfitInput

_KEY_MEMBERS = ("name", "expires_in_days", "rate_per_s", "daily_quota")
_POLICY_MEMBERS = ("subjects", "actions", "models")


def key_facts(body: bytes, new: NewKey, *, now: datetime) -> KeyFacts:
    """Return what the body of `POST /keys` says of the key that is made for it.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is not `{"name", "expires_in_days"?, "rate_per_s"?, "daily_quota"?}`.
    """
    plain = _members(body, _KEY_MEMBERS)
    if not isinstance(plain.get("name"), str):
        raise UnfitInput("name of the body must be text: what people call the key")
    days = _whole(plain, "expires_in_days", MAX_EXPIRY_DAYS)
    return KeyFacts(
        key_id=new.key_id,
        name=plain["name"],
        kept=new.kept,
        created_at=moment(now),
        expires_at=None if days is None else moment(now + timedelta(days=days)),
        rate_per_s=_whole(plain, "rate_per_s", MAX_RATE_PER_S),
        daily_quota=_whole(plain, "daily_quota", MAX_DAILY_QUOTA),
    )


def new_key_answer(facts: KeyFacts, new: NewKey) -> Answer:
    """Answer with a key's text, which nobody is told again."""
    return json_answer(facts.to_dict() | {"key": new.text}, 201)


def key_answer(facts: KeyFacts) -> Answer:
    """Answer with what is known of a key."""
    return json_answer(facts.to_dict())


def keys_answer(keys: Iterable[KeyFacts]) -> Answer:
    """Answer with what is known of every key."""
    return json_answer({"keys": [key.to_dict() for key in keys]})


def policy_put(name: str, body: bytes) -> Policy:
    """Return the policy that the body of a PUT spells.

    Raises:
        InvalidInput: it is not JSON, or *name* cannot name a policy.
        UnfitInput: it is not `{"subjects", "actions", "models"}`, lists of text that fit.
    """
    policy_name(name)
    plain = _members(body, _POLICY_MEMBERS)
    subjects, actions, models = (_texts(plain, member) for member in _POLICY_MEMBERS)
    return Policy(name, tuple(subjects), actions_of(actions), tuple(models))


def policy_answer(policy: Policy) -> Answer:
    """Answer with a policy."""
    return json_answer(_policy(policy))


def policies_answer(policies: Iterable[Policy]) -> Answer:
    """Answer with every policy."""
    return json_answer({"policies": [_policy(policy) for policy in policies]})


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "subjects": policy.subjects,
        "actions": sorted(policy.actions),
        "models": policy.models,
    }


def _members(body: bytes, known: tuple[str, ...]) -> dict[str, Any]:
    plain = read_json(body)
    if not isinstance(plain, dict):
        raise UnfitInput("the body must be a JSON object")
    for name in plain.keys() - set(known):
        raise UnfitInput(f"the body has no member {name[:80]!r}: it takes {', '.join(known)}")
    return plain


def _whole(plain: dict[str, Any], name: str, most: int) -> int | None:
    number = plain.get(name)
    if number is None:
        return None
    if type(number) is not int or not 1 <= number <= most:  # not isinstance: True is an int
        raise UnfitInput(f"{name} of the body must be a whole number from 1 to {most}")
    return number


def _texts(plain: dict[str, Any], name: str) -> list[str]:
    texts = plain.get(name)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UnfitInput(f"{name} of the body must be a list of texts")
    return texts
