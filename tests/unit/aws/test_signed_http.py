"""Signed calls, over a server that fails as networks do."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from headrace_runtime.aws import signed_http
from headrace_runtime.aws.light_clients import LightDynamoDB, LightS3
from headrace_runtime.errors import ObjectNotFound, Unavailable


def answer(status: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


OK = answer("200 OK", b"{}")
DROP = b""
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}"
BUSY = answer("503 Slow")
THROTTLED = answer("400 Bad", b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}')
DENIED = answer("400 Bad", b'{"__type":"com.amazon.coral#AccessDeniedException"}')
MISSING = answer("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")

Script = Callable[..., list[bytes]]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Answer the calls with what the test says, in order; give the requests that came."""
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setattr(signed_http, "_BACKOFF_S", 0.001)
    answers: list[bytes] = []
    seen: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError), connection.makefile("rb") as stream:
                    while head := read_head(stream):
                        seen.append(head)
                        if not (says := answers.pop(0)):
                            break
                        connection.sendall(says)
                        if says is SHORT:
                            break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def script(*says: bytes) -> list[bytes]:
        answers.extend(says)
        return seen

    yield script
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(2)


def read_head(stream) -> bytes:
    """Read one request; return its line and headers."""
    lines = []
    while (line := stream.readline()).strip():
        lines.append(line.lower())
    sizes = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
    stream.read(*sizes) if sizes else None
    return b"".join(lines)


@pytest.fixture
def dynamodb() -> Iterator[LightDynamoDB]:
    client = LightDynamoDB()
    yield client
    client._http.close()


@pytest.mark.parametrize(
    "failure", [DROP, BUSY, THROTTLED, SHORT], ids=["dropped", "busy", "throttled", "short"]
)
def test_a_call_that_failed_on_the_way_is_sent_again(
    failure: bytes, service: Script, dynamodb: LightDynamoDB
) -> None:
    seen = service(failure, failure, OK)

    assert dynamodb.get_item(TableName="t") == {}

    assert len(seen) == 3


def test_one_connection_serves_many_calls(service: Script, dynamodb: LightDynamoDB) -> None:
    service(OK, OK)
    dynamodb.get_item(TableName="t")
    first = dynamodb._http._connection

    dynamodb.get_item(TableName="t")

    assert dynamodb._http._connection is first


def test_a_service_that_never_answers_is_unavailable(
    service: Script, dynamodb: LightDynamoDB
) -> None:
    service(*[BUSY] * 4)

    with pytest.raises(Unavailable, match="dynamodb did not answer: status 503"):
        dynamodb.get_item(TableName="t")


def test_a_refusal_is_not_tried_again(service: Script, dynamodb: LightDynamoDB) -> None:
    seen = service(DENIED)

    with pytest.raises(Unavailable, match="AccessDeniedException"):
        dynamodb.query(TableName="t")

    assert len(seen) == 1


def test_an_object_that_is_gone_is_not_found(service: Script) -> None:
    seen = service(MISSING)
    s3 = LightS3()

    with pytest.raises(ObjectNotFound):
        s3.get_object(Bucket="models", Key="artifacts/a b")

    assert seen[0].startswith(b"get /models/artifacts/a%20b http/1.1")
    s3._http.close()
