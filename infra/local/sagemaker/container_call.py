"""A call of a container's /invocations, whose bodies never stand in memory whole."""

import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import IO, Any
from urllib.parse import urlsplit

_CHUNK_BYTES = 1 << 20
_IN_MEMORY_BYTES = 8 << 20
_MESSAGE_BYTES = 2048


class ContainerFailed(Exception):
    """There was no answer to use; nothing is known of whether the model ran."""


class ContainerTimedOut(ContainerFailed):
    """There was none in time."""


@dataclass(frozen=True, slots=True)
class ContainerAnswer:
    """What a container answered.

    Attributes:
        body: a file, at its beginning, which goes as it is closed.
        sized: whether it declared its length, without which SageMaker takes no asynchronous one.
    """

    status: int
    content_type: str
    custom_attributes: str | None
    sized: bool
    body: IO[bytes]

    @property
    def is_ok(self) -> bool:
        """Whether the container inferred."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """Return the beginning of the body as text, as errors tell it."""
        self.body.seek(0)
        return self.body.read(_MESSAGE_BYTES).decode("utf-8", "replace")


def invocation_headers(
    content_type: str | None, accept: str | None, custom_attributes: str | None
) -> dict[str, str]:
    """Return the headers that SageMaker lets through to a container."""
    given = {
        "Content-Type": content_type or "application/octet-stream",
        "Accept": accept,
        "X-Amzn-SageMaker-Custom-Attributes": custom_attributes,
    }
    return {name: value for name, value in given.items() if value is not None}


def invoke_container(
    url: str,
    *,
    body: bytes | Any,
    size_bytes: int,
    headers: Mapping[str, str],
    timeout_s: float,
) -> ContainerAnswer:
    """Post a body to a container.

    Args:
        url: the container's.
        body: bytes, or what is read in pieces.
        size_bytes: the body's.
        headers: besides those of the framing.
        timeout_s: for the whole of it.

    Raises:
        ContainerTimedOut: that passed.
        ContainerFailed: the container went away.
    """
    end = time.monotonic() + timeout_s
    # One connection a call: a server that ends would wait for the idle ones.
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout_s, blocksize=_CHUNK_BYTES)
    sent = {**headers, "Content-Length": str(size_bytes), "Connection": "close"}
    try:
        connection.request("POST", "/invocations", body, sent)
        peer = connection.sock  # the connection forgets it as it has the answer's head
        _leave(peer, end)
        return _read(connection.getresponse(), peer, end)
    except TimeoutError as error:
        raise ContainerTimedOut from error
    except (OSError, HTTPException) as error:
        raise ContainerFailed(str(error)) from error
    finally:
        connection.close()


def answers_ping(url: str) -> bool:
    """Tell whether a container is there and well."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _leave(peer: socket.socket, end: float) -> None:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    if peer.fileno() >= 0:  # it is closed with an answer's last byte, where the container says so
        peer.settimeout(left)


def _read(response: HTTPResponse, peer: socket.socket, end: float) -> ContainerAnswer:
    body = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - its reader closes it
    try:
        while chunk := response.read(_CHUNK_BYTES):
            body.write(chunk)
            _leave(peer, end)
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return ContainerAnswer(
        response.status,
        response.headers.get("Content-Type", "application/octet-stream"),
        response.headers.get("X-Amzn-SageMaker-Custom-Attributes"),
        "Content-Length" in response.headers,
        body,
    )
