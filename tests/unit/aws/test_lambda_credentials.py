"""Credentials of a function that starts from a snapshot, asked of a door on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from headrace_runtime.aws import lambda_credentials
from headrace_runtime.aws.http_answer import BrokenAnswer
from headrace_runtime.aws.lambda_credentials import LambdaCredentials
from headrace_runtime.aws.signature_v4 import Credentials

NOON = 1_795_435_200.0  # 2026-11-23T12:00:00Z


class Door(BaseHTTPRequestHandler):
    calls: list[tuple[str, str]]
    status: int

    def do_GET(self) -> None:
        self.calls.append((self.path, self.headers["authorization"]))
        said = {
            "AccessKeyId": f"key-{len(self.calls)}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": "2026-11-23T13:00:00Z",
        }
        body = json.dumps(said).encode()
        self.send_response(self.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Door]]:
    kind = type("OneDoor", (Door,), {"calls": [], "status": 200})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/2021-04-23/credentials"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a word")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(lambda_credentials.time, "time", lambda: NOON)
    yield kind
    server.shutdown()
    server.server_close()
    thread.join(2)


def test_they_are_asked_for_once_with_the_word_that_lambda_gave(door: type[Door]):
    credentials = LambdaCredentials()
    assert credentials.current() == Credentials("key-1", "secret", "token")
    assert credentials.current() == Credentials("key-1", "secret", "token")
    assert door.calls == [("/2021-04-23/credentials", "a word")]


def test_they_are_asked_for_again_before_they_end(door: type[Door], monkeypatch):
    credentials = LambdaCredentials()
    credentials.current()
    monkeypatch.setattr(lambda_credentials.time, "time", lambda: NOON + 3301)
    assert credentials.current() == Credentials("key-2", "secret", "token")


def test_a_door_that_refuses_is_told_and_nothing_is_kept(door: type[Door]):
    credentials = LambdaCredentials()
    door.status = 500
    with pytest.raises(BrokenAnswer, match="status 500"):
        credentials.current()
    door.status = 200
    assert credentials.current().access_key == "key-2"


def test_those_of_the_environment_come_first(door: type[Door], monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from the environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert LambdaCredentials().current().access_key == "from the environment"
    assert door.calls == []
