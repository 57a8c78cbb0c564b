"""An answer of HTTP/1.1, read strictly: whole, or not at all.

Not read here: a body of no stated length, as nobody can tell a whole one from half of one; any
transfer encoding but `chunked`; headers over several lines.
"""

import socket

_HEAD_BYTES = 65_536  # status line and headers together
_HEADERS = 100
_CHUNK_LINE_BYTES = 1024
_READ_BYTES = 1 << 18
_INTERIM = 8  # answers like `100 Continue` before the one that counts

_IN_NAMES = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_MOST_DIGITS = 15  # of a length


class BrokenAnswer(ConnectionError):
    """What came is no answer of HTTP/1.1, or ended too soon; nothing of it may be believed."""


class Incoming:
    """The bytes that come over a connection, by the line or by the number."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ahead = b""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come beyond what was asked for."""
        return not self._ahead

    def some(self, most: int) -> bytes:
        """Return at least one byte and at most *most*."""
        if not self._ahead:
            self._ahead = self._received(min(most, _READ_BYTES))
        got, self._ahead = self._ahead[:most], self._ahead[most:]
        return got

    def line(self, most: int) -> bytes:
        """Return the next line, of at most *most* bytes, without its end."""
        while (end := self._ahead.find(b"\r\n", 0, most + 2)) < 0:
            if len(self._ahead) >= most + 2:
                raise BrokenAnswer("a line is too long")
            self._ahead += self._received(_HEAD_BYTES)
        found, self._ahead = self._ahead[:end], self._ahead[end + 2 :]
        if b"\r" in found or b"\n" in found or b"\0" in found:
            raise BrokenAnswer("a line holds what no line may")
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _received(self, most: int) -> bytes:
        got = self._connection.recv(most)
        if not got:
            raise BrokenAnswer("the connection ended within an answer")
        return got


class Answer:
    """An answer, its head read and its body on the way.

    Attributes:
        status: 200-599.
        headers: by lower-case name; the values of one that came more than once joined by `, `.

    Raises:
        BrokenAnswer: this is none.
        OSError: the connection broke, or its time-out went by without a byte.
    """

    def __init__(self, incoming: Incoming, method: str) -> None:
        self._incoming = incoming
        for _ in range(_INTERIM):
            old, self.status, self.headers = _head(incoming)
            if self.status >= 200:
                break
        else:
            raise BrokenAnswer("interim answers without an end")
        self._closes = old or "close" in self.headers.get("connection", "").lower()
        self._chunked, self._left = False, 0
        if method != "HEAD" and self.status not in (204, 304):
            self._chunked, self._left = _framing(self.headers)
        self._ended = False
        if not self._chunked and self._left == 0:
            self._end()

    @property
    def leaves_open(self) -> bool:
        """Whether another answer may follow on the connection: this one was read to its end."""
        return self._ended and not self._closes and self._incoming.is_empty

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes of the body, none at its end; by default all that is left.

        Raises:
            BrokenAnswer: the body ended before its end.
            OSError: the connection broke, or its time-out went by without a byte.
        """
        if size >= 0:
            return self._some(size)
        return b"".join(iter(lambda: self._some(_READ_BYTES), b""))

    def _some(self, size: int) -> bytes:
        if self._chunked and self._left == 0 and not self._ended:
            self._left = _chunk_length(self._incoming)
            if self._left == 0:
                self._end()
        if self._ended or size == 0:
            return b""
        got = self._incoming.some(min(size, self._left))
        self._left -= len(got)
        if self._left == 0 and self._chunked and self._incoming.line(_CHUNK_LINE_BYTES):
            raise BrokenAnswer("a chunk is longer than it says")
        if self._left == 0 and not self._chunked:
            self._end()
        return got

    def _end(self) -> None:
        self._ended = True
        if self._closes:
            self._incoming.close()


def _head(incoming: Incoming) -> tuple[bool, int, dict[str, str]]:
    """Return whether the version is the old 1.0, the status, and the headers."""
    budget = _HEAD_BYTES
    line = incoming.line(budget)
    version, code = line[:9], line[9:12]
    if version not in (b"HTTP/1.0 ", b"HTTP/1.1 ") or line[12:13] not in (b"", b" "):
        raise BrokenAnswer("no status line")
    status = _number(code, _DIGITS, 10)
    if not 100 <= status <= 599 or status == 101:
        raise BrokenAnswer("no status that an answer can have")
    headers: dict[str, str] = {}
    for _ in range(_HEADERS + 1):
        budget -= len(line) + 2
        line = incoming.line(max(budget, 0))
        if not line:
            return version == b"HTTP/1.0 ", status, headers
        name, value = _header(line)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise BrokenAnswer("too many headers")


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not name or not colon or name.translate(None, _IN_NAMES):
        raise BrokenAnswer("a header without a name")
    return name.decode().lower(), value.strip(b" \t").decode("latin-1")


def _framing(headers: dict[str, str]) -> tuple[bool, int]:
    """Return whether the body comes in chunks, and its length where it does not."""
    length, encoding = headers.get("content-length"), headers.get("transfer-encoding")
    if encoding is not None:
        if encoding.lower() != "chunked" or length is not None:
            raise BrokenAnswer("a transfer encoding that is not just chunked")
        return True, 0
    if length is None:
        raise BrokenAnswer("a body of no stated length")
    return False, _number(length.encode(), _DIGITS, 10)


def _chunk_length(incoming: Incoming) -> int:
    """Return the length of the next chunk; 0 at the end, with what may follow it read too."""
    line = incoming.line(_CHUNK_LINE_BYTES)
    length = _number(line.partition(b";")[0].rstrip(b" \t"), _HEX_DIGITS, 16)
    if length == 0:
        for _ in range(_HEADERS + 1):
            if not incoming.line(_CHUNK_LINE_BYTES):
                return 0
        raise BrokenAnswer("too many headers behind a body")
    return length


def _number(text: bytes, digits: bytes, base: int) -> int:
    if not 1 <= len(text) <= _MOST_DIGITS or text.translate(None, digits):
        raise BrokenAnswer("a length or status that is no number")
    return int(text, base)
