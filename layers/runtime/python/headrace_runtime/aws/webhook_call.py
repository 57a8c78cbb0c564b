"""Webhooks, called: to public addresses only, and never anywhere else than where was looked.

Whoever submits a file chooses the URL, so a call may not become a way into our own network: the
name is resolved once, all its addresses are judged, and the connection goes to one of them. Nothing
of an answer is believed but its status; a redirect is none that is followed.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping

from headrace_runtime.access.public_address import is_public
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.errors import Unavailable

TIMEOUT_S = 10.0  # for the whole call, but for the name's resolution

_MAX_HEAD_BYTES = 65_536
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.1 1\d\d(?: [^\r\n]*)?\r?\n(?:[^\r\n]+\r?\n)*\r?\n")
_LATER = frozenset({408, 429})  # of what otherwise is the receiver's last word, 400-499


class WebhookCall:
    """Calls webhooks.

    Args:
        private_addresses: whether they may lie on this machine or in its network, and be called
            over plain http: on a laptop only.
        clock: seconds that never run back.
    """

    def __init__(
        self, *, private_addresses: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._private_addresses = private_addresses
        self._clock = clock

    def post(self, webhook: Webhook, headers: Mapping[str, str], body: bytes) -> str | None:
        """Send *body*; return None once it is taken, else a code for why it never will be.

        Args:
            webhook: whom to call.
            headers: beside those of every call; by lower-case name.
            body: JSON.

        Returns:
            None, `NOT_PUBLIC`, `NOT_ENCRYPTED`, or `HTTP_<status>`.

        Raises:
            Unavailable: nobody answered, or asked for a later try; it may have been taken.
        """
        if not webhook.is_encrypted and not self._private_addresses:
            return "NOT_ENCRYPTED"
        try:
            address = self._address(webhook)
            if address is None:
                return "NOT_PUBLIC"
            status = self._status(webhook, address, _request(webhook, headers, body))
        except (OSError, UnicodeError) as error:  # the latter: a name that none can be
            raise Unavailable(
                f"webhook at {webhook.host!r} was not reached: {type(error).__name__}"
            ) from error
        if status in _LATER or status >= 500:
            raise Unavailable(f"webhook at {webhook.host!r} answered {status}")
        return None if 200 <= status < 300 else f"HTTP_{status}"

    def _address(self, webhook: Webhook) -> str | None:
        """Return an address of the host; None where one of them is not public."""
        found = socket.getaddrinfo(webhook.host, webhook.port, type=socket.SOCK_STREAM)
        addresses = [str(sockaddr[0]) for *_, sockaddr in found]
        if not self._private_addresses and not all(map(is_public, addresses)):
            return None
        # IPv4 first: Lambda has IPv6 only in networks that are set up for it.
        return min(addresses, key=lambda address: ":" in address)

    def _status(self, webhook: Webhook, address: str, request: bytes) -> int:
        until = self._clock() + TIMEOUT_S
        with socket.create_connection((address, webhook.port), TIMEOUT_S) as plain:
            if not webhook.is_encrypted:
                return self._answered(plain, request, until)
            plain.settimeout(self._left_s(until))
            context = ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=webhook.host) as encrypted:
                return self._answered(encrypted, request, until)

    def _answered(self, connection: socket.socket, request: bytes, until: float) -> int:
        connection.settimeout(self._left_s(until))
        connection.sendall(request)
        head = b""
        while len(head) < _MAX_HEAD_BYTES:
            connection.settimeout(self._left_s(until))
            got = connection.recv(4096)
            head += got
            while interim := _INTERIM.match(head):
                head = head[interim.end() :]
            status = _STATUS.match(head)
            if status and int(status[1]) >= 200:
                return int(status[1])
            if not got:
                break
        raise ConnectionError("what came is no answer of HTTP/1.1")

    def _left_s(self, until: float) -> float:
        left_s = until - self._clock()
        if left_s <= 0:
            raise TimeoutError("the answer took too long")
        return left_s


def _request(webhook: Webhook, headers: Mapping[str, str], body: bytes) -> bytes:
    named = {
        "host": webhook.authority,
        "user-agent": "headrace",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **headers,
    }
    lines = [f"POST {webhook.path} HTTP/1.1", *(f"{k}: {v}" for k, v in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body
