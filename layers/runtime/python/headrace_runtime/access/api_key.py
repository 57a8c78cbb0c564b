"""API keys: `hr_<id>_<secret>`, of which only a salted hash is kept."""

import hashlib
import hmac
import re
from typing import NamedTuple, Self

_TEXT = re.compile(r"hr_([a-z0-9]{16})_([A-Za-z0-9_-]{43})")
_ID, _SECRET, _SALT = 10, 32, 16  # bytes

# Bytes that `NewKey.drawn` takes from whoever can draw what nobody can guess.
DRAW_BYTES = _ID + _SECRET + _SALT


class SecretHash(NamedTuple):
    """What is kept of a secret: enough to know it again, not enough to tell it.

    The secret has 256 random bits, so one round of SHA-256 keeps it; a slow hash protects
    what people make up, and would cost every call.

    Attributes:
        salt: hex, 16 bytes.
        digest: hex, sha256 of salt and secret.
    """

    salt: str
    digest: str

    @classmethod
    def of(cls, secret: str, salt: str) -> Self:
        """Return what is kept of *secret*."""
        return cls(salt, hashlib.sha256(bytes.fromhex(salt) + secret.encode()).hexdigest())

    def is_of(self, secret: str) -> bool:
        """Return whether *secret* is the one, in a time that does not tell how nearly."""
        return hmac.compare_digest(self.of(secret, self.salt).digest, self.digest)


class NewKey(NamedTuple):
    """A key as it is handed out, once.

    Attributes:
        key_id: 16 of a-z and 2-7; no secret, policies and lists name the key by it.
        text: what the caller sends.
        kept: what stays here.
    """

    key_id: str
    text: str
    kept: SecretHash

    @classmethod
    def drawn(cls, draw: bytes) -> Self:
        """Make a key of `DRAW_BYTES` random bytes, none of which may be used again."""
        import base64  # noqa: PLC0415 - for whoever makes keys, not for whoever reads them

        if len(draw) != DRAW_BYTES:
            raise ValueError(f"a key is made of {DRAW_BYTES} random bytes, not of {len(draw)}")
        key_id = base64.b32encode(draw[:_ID]).decode().lower()
        secret = base64.urlsafe_b64encode(draw[_ID : _ID + _SECRET]).decode().rstrip("=")
        kept = SecretHash.of(secret, draw[_ID + _SECRET :].hex())
        return cls(key_id, f"hr_{key_id}_{secret}", kept)


def parts_of(text: str) -> tuple[str, str] | None:
    """Return id and secret of a key's text, or None where it is no key's."""
    found = _TEXT.fullmatch(text)
    return None if found is None else (found[1], found[2])
