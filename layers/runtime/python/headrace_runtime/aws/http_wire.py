"""HTTP/1.1 to one host, over one connection that is kept: as much of it as AWS's services speak.

`http.client` takes longer to import than all that a call does, for the most part in `email`, which
it reads headers with. Not spoken here: proxies, redirects, and what `http_answer` names.
"""

import os
import select
import socket
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from headrace_runtime.aws.http_answer import Answer, Incoming

if TYPE_CHECKING:
    import ssl


class Wire:
    """Calls one host; connects at the first call, and anew where the connection was closed.

    Args:
        origin: `https://<host>[:<port>]`, or `http://…`; a path behind it is not looked at.
        timeout_s: of connecting, and of every wait for bytes until `wait` says otherwise.

    Attributes:
        has_sent: whether bytes of the last call went out; none did where it failed to connect.
        is_kept: whether they went over a connection that had served an earlier call.

    Raises:
        ValueError: *origin* is no such address.
    """

    def __init__(self, origin: str, *, timeout_s: float) -> None:
        scheme, _, rest = origin.partition("://")
        self.authority = rest.partition("/")[0]
        self._host, _, port = self.authority.partition(":")
        if scheme not in ("http", "https") or not self._host or not f"{port}0".isdecimal():
            raise ValueError(f"not an address of HTTP: {origin[:200]!r}")
        self._tls = scheme == "https"
        self._port = int(port or (443 if self._tls else 80))
        self._timeout_s = self._wait_s = timeout_s
        self.has_sent = self.is_kept = False
        self._connection: socket.socket | None = None
        self._answer: Answer | None = None

    def call(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and return the answer, its body still to be read.

        An earlier answer cannot be read any further. Nothing is sent twice.

        Args:
            method: in capitals.
            path: percent-encoded, with the query.
            headers: by lower-case name, all but `content-length`; `host` may be missing.
            body: sent with its length, where there is one or *method* is POST or PUT.

        Raises:
            OSError: no connection, or it broke: `BrokenAnswer`, `TimeoutError`, `ssl.SSLError`….
            ValueError: *path* or a header would break out of its line; nothing was sent.
        """
        self.has_sent = False
        head = self._head(method, path, headers, len(body))
        connection = self._ready()
        self._answer = None  # until there is one, the connection is in no state to be kept
        self.has_sent = True
        connection.sendall(head + body)
        self._answer = Answer(Incoming(connection), method)
        return self._answer

    def wait(self, timeout_s: float) -> None:
        """Wait for bytes so long from now on, in seconds above 0; no longer for a connection."""
        self._wait_s = timeout_s
        if self._connection is not None and self._connection.fileno() >= 0:
            self._connection.settimeout(timeout_s)

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._answer = None

    def _head(self, method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
        named = {"host": self.authority} | dict(headers)
        if length or method in ("POST", "PUT"):
            named["content-length"] = str(length)
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in named.items())]
        if " " in path or not all(line.isascii() and line.isprintable() for line in lines):
            raise ValueError("a request's path or header has characters that it cannot have")
        return "\r\n".join([*lines, "", ""]).encode()

    def _ready(self) -> socket.socket:
        """Return the connection that is kept, if it still is good, else a new one."""
        kept, last = self._connection, self._answer
        if kept is not None and last is not None and last.leaves_open and _is_quiet(kept):
            self.is_kept = True
            return kept
        self.is_kept = False
        self.close()
        self._connection = self._connected()
        self._connection.settimeout(self._wait_s)
        return self._connection

    def _connected(self) -> socket.socket:
        patience_s = min(self._timeout_s, self._wait_s)
        plain = socket.create_connection((self._host, self._port), patience_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _context().wrap_socket(plain, server_hostname=self._host) if self._tls else plain
        except BaseException:
            plain.close()
            raise


def _is_quiet(connection: socket.socket) -> bool:
    """Return whether nothing has come that nobody asked for; an end of the connection would."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)


@cache
def _context() -> "ssl.SSLContext":
    """Return what certificates are checked with, host names too: Python's own rules, TLS 1.2 on.

    The authorities are OpenSSL's, or those of the file that `AWS_CA_BUNDLE` names.
    """
    import ssl  # noqa: PLC0415 - 5 ms, and a service on this machine is called without

    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
