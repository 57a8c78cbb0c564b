"""Keys and policies, as an admin sees them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from headrace.access_records import Key, Policy
from headrace.connection import Connection


class Keys:
    """API keys: who may call. For admins alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        name: str,
        *,
        expires_in_days: int | None = None,
        rate_per_s: int | None = None,
        daily_quota: int | None = None,
    ) -> Key:
        """Make a key and return it with its text, which nobody is told again.

        It may do nothing until a policy names `key:<id>`.

        Args:
            name: what people call it; 1-100 characters.
            expires_in_days: 1 to 3,650; without, the key is good until it is revoked.
            rate_per_s: calls that each second takes; without, any number.
            daily_quota: calls that each day takes, from midnight UTC; without, any number.
        """
        wanted: dict[str, Any] = {
            "name": name,
            "expires_in_days": expires_in_days,
            "rate_per_s": rate_per_s,
            "daily_quota": daily_quota,
        }
        given = {fact: value for fact, value in wanted.items() if value is not None}
        return Key.from_json(self._connection.send("POST", "/keys", given, repeatable=False))

    def list(self) -> list[Key]:
        """Return every key, oldest first, revoked and expired ones too; none with its text."""
        return [Key.from_json(key) for key in self._connection.get("/keys")["keys"]]

    def revoke(self, key_id: str) -> Key:
        """Let a key be good no more, from the next call on."""
        return Key.from_json(self._connection.delete(f"/keys/{quote(key_id, safe='')}"))


class Policies:
    """Policies: who may do what on which models. For admins alone.

    What is put or deleted takes effect within five seconds.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> list[Policy]:
        """Return every policy by name."""
        return [Policy.from_json(plain) for plain in self._connection.get("/policies")["policies"]]

    def get(self, name: str) -> Policy:
        """Return a policy."""
        return Policy.from_json(self._connection.get(_path(name)))

    def put(
        self, name: str, *, subjects: Sequence[str], actions: Sequence[str], models: Sequence[str]
    ) -> Policy:
        """Write a policy, in the place of the one of its name if there is one.

        Args:
            name: 1-63 of a-z, 0-9 and inner hyphens.
            subjects: `key:<id>`, `sub:<subject>`, `claim:<name>=<value>`, `iam:<arn>`.
            actions: infer, explain, submit, publish, promote, read, admin.
            models: names, with `*` for any text and `?` for one character.
        """
        wanted = {"subjects": [*subjects], "actions": [*actions], "models": [*models]}
        return Policy.from_json(self._connection.send("PUT", _path(name), wanted, repeatable=True))

    def delete(self, name: str) -> Policy:
        """Remove a policy, and return what it was."""
        return Policy.from_json(self._connection.delete(_path(name)))


def _path(name: str) -> str:
    return f"/policies/{quote(name, safe='')}"
