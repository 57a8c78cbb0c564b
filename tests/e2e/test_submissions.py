"""A job is submitted over HTTPS without an upload, and its submitter is told of its end."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests import onnx_models
from tests.e2e.conftest import Cloud, eventually

MODEL = "submitted"
Got = list[tuple[dict[str, str], bytes]]


@pytest.fixture(scope="module")
def http(cloud: Cloud) -> Iterator[httpx.Client]:
    cloud.s3.put_object(
        Bucket=cloud.env["HEADRACE_MODELS_BUCKET"],
        Key=f"models/{MODEL}/linear.onnx",
        Body=onnx_models.linear(),
    )
    with httpx.Client(base_url=cloud.url, headers=cloud.credential, timeout=30) as client:
        ready = f"/v2/models/{MODEL}/ready"
        eventually(
            lambda: client.get(ready).status_code == 200, within_s=60, what="the model is ready"
        )
        yield client


@pytest.fixture
def receiver() -> Iterator[tuple[str, Got]]:
    """A server that takes every call; its URL, and what it got."""
    got: Got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/jobs", got
    server.shutdown()
    server.server_close()


def test_an_object_becomes_one_job_and_its_end_is_told_signed(
    cloud: Cloud, http: httpx.Client, receiver: tuple[str, Got]
) -> None:
    url, got = receiver
    inbox, key = cloud.env["HEADRACE_INBOX_BUCKET"], f"inbox/{MODEL}/original.csv"
    cloud.s3.put_object(Bucket=inbox, Key=key, Body=b"a,b,c,d\n1,2,3,4\n1,2,x,4\n")
    body = {
        "model": MODEL,
        "object": {"bucket": inbox, "key": key},
        "results": "predictions",
        "webhook": url,
    }
    headers = {"idempotency-key": "once"}

    first, again = (http.post("/jobs", json=body, headers=headers).json() for _ in range(2))
    eventually(lambda: got, within_s=60, what="the webhook is called")

    assert first == again
    sent, told = got[0][0], json.loads(got[0][1])
    assert (told["job_id"], told["state"], told["rows_in"]) == (first["job_id"], "partial", 2)
    key = base64.b64decode(first["webhook_secret"].removeprefix("whsec_"))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + got[0][1]
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert sent["webhook-signature"] == f"v1,{signature}"
    results = http.get(f"/jobs/{first['job_id']}/results").json()["url"]
    assert httpx.get(results).text == "row,y_0,y_1,y_2\n1,20.0,11.0,2.0\n"
    listed = http.get("/jobs", params={"model": MODEL, "state": "partial"}).json()["jobs"]
    assert [job["job_id"] for job in listed].count(first["job_id"]) == 1
    dropped = http.get(f"/jobs/{first['job_id']}/input").json()
    assert httpx.get(dropped["url"]).content == b"a,b,c,d\n1,2,3,4\n1,2,x,4\n"


@pytest.mark.fault("F14")
def test_every_queue_has_dead_letters_that_an_admin_may_count_and_send_back(
    http: httpx.Client,
) -> None:
    queues = http.get("/dead-letters").json()["queues"]

    names = [queue["name"] for queue in queues]
    of_gpus = ["hand-off", "collected", "provision"]
    assert names == ["models", "files", "shards", "parquet-shards", "webhooks", *of_gpus]
    for name in names:
        assert http.post(f"/dead-letters/{name}", json={"max": 1}).status_code == 200
