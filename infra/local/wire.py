"""HTTP/1.1 over a socket: requests read and responses written, whole, with few copies.

The standard library's server spends most of a short call parsing headers as e-mail; a local call
should cost what the function costs.
"""

import socket
import time
from dataclasses import dataclass
from http import HTTPStatus

_CHUNK_BYTES = 1 << 16
_DRAIN_S = 2.0
_DRAIN_BYTES = 64 << 20


class WireError(Exception):
    """The peer sent what cannot be taken; `status` is the answer, after which the socket closes."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request.

    Attributes:
        target: path and query, as sent.
        headers: in the order sent, names in lower case, values without outer blanks.
        keep_alive: whether the peer will send another request over this connection.
    """

    method: str
    target: str
    protocol: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    keep_alive: bool

    def header(self, name: str) -> str | None:
        """Return the first value of a header, named in lower case."""
        return next((value for key, value in self.headers if key == name), None)


class Connection:
    """One accepted socket, for one request after another."""

    def __init__(self, accepted: socket.socket, *, max_head_bytes: int = 1 << 16) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = accepted
        self._max_head_bytes = max_head_bytes
        self._ahead = b""

    def read_request(self, *, max_body_bytes: int) -> Request | None:
        """Return the next request, or None when the peer has closed.

        Raises:
            WireError: it is malformed or too large; nothing was answered yet.
            OSError: the connection broke, or the socket's time-out passed.
        """
        head = self._read_head()
        if head is None:
            return None
        method, target, protocol, headers = _parse_head(head)
        fields = dict(headers)
        body = self._read_body(fields, max_body_bytes)
        tokens = fields.get("connection", "").lower()
        keep_alive = "close" not in tokens and (protocol != "HTTP/1.0" or "keep-alive" in tokens)
        return Request(method, target, protocol, headers, body, keep_alive)

    def respond(
        self,
        status: int,
        headers: list[tuple[str, str]],
        body: bytes = b"",
        *,
        send_body: bool = True,
    ) -> None:
        """Send a response; its length is declared even when the body itself stays unsent (HEAD)."""
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
        if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED} and status >= 200:
            lines.append(f"content-length: {len(body)}")
        else:
            body = b""
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if not send_body or not body:
            self.socket.sendall(head)
        elif len(body) < _CHUNK_BYTES:
            self.socket.sendall(head + body)
        else:
            self.socket.sendall(head)
            self.socket.sendall(body)

    def close(self, *, drain: bool = False) -> None:
        """Close; `drain` first reads on a while, so that a peer still sending sees the answer."""
        try:
            if drain:
                self._drain()
        except OSError:
            pass
        finally:
            self.socket.close()

    def _drain(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)
        self.socket.settimeout(_DRAIN_S)
        end, left = time.monotonic() + _DRAIN_S, _DRAIN_BYTES
        while left > 0 and time.monotonic() < end:
            data = self.socket.recv(_CHUNK_BYTES)
            if not data:
                return
            left -= len(data)

    def _read_head(self) -> bytes | None:
        data = self._ahead.lstrip(b"\r\n")
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > self._max_head_bytes:
                raise WireError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            more = self.socket.recv(_CHUNK_BYTES)
            if not more:
                self._ahead = b""
                return None
            data = data + more if data else more.lstrip(b"\r\n")
        if end > self._max_head_bytes:
            raise WireError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._ahead = data[end + 4 :]
        return data[:end]

    def _read_body(self, fields: dict[str, str], limit: int) -> bytes:
        length, coding = fields.get("content-length"), fields.get("transfer-encoding")
        if coding is not None:
            if length is not None or coding.lower() != "chunked":
                raise WireError(HTTPStatus.BAD_REQUEST)
            self._continue(fields)
            return self._read_chunks(limit)
        if length is None:
            return b""
        if not (length.isascii() and length.isdigit()):
            raise WireError(HTTPStatus.BAD_REQUEST)
        if int(length) > limit:
            raise WireError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._continue(fields)
        return self._read_exactly(int(length))

    def _continue(self, fields: dict[str, str]) -> None:
        if fields.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read_exactly(self, count: int) -> bytes:
        if len(self._ahead) >= count:
            body, self._ahead = self._ahead[:count], self._ahead[count:]
            return body
        whole = bytearray(count)
        have = len(self._ahead)
        whole[:have] = self._ahead
        self._ahead = b""
        view = memoryview(whole)
        while have < count:
            got = self.socket.recv_into(view[have:])
            if not got:
                raise ConnectionResetError("the peer closed in the middle of a body")
            have += got
        return bytes(whole)

    def _read_chunks(self, limit: int) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            line = self._read_line().split(b";")[0].strip()
            try:
                size = int(line, 16) if line.isalnum() else -1
            except ValueError:
                size = -1
            if size < 0:
                raise WireError(HTTPStatus.BAD_REQUEST)
            if size == 0:
                break
            total += size
            if total > limit:
                raise WireError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            parts.append(self._read_exactly(size))
            if self._read_exactly(2) != b"\r\n":
                raise WireError(HTTPStatus.BAD_REQUEST)
        while self._read_line():  # trailers
            pass
        return b"".join(parts)

    def _read_line(self) -> bytes:
        while (end := self._ahead.find(b"\r\n")) < 0:
            if len(self._ahead) > self._max_head_bytes:
                raise WireError(HTTPStatus.BAD_REQUEST)
            more = self.socket.recv(_CHUNK_BYTES)
            if not more:
                raise ConnectionResetError("the peer closed in the middle of a body")
            self._ahead += more
        line, self._ahead = self._ahead[:end], self._ahead[end + 2 :]
        return line


def _parse_head(head: bytes) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise WireError(HTTPStatus.BAD_REQUEST)
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise WireError(HTTPStatus.BAD_REQUEST)
        headers.append((name.lower(), value.strip()))
    return words[0], words[1], words[2], tuple(headers)
