"""Webhooks: who is told of a job's end, and how they know that it was Headrace.

Signed as Standard Webhooks has it (standardwebhooks.com, version 1), so that whoever is called can
check with a library that there is.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from headrace_runtime.errors import UnfitInput

SECRET_BYTES = 24
_SCHEME = "whsec_"
_MAX_CHARACTERS = 2048
_LEAST_PORT = 1024  # below are other services than web servers, but for 443
# For these alone http will do: what is sent does not leave the machine.
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is called once its job has ended.

    Whether it leads where calls may go is seen when it is called: what a name stands for changes.

    Attributes:
        url: `https://…`; `http://…` only of this machine, as on a laptop.
        secret: what calls are signed with, `whsec_<base64 of 24 bytes>`.
    """

    url: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        # Checked first: `urlsplit` drops tabs and line ends without a word.
        seen = self.url.isascii() and self.url.isprintable() and not set(' \\#"<>') & set(self.url)
        if not seen or len(self.url) > _MAX_CHARACTERS:
            raise _unfit(f"printable ASCII, without a fragment, {_MAX_CHARACTERS} at most")
        parts = _parts(self.url)
        if not parts.hostname or "@" in parts.netloc:
            raise _unfit("with a host, and without a name or password before it")
        if parts.scheme != "https" and (parts.scheme, self.is_of_this_machine) != ("http", True):
            raise _unfit("https:// (http:// for this machine only)")
        if parts.scheme == "https" and not (self.port == 443 or self.port >= _LEAST_PORT):
            raise _unfit(f"of port 443, or of {_LEAST_PORT} and above")

    @property
    def host(self) -> str:
        """Name or address of the host, in lower case; an IPv6 address without its brackets."""
        return _parts(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, or the scheme's if the URL names none."""
        parts = _parts(self.url)
        return (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port

    @property
    def authority(self) -> str:
        """Host and port as the URL spells them: what a request's header `Host` holds."""
        return _parts(self.url).netloc

    @property
    def path(self) -> str:
        """What is asked of the host: path and query."""
        parts = _parts(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def is_encrypted(self) -> bool:
        """Whether it is called over TLS."""
        return _parts(self.url).scheme == "https"

    @property
    def is_of_this_machine(self) -> bool:
        """Whether the host is this machine by a name that cannot be another's."""
        return self.host in _THIS_MACHINE


def secret_of(draw: bytes) -> str:
    """Return the secret made of 24 random bytes, none of which may be used again."""
    if len(draw) != SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} random bytes, not of {len(draw)}")
    return _SCHEME + base64.b64encode(draw).decode()


def ended_body(detail: Mapping[str, Any]) -> bytes:
    """Return what a webhook is sent of a job's end: the event's detail, but for its own address."""
    told = {name: value for name, value in detail.items() if name != "webhook"}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def signed_headers(secret: str, message_id: str, body: bytes, *, now_s: int) -> dict[str, str]:
    """Return the headers by which *body* is known to come from who has *secret*.

    Args:
        secret: `whsec_<base64>`.
        message_id: the same for every try of one message, so that it is taken once.
        body: as it is sent.
        now_s: seconds since 1970; a receiver refuses what is some minutes old.
    """
    key = base64.b64decode(secret.removeprefix(_SCHEME))
    signed = b"%s.%d.%s" % (message_id.encode(), now_s, body)
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{signature}",
    }


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read late, and only then refused
    except ValueError:
        raise _unfit("a URL") from None
    return parts


def _unfit(what: str) -> UnfitInput:
    # Without the URL itself: it may hold a token.
    return UnfitInput(f"webhook must be {what}: https://<host>[:<port>]/<path>")
