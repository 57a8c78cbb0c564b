"""A service on 127.0.0.1 that answers as a test scripts it, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headrace import Client
from tests.unit.client.test_client_jobs import ENDED, signed


@dataclass
class Call:
    """What the service was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """Answers by method and path; the last answer of a route is given again and again."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    _answers: dict[str, list[tuple[int, bytes, dict[str, str]]]] = field(default_factory=dict)

    def answers(self, route, value=None, status=200, body=None, **headers):
        raw = json.dumps(value).encode() if body is None else body
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self._answers.setdefault(route, []).append((status, raw, named))

    def hangs_up(self, route):
        self._answers.setdefault(route, []).append((0, b"", {}))

    def answer(self, call):
        self.calls.append(call)
        waiting = self._answers.get(f"{call.method} {call.path}")
        if waiting is None:
            return 404, b'{"error": "there is no such route", "code": "ROUTE_NOT_FOUND"}', {}
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def asked(self):
        return [f"{call.method} {call.path}" for call in self.calls]


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, raw, named = service.answer(Call(self.command, self.path, headers, body))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"content-type": "application/json", **named}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_DELETE = do_GET = do_POST = do_PUT = do  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_):
            """A test's output is its own."""

    return Handler


@pytest.fixture
def service() -> Iterator[Service]:
    scripted = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(scripted))
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.url, timeout_s=5, retries=2) as client:
        yield client


@pytest.fixture
def retried(service, client):
    """Return a function: a job's file and what failed of it -> the file that is sent."""

    def run(body, failed, name="rows.csv"):
        errors = [{"row": row, "line": line, "code": "C", "error": "e"} for row, line in failed]
        service.answers("GET /jobs/j1", ENDED | {"rows_failed": len(failed)})
        signed(
            service, "errors", "errors.jsonl", b"\n".join(json.dumps(e).encode() for e in errors)
        )
        signed(service, "input", name, body)
        upload = {"url": f"{service.url}/storage", "fields": {}}
        service.answers("POST /jobs", {"upload": upload, "key": "k"}, status=201)
        service.answers("POST /jobs", {"job_id": "j2"})
        service.answers("POST /storage", status=204, body=b"")

        assert client.retry_failed("j1") == "j2"

        (sent,) = (call.body for call in service.calls if call.path == "/storage")
        head, _, rest = sent.partition(b"\r\n\r\n")
        boundary = head.partition(b"\r\n")[0]
        return rest[: rest.rindex(b"\r\n" + boundary)]

    return run
