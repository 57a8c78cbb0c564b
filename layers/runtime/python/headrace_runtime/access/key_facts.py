"""What is known of a key beside its secret: name, limits, and until when it is good."""

from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from headrace_runtime.access.api_key import SecretHash
from headrace_runtime.errors import UnfitInput

MAX_EXPIRY_DAYS = 3650
MAX_RATE_PER_S = 100_000
MAX_DAILY_QUOTA = 1_000_000_000
_MAX_NAME = 100


class _Facts(NamedTuple):
    key_id: str
    name: str
    kept: SecretHash
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    rate_per_s: int | None
    daily_quota: int | None


class KeyFacts(_Facts):
    """One API key, as it stands.

    Attributes:
        name: for people; 1-100 characters.
        created_at, expires_at, revoked_at: ISO 8601, UTC.
        rate_per_s: calls that one second takes; None for any number.
        daily_quota: calls that one day takes, midnight to midnight UTC; None for any number.
    """

    __slots__ = ()

    def __new__(
        cls,
        key_id: str,
        name: str,
        kept: SecretHash,
        created_at: str,
        *,
        expires_at: str | None = None,
        revoked_at: str | None = None,
        rate_per_s: int | None = None,
        daily_quota: int | None = None,
    ) -> Self:
        """Return the key.

        Raises:
            UnfitInput: the name or a limit is out of its range.
        """
        if not (1 <= len(name) <= _MAX_NAME and name.isprintable()):
            raise UnfitInput(f"name of a key must be 1-{_MAX_NAME} printable characters")
        _check("rate_per_s", rate_per_s, MAX_RATE_PER_S)
        _check("daily_quota", daily_quota, MAX_DAILY_QUOTA)
        limits = expires_at, revoked_at, rate_per_s, daily_quota
        return super().__new__(cls, key_id, name, kept, created_at, *limits)

    def good_at(self, now: datetime) -> bool:
        """Return whether calls with the key are answered: it is neither revoked nor expired."""
        if self.revoked_at is not None:
            return False
        return self.expires_at is None or now < datetime.fromisoformat(self.expires_at)

    def to_dict(self) -> dict[str, Any]:
        """Return what an admin sees of the key: nothing of its secret."""
        plain = self._asdict()
        del plain["kept"]
        return {"id": plain.pop("key_id")} | {k: v for k, v in plain.items() if v is not None}


def moment(now: datetime) -> str:
    """Return *now* as it is stored: ISO 8601, UTC, whole seconds."""
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _check(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise UnfitInput(f"{name} of a key must be a whole number from 1 to {most}")
