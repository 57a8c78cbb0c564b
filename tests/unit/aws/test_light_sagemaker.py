"""Calls of InvokeEndpoint, over a server that fails as networks do; none is made twice lightly."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import boto3
import pytest

from headrace_runtime.aws.light_sagemaker import LightSageMaker, Reply

SLOW, DROP = b"slow", b""


def answer(status: str, body: bytes = b"", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


OK = answer("200 OK", b"raw", "Content-Type: application/x\r\n")


class Runtime:
    """Answers each connection's calls in order, then ends it; notes when the last one came."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections: list[Sequence[bytes]] = []
        self.seen: list[bytes] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError), connection.makefile("rb") as stream:
                    for says in self.connections.pop(0):
                        self.seen.append(read_request(stream))
                        if says == SLOW:
                            self._trickle(connection)
                        else:
                            connection.sendall(says)

    def _trickle(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        while not self._ended.wait(0.02):
            connection.sendall(b".")

    def close(self) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)


def read_request(stream) -> bytes:
    """Read one request; return its line, headers and body."""
    lines = []
    while (line := stream.readline()).strip():
        lines.append(line)
    sizes = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-le")]
    return b"".join(lines) + stream.read(*sizes)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    server = Runtime()
    url = f"http://127.0.0.1:{server.port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
    yield server
    server.close()


@pytest.fixture
def invoke() -> Iterator[Callable[..., Reply]]:
    """Call the endpoint `e` with two bytes."""
    sagemaker = LightSageMaker()

    def call(within_s: float = 5.0) -> Reply:
        return sagemaker.invoke_endpoint("e", b"{}", content_type="a/b", within_s=within_s)

    yield call
    sagemaker.close()


def test_the_body_comes_back_with_its_content_type(
    runtime: Runtime, invoke: Callable[..., Reply]
) -> None:
    runtime.connections = [[OK]]

    assert invoke() == Reply(200, "application/x", b"raw", "")

    [request] = runtime.seen
    assert request.startswith(b"POST /endpoints/e/invocations HTTP/1.1\r\n")
    assert b"\r\ncontent-type: a/b\r\n" in request
    assert b"/eu-west-1/sagemaker/aws4_request, " in request
    assert request.endswith(b"\r\n{}")


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (answer("424 F", b"{}", "x-amzn-ErrorType: ModelError:http://a/\r\n"), "ModelError"),
        (answer("400 B", b'{"__type":"com.amazon#ValidationError"}'), "ValidationError"),
        (answer("502 Bad", b"<html>"), "status 502"),
        (answer("500 Bad", b"[]"), "status 500"),
    ],
)
def test_an_error_has_its_name_and_is_no_reason_to_call_again(
    says: bytes, error: str, runtime: Runtime, invoke: Callable[..., Reply]
) -> None:
    runtime.connections = [[says]]

    assert invoke().error == error
    assert len(runtime.seen) == 1


def test_a_connection_serves_many_calls(runtime: Runtime, invoke: Callable[..., Reply]) -> None:
    runtime.connections = [[OK, OK]]

    assert [invoke().status, invoke().status] == [200, 200]


def test_a_call_that_broke_off_is_not_made_again(
    runtime: Runtime, invoke: Callable[..., Reply]
) -> None:
    runtime.connections = [[DROP], [OK]]

    with pytest.raises(ConnectionError):
        invoke()
    assert len(runtime.seen) == 1
    assert invoke().status == 200


def test_a_kept_connection_that_turns_out_to_be_closed_is_made_anew(
    runtime: Runtime, invoke: Callable[..., Reply]
) -> None:
    runtime.connections = [[OK, DROP], [OK]]
    invoke()

    assert invoke().status == 200
    assert len(runtime.seen) == 3


def test_a_connection_that_is_refused_is_asked_for_once_more(
    invoke: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise ConnectionRefusedError

    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:9")
    monkeypatch.setattr(socket, "create_connection", refuse)

    with pytest.raises(ConnectionRefusedError):
        invoke()
    assert len(asked) == 2


def test_an_answer_that_trickles_ends_with_the_time(
    runtime: Runtime, invoke: Callable[..., Reply]
) -> None:
    runtime.connections = [[SLOW]]
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        invoke(within_s=0.1)
    assert time.monotonic() - began < 1
    assert len(runtime.seen) == 1


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("eu-west-1", "https://runtime.sagemaker.eu-west-1.amazonaws.com"),
        ("cn-north-1", "https://runtime.sagemaker.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_without_a_word_aws_is_called_where_boto3_calls_it(
    region: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    theirs = boto3.client("sagemaker-runtime", region_name=region).meta.endpoint_url

    assert LightSageMaker()._http._wire().authority == address.removeprefix("https://")
    assert theirs == address


def test_the_variable_of_all_services_comes_after_the_services_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert LightSageMaker()._http._wire().authority == "127.0.0.1:1"

    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:2")
    assert LightSageMaker()._http._wire().authority == "127.0.0.1:2"
