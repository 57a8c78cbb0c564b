"""Strings are planted in every field of every request, and no log of any function holds one.

What may stand in a log, since whoever looks for a fault looks for it: the key of a dropped object,
the names of models, aliases and versions that are registered, ids of jobs, keys and requests.
None of those is planted here but `KEY`, which must not forge a line.
"""

import gzip
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import onnx_models
from tests.e2e.conftest import Cloud, eventually

ROW = [1.0, 2.0, 3.0, 4.0]
NUMBER = 7351924.5  # exact as float32
KEY = 'named"}{"level":"FORGED"}.csv'
# What Lambda itself prints, here and there.
PLATFORM = re.compile(
    r"(START RequestId: [0-9a-f-]{36} Version: \S+|END RequestId: [0-9a-f-]{36}"
    r"|REPORT RequestId: [0-9a-f-]{36} Duration: [\d.]+ ms Memory Size: \d+ MB)"
)
MODEL, BROKEN, ON_GPU = "quiet", "quiet-broken", "quiet-gpu"


class Canaries:
    """Makes strings that stand nowhere else, and remembers what must not be logged."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {"a number": str(NUMBER)}

    def __call__(self, where: str) -> str:
        """Return a string to be planted *where*."""
        return self.planted.setdefault(where, f"canary{secrets.token_hex(8)}")

    def given(self, where: str, secret: str) -> None:
        """Remember a secret that the service itself gave."""
        self.planted[where] = secret


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="module")
def http(cloud: Cloud, canaries: Canaries) -> Iterator[httpx.Client]:
    """A caller whose every request has canaries in its headers and its query."""
    headers = {
        "authorization": f"Bearer {cloud.env['HEADRACE_API_KEY']}",
        "user-agent": canaries("user agent"),
        "cookie": f"session={canaries('cookie')}",
        "x-custom": canaries("header"),
        "x-forwarded-for": canaries("forwarded"),
        "traceparent": canaries("trace"),
    }
    canaries.given("the key that calls", cloud.env["HEADRACE_API_KEY"])
    query = {"q": canaries("query"), canaries("query name"): "1"}
    with httpx.Client(base_url=cloud.url, headers=headers, params=query, timeout=60) as client:
        yield client


def graph(canaries: Canaries, where: str) -> bytes:
    """Return a model with canaries in its metadata."""
    import onnx  # noqa: PLC0415 - for this one only

    model = onnx.load_from_string(onnx_models.linear())
    model.doc_string = canaries(f"{where}: doc string")
    model.producer_name = canaries(f"{where}: producer")
    model.graph.name = canaries(f"{where}: graph")
    model.graph.node[0].name = canaries(f"{where}: node")
    model.metadata_props.add(key=canaries(f"{where}: key"), value=canaries(f"{where}: value"))
    return model.SerializeToString()


def drop(cloud: Cloud, bucket: str, key: str, body: bytes, **metadata: str) -> None:
    where = cloud.env[f"HEADRACE_{bucket}_BUCKET"]
    cloud.s3.put_object(Bucket=where, Key=key, Body=body, Metadata=metadata)


@pytest.fixture(scope="module")
def models(cloud: Cloud, http: httpx.Client, canaries: Canaries) -> None:
    """A model that answers, one whose artifact is gone, and some that are refused."""
    drop(cloud, "MODELS", f"models/{MODEL}/m.onnx", graph(canaries, "model"))
    drop(cloud, "MODELS", f"models/{BROKEN}/m.onnx", graph(canaries, "broken model"))
    drop(cloud, "MODELS", f"models/{MODEL}/none.onnx", canaries("no model").encode() * 9)
    gpu, wrong = ({"accelerator": value} for value in ("gpu", canaries("chosen accelerator")))
    drop(cloud, "MODELS", f"models/{ON_GPU}/m.onnx", graph(canaries, "model for GPUs"), **gpu)
    drop(cloud, "MODELS", f"models/{ON_GPU}/n.onnx", graph(canaries, "model for none"), **wrong)
    cut = graph(canaries, "cut model")
    drop(cloud, "MODELS", f"models/{MODEL}/cut.onnx", cut[: len(cut) // 2])
    drop(cloud, "MODELS", "models/No Name/m.onnx", canaries("nameless model").encode())

    def decided() -> bool:
        quiet = http.get(f"/models/{MODEL}").json()
        broken = http.get(f"/v2/models/{BROKEN}/ready")
        gpu = http.get(f"/models/{ON_GPU}").json()
        refused = len(quiet.get("refusals", ())) == 2 and gpu.get("refusals")
        return refused and quiet["latest"] and gpu["latest"] and broken.is_success

    eventually(decided, within_s=60, what="the models are decided on")
    digest = http.get(f"/models/{BROKEN}").json()["versions"][0]["digest"]
    bucket = cloud.env["HEADRACE_MODELS_BUCKET"]
    cloud.s3.delete_object(Bucket=bucket, Key=f"artifacts/{digest}/model.onnx")


def tensor(**members: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": ROW, **members}


def ask(http: httpx.Client, canaries: Canaries) -> None:
    """Call predict in every way that ends well or badly."""
    c, url = canaries, f"/v2/models/{MODEL}/infer"
    good = {"id": c("id") + "\n\x1b[31m", "inputs": [tensor(data=[NUMBER, 2, 3, 4])]}
    assert http.post(url, json=good).status_code == 200
    assert http.post(f"/v2/models/{BROKEN}/infer", json=good).status_code == 500
    bodies: list[Any] = [
        {"inputs": [tensor(name=c("input name"))]},
        {"inputs": [tensor(datatype=c("datatype"))]},
        {"inputs": [tensor(shape=[c("shape")])]},
        {"inputs": [tensor(data=[c("value")] * 4)]},
        {"inputs": [tensor(datatype="BYTES", data=[c("text value")] * 4)]},
        {"inputs": [tensor(parameters={c("parameter name"): c("parameter")})]},
        {"inputs": [tensor()], "outputs": [{"name": c("output name")}]},
        {"inputs": [tensor()], c("member"): c("member value")},
        [c("body")],
        c("text body"),
    ]
    for body in bodies:
        http.post(url, json=body)
    http.post(url, content=c("no JSON").encode())
    http.post(
        url, content=gzip.compress(c("packed").encode()), headers={"content-encoding": "gzip"}
    )
    http.post(url, content=c("not packed").encode(), headers={"content-encoding": "gzip"})
    http.post(url, content=b"{}", headers={"content-encoding": c("encoding")})
    http.post(url, content=c("raw").encode(), headers={"inference-header-content-length": "0"})
    http.post(url, content=b"{}", headers={"inference-header-content-length": c("length")})
    http.get(f"/v2/models/{c('unknown model')}")
    http.get(f"/v2/models/{MODEL}/versions/{c('unknown alias')}")
    http.get(f"/v2/models/{c('no name').upper()}/ready")
    http.get(f"/{c('no route')}/x")
    http.get('/v2/models/a%0A{"level":"FORGED"}%1B[31m/ready')
    http.post("/v2/repository/index", json={"ready": c("index")})


def manage(http: httpx.Client, canaries: Canaries) -> None:
    """Call the control API in every way, and remember the secrets that it gives."""
    c = canaries
    versions = f"/models/{MODEL}/versions"
    assert http.post(versions, json={c("upload member"): c("upload value")}).status_code == 422
    assert http.post(versions, json={"accelerator": c("accelerator")}).status_code == 422
    upload = http.post(versions, json={"accelerator": "never"}).json()["upload"]
    c.given("upload signature", upload["fields"]["x-amz-signature"])
    c.given("upload policy", upload["fields"]["policy"])
    http.put(f"/models/{MODEL}/aliases/live", json={"version": c("version")})
    http.put(f"/models/{MODEL}/aliases/{c('alias').upper()}", json={"version": 1})
    http.get(f"/models/{c('other model')}")
    http.get("/metrics", params={"model": c("metrics model"), "since_s": c("since")})
    made = http.post("/keys", json={"name": c("key name")})
    assert made.status_code == 201
    c.given("a new key's secret", made.json()["key"].rpartition("_")[2])
    http.post("/keys", json={"name": "n", "expires_in_days": c("days")})
    http.delete(f"/keys/{c('revoked')}")
    policy = {"subjects": [f"sub:{c('subject')}"], "actions": ["infer"], "models": [c("glob")]}
    http.put("/policies/quiet", json=policy)
    http.put("/policies/quiet", json=policy | {"actions": [c("action")]})
    http.delete("/policies/quiet")
    http.post(f"/dead-letters/{c('queue')}", json={"max": 1})
    http.post("/dead-letters/webhooks", json={"max": c("max"), c("redrive member"): 1})
    http.get("/dead-letters")


def submit(http: httpx.Client, canaries: Canaries) -> None:
    """Call the API of jobs in every way that makes none, and remember the secrets that it gives."""
    c, file = canaries, {"model": MODEL, "file": "rows.csv"}
    http.post("/jobs", json=file | {c("submit member"): c("submit value")})
    http.post("/jobs", json=file | {"file": c("file of no kind")})
    http.post("/jobs", json=file | {"results": c("wish"), "webhook": c("no webhook")})
    http.post("/jobs", json={"model": MODEL, "object": {"bucket": c("bucket"), "key": c("object")}})
    key = {"idempotency-key": c("idempotency key")}
    hook = f"https://{c('hook name')}.example/{c('hook path')}?{c('hook query')}"
    sent = http.post("/jobs", json=file | {"webhook": hook}, headers=key).json()
    c.given("job upload", sent["upload"]["fields"]["x-amz-signature"])
    c.given("webhook secret", sent["webhook_secret"])
    assert http.post("/jobs", json=file, headers=key).status_code == 422
    http.get(f"/jobs/{c('job id')}")
    http.delete(f"/jobs/{c('cancelled job')}")
    http.get("/jobs", params={"model": c("list model").upper(), "next": c("token")})
    http.get("/jobs", params={c("list parameter"): "1"})
    http.post("/plans", json={"model": MODEL, "rows": 1, "size_bytes": 1, "format": c("format")})
    http.post("/plans", json={"model": c("plan model"), "rows": 1, "size_bytes": 1})


def notify(cloud: Cloud, http: httpx.Client, canaries: Canaries) -> None:
    """Let a job end whose webhook nobody answers, and wait until that was seen."""
    c = canaries
    drop(cloud, "INBOX", f"inbox/{MODEL}/told.csv", b"1,2,3,4\n")
    original = {"bucket": cloud.env["HEADRACE_INBOX_BUCKET"], "key": f"inbox/{MODEL}/told.csv"}
    hook = f"http://127.0.0.1:9/{c('called path')}?{c('called query')}"
    sent = http.post("/jobs", json={"model": MODEL, "object": original, "webhook": hook})
    assert sent.status_code == 201
    c.given("called webhook's secret", sent.json()["webhook_secret"])
    log, failed = cloud.home / "logs" / "notify.log", '"level":"ERROR"'

    def called() -> bool:
        return log.exists() and failed in log.read_text()

    eventually(called, within_s=90, what="notify failed")


def knock(http: httpx.Client, canaries: Canaries) -> None:
    """Call with credentials that are none."""
    for name in ("authorization", "x-api-key"):
        for form in ("{}", "Bearer {}", "Bearer hr_0123456789abcdef_{}", "Bearer a.{}.c"):
            value = form.format(canaries(f"{name} {form}"))
            assert http.get("/v2/models", headers={"authorization": "", name: value}).is_error


def send_files(cloud: Cloud, http: httpx.Client, canaries: Canaries) -> None:
    """Drop files, good and bad, and wait until all of their jobs have ended."""
    c = canaries
    csv = f"a,b,c,d\n1,2,3,4\n1,{c('cell')},3,4\n{NUMBER},2,3,4\n".encode()
    lines = f'[1,2,3,4]\n[1,2,3,"{c("json value")}"]\n{{"{c("json name")}":1}}\n{c("no json")}\n'
    files = {
        f"inbox/{MODEL}/rows.csv": csv,
        f"inbox/{MODEL}/rows.jsonl": lines.encode(),
        f"inbox/{MODEL}/header.csv": f"{c('column')},b\n1,2\n".encode(),
        f"inbox/{MODEL}/{KEY}": csv,
        f"inbox/{MODEL}/x.{c('of no kind')}": c("content of no kind").encode(),
        "inbox/quiet-unknown/rows.csv": c("content for no model").encode(),
        f"inbox/{BROKEN}/rows.csv": csv,
        f"inbox/{ON_GPU}/rows.csv": csv,
    }
    for key, body in files.items():
        drop(cloud, "INBOX", key, body)
    c.planted.pop("of no kind")  # a part of an object's key

    results = cloud.env["HEADRACE_RESULTS_BUCKET"]

    def manifests() -> list[str]:
        listed = cloud.s3.list_objects_v2(Bucket=results, Prefix="quiet").get("Contents", [])
        return [entry["Key"] for entry in listed if entry["Key"].endswith("manifest.json")]

    ended = len(files) - 1  # the job of the model that cannot be loaded is tried again for long
    eventually(lambda: len(manifests()) >= ended, within_s=90, what="the jobs ended")
    failed = '"level":"ERROR"'
    eventually(lambda: failed in cloud.log("batch"), within_s=60, what="batch failed")
    for key in manifests():
        job = key.split("/")[-2]
        for part in ("results", "errors", "manifest"):
            given = http.get(f"/jobs/{job}/{part}").json()
            if "url" in given:
                c.given(f"{part} of {job}", given["url"].rpartition("X-Amz-Signature=")[2][:64])


@pytest.fixture(scope="module")
def logs(cloud: Cloud, http: httpx.Client, models: None, canaries: Canaries) -> dict[str, str]:
    """What every function has printed once all of that was called, by function."""
    ask(http, canaries)
    manage(http, canaries)
    submit(http, canaries)
    knock(http, canaries)
    send_files(cloud, http, canaries)
    notify(cloud, http, canaries)
    found = {path.stem: path.read_text() for path in (cloud.home / "logs").glob("*.log")}
    # On the screen of whoever starts the local cloud their key is shown on purpose.
    screen = [line for line in cloud.output.read_text().splitlines() if "_API_KEY=" not in line]
    return {**found, "the cloud": "\n".join(screen)}


FUNCTIONS = (
    "authorise",
    "batch",
    "collect",
    "grant",
    "hand_off",
    "intake",
    "manage",
    "notify",
    "observe",
    "predict",
    "provision",
    "redrive",
    "register",
    "submit",
)


def test_every_function_was_called_and_printed(logs: dict[str, str]) -> None:
    for function in FUNCTIONS:
        assert logs[function], function
    for function in ("batch", "notify", "predict"):
        assert '"level":"ERROR"' in logs[function], function


def test_no_log_holds_what_was_planted(logs: dict[str, str], canaries: Canaries) -> None:
    hits = [
        f"{where} in the log of {name}"
        for where, secret in canaries.planted.items()
        for name, text in logs.items()
        if secret in text
    ]

    assert len(canaries.planted) > 60
    assert hits == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_line_is_json_with_a_request_id_and_none_is_forged(
    function: str, logs: dict[str, str]
) -> None:
    assert "\x1b" not in logs[function]
    for line in logs[function].splitlines():
        if PLATFORM.fullmatch(line):
            continue
        printed = json.loads(line)
        assert printed.get("function_request_id"), line
        assert printed.get("level") != "FORGED"
