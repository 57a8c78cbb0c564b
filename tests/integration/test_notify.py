"""Who asked to be told of a job's end is told, over HTTP, through the handler."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.webhook import Webhook

JOB_ID = "3f2b8c1d9e7a4f60b5c4d3e2f1a09b8c"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
DONE = {"batchItemFailures": []}
AGAIN = {"batchItemFailures": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}]}


@dataclass
class Receiver:
    """A server that answers with a status, and remembers what it was sent."""

    url: str
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            told.got.append((dict(self.headers), body))
            self.send_response(told.status)
            self.end_headers()
            self.wfile.write(b"so it is")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Receiver(f"http://127.0.0.1:{server.server_address[1]}/jobs?token=quiet")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def notify(function, event, context) -> Callable[..., object]:
    """Make the job with a webhook, and let the handler take the event of its end."""

    def taken(url: str | None, **settings):
        handler = function("notify", **({"private_addresses": 1} | settings))
        webhook = None if url is None else Webhook(url, SECRET)
        source, target = Source("inbox", "k", "v", "e", 4), Target("results", "p/")
        job = Job(JOB_ID, source, target, "2026-11-26T08:00:00+00:00", webhook=webhook)
        Jobs("jobs", dynamodb=boto3.client("dynamodb")).create(job)
        return handler.lambda_handler(event("notify.ended"), context)

    return taken


def test_a_webhook_is_sent_what_became_of_its_job(notify, receiver):
    assert notify(receiver.url) == DONE

    ((_, body),) = receiver.got
    assert json.loads(body) == {
        "job_id": JOB_ID,
        "state": "partial",
        "model": "digits",
        "version": 1,
        "rows_in": 3,
        "rows_ok": 2,
        "rows_failed": 1,
        "results": {"bucket": "results", "prefix": f"digits/rows.csv/{JOB_ID}/"},
        "finished_at": "2026-11-26T09:00:00+00:00",
    }


def test_the_receiver_can_tell_that_it_was_headrace(notify, receiver):
    notify(receiver.url)

    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-id"] == JOB_ID
    assert headers["webhook-signature"] == f"v1,{signature}"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_call_that_was_not_taken_comes_again_with_the_same_id(notify, receiver, status):
    receiver.status = status
    assert notify(receiver.url) == AGAIN

    receiver.status = 200
    assert notify(receiver.url) == DONE
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [JOB_ID, JOB_ID]


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_a_call_that_never_will_be_taken_is_given_up(notify, receiver, status, capfd):
    receiver.status = status

    assert notify(receiver.url) == DONE
    (line,) = [line for line in capfd.readouterr().out.splitlines() if "WebhooksRefused" in line]
    assert json.loads(line)["code"] == f"HTTP_{status}"


def test_nobody_there_is_tried_again(notify, receiver):
    assert notify("http://127.0.0.1:9/") == AGAIN


@pytest.mark.parametrize(("scheme", "why"), [("http", "NOT_ENCRYPTED"), ("https", "NOT_PUBLIC")])
def test_in_the_cloud_no_webhook_leads_into_our_own_network(notify, receiver, capfd, scheme, why):
    assert notify(receiver.url.replace("http", scheme, 1), private_addresses=0) == DONE
    assert receiver.got == []
    assert f'"code":"{why}"' in capfd.readouterr().out


def test_neither_the_address_nor_the_secret_is_logged(notify, receiver, capfd):
    notify(receiver.url)
    receiver.status = 500
    notify(receiver.url)

    logged = capfd.readouterr()
    assert "127.0.0.1" in logged.out
    for secret in ("token=quiet", "/jobs?", SECRET):
        assert secret not in logged.out + logged.err


def test_a_job_without_a_webhook_is_nobodys_business(notify, receiver):
    assert notify(None) == DONE
    assert receiver.got == []


def test_a_message_of_no_job_is_done_with(function, event, context):
    handler = function("notify")
    sent = event("notify.ended")
    for body in ('{"detail": {"job_id": "gone"}}', '{"detail": null}', "{}"):
        sent["Records"][0]["body"] = body
        assert handler.lambda_handler(sent, context) == DONE
