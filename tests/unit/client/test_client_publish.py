import hashlib

import pytest

from headrace import (
    Acceleration,
    ApiError,
    Canary,
    Client,
    ModelRefused,
    Unreachable,
    WaitedTooLong,
)
from headrace_runtime.errors import InvalidInput

GRAPH = b"an ONNX graph, let us say"
DIGEST = hashlib.sha256(GRAPH).hexdigest()
EMPTY = {"name": "digits", "latest": 0, "versions": [], "aliases": [], "refusals": []}
READY = EMPTY | {
    "latest": 1,
    "versions": [
        {
            "version": 1,
            "digest": DIGEST,
            "size_bytes": len(GRAPH),
            "origin": "s3://models/models/digits/u.onnx?versionId=1",
            "registered_at": "2026-11-23T00:00:00+00:00",
            "signature": {
                "inputs": [{"name": "X", "datatype": "FP32", "shape": [-1, 64]}],
                "outputs": [
                    {
                        "name": "probabilities",
                        "datatype": "FP32",
                        "shape": [-1, 2],
                        "parameters": {"labels": ["0", "1"]},
                    }
                ],
            },
            "profile": {},
            "acceleration": {"accelerator": "auto", "realtime": False, "tensorrt": False},
            "unfit_for_gpu": None,
            "rows_at_once": 16384,
        }
    ],
    "aliases": [{"name": "live", "version": 1, "revision": 1}],
}
REFUSED = EMPTY | {
    "refusals": [
        {
            "digest": DIGEST,
            "rule": "EXTERNAL_DATA",
            "error": "the model keeps weights in another file: save it as one",
            "origin": "s3://models/models/digits/u.onnx?versionId=1",
            "refused_at": "2026-11-23T00:00:00+00:00",
            "acceleration": {"accelerator": "auto", "realtime": False, "tensorrt": False},
        }
    ]
}
ON_GPU = {"accelerator": "gpu", "realtime": True, "tensorrt": False}


@pytest.fixture
def inbox(service):
    """A service that hands out an upload to itself, and storage that takes it."""
    service.answers(
        "POST /models/digits/versions",
        {
            "upload": {
                "url": f"{service.url}/storage",
                "fields": {"key": "models/digits/u.onnx", "policy": "p"},
            },
            "bucket": "models",
            "key": "models/digits/u.onnx",
            "expires_in_s": 900,
            "max_bytes": 100,
        },
        status=201,
    )
    service.answers("POST /storage", status=204, body=b"")
    return service


def test_a_published_model_is_a_version(inbox, client, tmp_path):
    inbox.answers("GET /models/digits", {"error": "not registered"}, status=404)
    inbox.answers("GET /models/digits", EMPTY)
    inbox.answers("GET /models/digits", READY)
    path = tmp_path / "digits.onnx"
    path.write_bytes(GRAPH)

    version = client.publish(path, "digits")

    assert (version.model, version.version, version.digest) == ("digits", 1, DIGEST)
    assert version.inputs[0].shape == (-1, 64)
    assert version.outputs[0].labels == ("0", "1")


def test_the_file_comes_after_the_fields_and_without_the_key_of_the_service(inbox):
    inbox.answers("GET /models/digits", EMPTY)
    inbox.answers("GET /models/digits", READY)

    with Client(inbox.url, "s3cret") as client:
        client.publish(GRAPH, "digits")

    (upload,) = [call for call in inbox.calls if call.path == "/storage"]
    parts = [upload.body.index(part) for part in (b'name="key"', b'name="policy"', b'name="file"')]
    assert parts == sorted(parts)
    assert GRAPH in upload.body
    assert int(upload.headers["content-length"]) == len(upload.body)
    assert "authorization" not in upload.headers


def test_bytes_that_are_a_version_already_are_not_sent(inbox, client):
    inbox.answers("GET /models/digits", READY)

    assert client.publish(GRAPH, "digits").version == 1
    assert inbox.asked() == ["GET /models/digits"]


def test_the_choice_of_an_accelerator_is_told_to_the_service(inbox, client):
    inbox.answers("GET /models/digits", EMPTY)
    inbox.answers(
        "GET /models/digits",
        READY | {"versions": [READY["versions"][0] | {"acceleration": ON_GPU}]},
    )

    version = client.publish(GRAPH, "digits", accelerator="gpu", realtime=True)

    (asked,) = [call for call in inbox.calls if call.path == "/models/digits/versions"]
    assert asked.json == {"accelerator": "gpu", "realtime": True}
    assert version.acceleration == Acceleration("gpu", realtime=True)
    assert (version.unfit_for_gpu, version.rows_at_once) == (None, 16384)


def test_bytes_that_are_a_version_with_another_choice_are_sent(inbox, client):
    inbox.answers("GET /models/digits", READY)

    assert client.publish(GRAPH, "digits", accelerator="never", wait=False) is None
    assert inbox.asked()[-1] == "POST /storage"


def test_a_refusal_of_another_choice_is_no_verdict(inbox, client):
    refusal = REFUSED["refusals"][0]
    others = [refusal | {"acceleration": chosen} for chosen in (ON_GPU, None)]
    inbox.answers("GET /models/digits", EMPTY | {"refusals": others})
    inbox.answers("GET /models/digits", READY | {"refusals": others})

    assert client.publish(GRAPH, "digits").version == 1


def test_a_refused_model_says_why(inbox, client):
    inbox.answers("GET /models/digits", EMPTY)
    inbox.answers("GET /models/digits", REFUSED)

    with pytest.raises(ModelRefused) as refused:
        client.publish(GRAPH, "digits")

    assert refused.value.rule == "EXTERNAL_DATA"
    assert str(refused.value) == "the model keeps weights in another file: save it as one"


def test_without_waiting_the_model_is_only_sent(inbox, client):
    inbox.answers("GET /models/digits", EMPTY)

    assert client.publish(GRAPH, "digits", wait=False) is None
    assert inbox.asked()[-1] == "POST /storage"


def test_a_verdict_that_does_not_come_is_waited_for_so_long_only(inbox, client):
    inbox.answers("GET /models/digits", EMPTY)

    with pytest.raises(WaitedTooLong, match=r"did not come within 0\.2 s; it may still come"):
        client.publish(GRAPH, "digits", timeout_s=0.2)


def test_a_model_that_is_too_large_is_not_sent(inbox, client):
    inbox.answers("GET /models/digits", EMPTY)

    with pytest.raises(InvalidInput, match="has 101 bytes, and at most 100 are taken"):
        client.publish(bytes(101), "digits")

    assert "POST /storage" not in inbox.asked()


def test_what_storage_says_is_shown(service, client):
    service.answers("GET /models/digits", EMPTY)
    service.answers(
        "POST /models/digits/versions",
        {"upload": {"url": f"{service.url}/storage", "fields": {}}, "key": "k"},
        status=201,
    )
    service.answers(
        "POST /storage",
        status=403,
        body=b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>'
        b"<Message>Invalid according to Policy: Policy expired.</Message>"
        b"<RequestId>R1</RequestId></Error>",
        content_type="application/xml",
    )

    with pytest.raises(ApiError, match=r"storage refused .*: Invalid according to Pol") as refused:
        client.publish(GRAPH, "digits")

    assert (refused.value.code, refused.value.request_id) == ("AccessDenied", "R1")


def test_an_upload_that_breaks_off_is_not_repeated_by_itself(inbox, client):
    inbox.answers("GET /models/digits", EMPTY)
    inbox._answers["POST /storage"] = []
    inbox.hangs_up("POST /storage")

    with pytest.raises(Unreachable, match="storage gave no answer"):
        client.publish(GRAPH, "digits")

    assert inbox.asked().count("POST /storage") == 1


def test_an_alias_is_read_and_moved(service, client):
    alias = {"model": "digits", "name": "live", "version": 1, "revision": 1}
    service.answers("GET /models/digits/aliases/live", alias)
    trial = {"version": 2, "weight": 0.1}
    service.answers("PUT /models/digits/aliases/live", alias | {"revision": 2, "canary": trial})

    before = client.alias("digits", "live")
    after = client.move_alias("digits", "live", 1, canary=Canary(2, 0.1), revision=before.revision)

    assert before.canary is None
    assert (after.canary, after.revision) == (Canary(2, 0.1), 2)
    assert service.calls[-1].json == {"version": 1, "canary": trial, "revision": 1}
