"""Lambda's Runtime API for one process: what `awslambdaric` asks, and our answers.

No thread of its own: who invokes drives the conversation, so a call costs no hand-over between
threads. The process always has one question open, `GET next`; an invocation answers it and
reads what comes back.
"""

import selectors
import socket
import time
from collections.abc import Callable

from infra.local.wire import Connection, Request, WireError

_PREFIX = "/2018-06-01/runtime/"
# Read what a function answers whole, to be able to say that it is too large.
_MAX_BODY_BYTES = 1 << 30
# How often a process that has not called yet is asked whether it still lives.
_TICK_S = 0.05


class ProcessGone(Exception):
    """The process has ended, or closed its connection, which it does only as it ends."""


class RuntimeApi:
    """The address that one process calls, and the calls that it makes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._waiting: Connection | None = None
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def await_next(self, deadline: float, alive: Callable[[], bool]) -> bytes | None:
        """Wait until the process asks for an event; return its error if its start failed.

        Args:
            deadline: by `time.monotonic()`.
            alive: tells whether the process runs.

        Raises:
            TimeoutError: the deadline passed.
            ProcessGone: it ended.
        """
        if self._waiting is not None:
            return None
        connection, request = self._next_request(deadline, alive)
        if request.method == "GET" and request.target == f"{_PREFIX}invocation/next":
            self._waiting = connection
            return None
        connection.respond(202, [("content-type", "application/json")], b'{"status":"OK"}')
        return request.body

    def send_event(self, event: bytes, headers: list[tuple[str, str]]) -> None:
        """Answer the open `GET next`.

        Raises:
            ProcessGone: it ended meanwhile; it never saw the event.
        """
        if self._waiting is None:
            raise RuntimeError("await_next comes before send_event")
        connection, self._waiting = self._waiting, None
        try:
            if _closed(connection.socket):
                raise ProcessGone
            connection.respond(200, [("content-type", "application/json"), *headers], event)
        except OSError as error:
            raise ProcessGone from error

    def await_answer(
        self, request_id: str, deadline: float, alive: Callable[[], bool], *, max_bytes: int
    ) -> tuple[bytes, bool]:
        """Return what the function answered, and whether it is an error.

        Raises:
            TimeoutError: the deadline passed.
            ProcessGone: it ended.
            OverflowError: the answer is larger than *max_bytes*.
        """
        connection, request = self._next_request(deadline, alive)
        if len(request.body) > max_bytes:
            connection.respond(413, [("content-type", "application/json")], b"{}")
            raise OverflowError
        connection.respond(202, [("content-type", "application/json")], b'{"status":"OK"}')
        return request.body, request.target == f"{_PREFIX}invocation/{request_id}/error"

    def close(self) -> None:
        """Close every socket; a process that lives on will end by itself."""
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if key.data is not None:
                key.data.close()
        self._listener.close()
        self._selector.close()

    def _next_request(
        self, deadline: float, alive: Callable[[], bool]
    ) -> tuple[Connection, Request]:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ready = self._selector.select(min(left, _TICK_S))
            if not ready and not alive():
                raise ProcessGone
            for key, _ in ready:
                if key.data is None:
                    self._accept()
                elif (request := self._read(key.data, deadline)) is not None:
                    return key.data, request

    def _accept(self) -> None:
        connection = Connection(self._listener.accept()[0])
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _read(self, connection: Connection, deadline: float) -> Request | None:
        connection.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            request = connection.read_request(max_body_bytes=_MAX_BODY_BYTES)
        except TimeoutError:
            raise
        except (OSError, WireError):
            request = None
        if request is None:
            self._selector.unregister(connection.socket)
            connection.close()
            return None
        connection.socket.settimeout(None)
        return request


def _closed(peer: socket.socket) -> bool:
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
