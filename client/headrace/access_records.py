"""What the service tells of keys and policies, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Key:
    """An API key.

    Attributes:
        name: what people call it.
        created_at, expires_at, revoked_at: ISO 8601, UTC.
        rate_per_s, daily_quota: calls that a second and a day take; None for any number.
        text: what callers send; None but where the key was made just now.
    """

    key_id: str
    name: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    rate_per_s: int | None
    daily_quota: int | None
    text: str | None = field(default=None, repr=False)  # a secret, which no log is to hold

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read a key as every route of the service writes it."""
        facts = ("expires_at", "revoked_at", "rate_per_s", "daily_quota")
        told: dict[str, Any] = {fact: plain.get(fact) for fact in facts}
        return cls(
            key_id=plain["id"],
            name=plain["name"],
            created_at=plain["created_at"],
            text=plain.get("key"),
            **told,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Gives each of its subjects each of its actions on each of its models."""

    name: str
    subjects: tuple[str, ...]
    actions: tuple[str, ...]
    models: tuple[str, ...]

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read a policy as every route of the service writes it."""
        parts = (tuple(plain[part]) for part in ("subjects", "actions", "models"))
        return cls(plain["name"], *parts)
