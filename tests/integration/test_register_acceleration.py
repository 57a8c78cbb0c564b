"""Models dropped with a choice of accelerator, through the handler, on moto."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from headrace_runtime.aws.registration import Registration
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.manifest import Archive
from headrace_runtime.tensor import Datatype
from tests import onnx_models

DONE = {"batchItemFailures": []}
GRAPH = onnx_models.linear()
ON_GPU = {"accelerator": "gpu"}


@pytest.fixture
def drop(function, event, context) -> Callable[..., dict[str, Any]]:
    """Put bytes with metadata into the models bucket and let `register` take the event."""

    def dropped(data: bytes, metadata: dict[str, str] | None = None) -> dict[str, Any]:
        key = "models/digits/v.onnx"
        stored = boto3.client("s3").put_object(
            Bucket="models", Key=key, Body=data, Metadata=metadata or {}
        )
        happened = event("register.dropped_model")
        record = happened["Records"][0]
        body = json.loads(record["body"])
        body["detail"]["object"] |= {"key": key, "version-id": stored["VersionId"]}
        record["body"] = json.dumps(body)
        answer: dict[str, Any] = function("register").lambda_handler(happened, context)
        return answer

    return dropped


def members_of(archive: Archive | None) -> dict[str, bytes]:
    """Return the archive's files by name."""
    assert archive is not None
    stored = boto3.client("s3").get_object(Bucket="models", Key=archive.file.key)["Body"].read()
    assert hashlib.sha256(stored).hexdigest() == archive.file.digest
    assert len(stored) == archive.file.size_bytes
    with tarfile.open(fileobj=BytesIO(stored), mode="r:gz") as opened:
        read = {member.name: opened.extractfile(member) for member in opened.getmembers()}
        return {name: file.read() for name, file in read.items() if file is not None}


def archives() -> list[str]:
    """Return the keys of all archives that are stored."""
    listed = boto3.client("s3").list_objects_v2(Bucket="models", Prefix="artifacts/")
    return [item["Key"] for item in listed["Contents"] if item["Key"].endswith(".tar.gz")]


def test_a_model_that_chose_nothing_may_run_on_a_gpu(drop, registration):
    assert drop(GRAPH) == DONE
    manifest = registration.manifest("digits", 1)
    assert manifest.acceleration == Acceleration()
    assert (manifest.may_use_gpu, manifest.unfit_for_gpu) == (True, "")
    files = members_of(manifest.archive)
    assert list(files) == ["model/config.pbtxt", "model/1/model.onnx"]
    assert files["model/1/model.onnx"] == GRAPH
    config = files["model/config.pbtxt"].decode()
    assert 'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }' in config
    assert "model_warmup" in config
    assert manifest.archive.rows_at_once == 65_536
    assert manifest.archive.file.key.startswith(
        f"artifacts/{hashlib.sha256(GRAPH).hexdigest()}/model-"
    )


def test_a_large_model_is_one_file_in_its_archive(drop, registration):
    large = onnx_models.linear(features=1700, outputs=1700)
    drop(large, ON_GPU)
    manifest = registration.manifest("digits", 1)
    assert [file.file_name for file in manifest.files] == ["graph.onnx", "weights.bin"]
    assert members_of(manifest.archive)["model/1/model.onnx"] == large


def test_the_same_bytes_with_another_choice_are_another_version(drop, registration):
    choices: list[dict[str, str]] = [
        {},
        ON_GPU,
        {"accelerator": "gpu", "realtime": "true"},
        {"tensorrt": "true"},
        {"accelerator": "never"},
    ]
    for metadata in choices:
        drop(GRAPH, metadata)
    manifests = registration.manifests("digits")
    assert [manifest.acceleration.mark for manifest in manifests] == [
        "",
        "+gpu",
        "+gpu+realtime",
        "+tensorrt",
        "+never",
    ]
    assert {manifest.digest for manifest in manifests} == {hashlib.sha256(GRAPH).hexdigest()}
    assert registration.alias("digits", "live").version == 1


@pytest.mark.parametrize("metadata", [{}, ON_GPU, {"accelerator": "never"}])
def test_the_same_bytes_with_the_same_choice_are_the_same_version(drop, registration, metadata):
    drop(GRAPH, metadata)
    drop(GRAPH, metadata)
    assert [manifest.version for manifest in registration.manifests("digits")] == [1]


def test_what_the_default_says_aloud_is_the_default(drop, registration):
    drop(GRAPH)
    drop(GRAPH, {"accelerator": "auto", "realtime": "false", "tensorrt": "false"})
    assert [manifest.version for manifest in registration.manifests("digits")] == [1]


def test_the_default_is_known_by_the_bytes_alone_as_ever(drop, registration):
    drop(GRAPH)
    digest = hashlib.sha256(GRAPH).hexdigest()
    keys = {"pk": {"S": "MODEL#digits"}, "sk": {"S": f"DIGEST#{digest}"}}
    assert boto3.client("dynamodb").get_item(TableName="registry", Key=keys)["Item"]["version"]


def test_choices_share_an_archive_and_tensorrt_has_its_own(drop, registration):
    for metadata in ({}, ON_GPU, {"accelerator": "gpu", "realtime": "true"}):
        drop(GRAPH, metadata)
    assert len(archives()) == 1
    drop(GRAPH, {"tensorrt": "true"})
    assert len(archives()) == 2
    config = members_of(registration.manifest("digits", 4).archive)["model/config.pbtxt"]
    assert b'name: "tensorrt"' in config


def test_a_model_that_may_never_use_a_gpu_has_no_archive(drop, registration):
    drop(GRAPH, {"accelerator": "never"})
    manifest = registration.manifest("digits", 1)
    assert (manifest.archive, manifest.may_use_gpu, manifest.unfit_for_gpu) == (None, False, "")
    assert archives() == []


def test_a_model_that_triton_cannot_serve_says_why_and_serves(drop, registration):
    drop(onnx_models.identity(Datatype.BYTES, ["n", 1]))
    manifest = registration.manifest("digits", 1)
    assert (manifest.archive, manifest.may_use_gpu) == (None, False)
    assert manifest.unfit_for_gpu == (
        "input 'x' is text, which no GPU works on: give numbers for it"
    )
    assert registration.alias("digits", "live").version == 1


@pytest.mark.parametrize("metadata", [ON_GPU, {"realtime": "true"}, {"tensorrt": "true"}])
def test_a_gpu_for_a_model_that_triton_cannot_serve_is_refused(drop, registration, metadata):
    graph = onnx_models.classifier()
    assert drop(graph, metadata) == DONE
    (refusal,) = registration.refusals("digits")
    assert refusal["rule"] == "GPU_UNFIT"
    assert refusal["error"].startswith(
        "a GPU was asked for, and output 'probabilities' is a map of classes, "
    )
    assert refusal["digest"] == hashlib.sha256(graph).hexdigest()
    assert refusal["acceleration"] == Acceleration.from_text(metadata).to_dict()
    assert registration.manifests("digits") == []


def test_a_model_refused_for_its_choice_may_come_again_without(drop, registration):
    drop(onnx_models.classifier(), ON_GPU)
    drop(onnx_models.classifier())
    assert [manifest.acceleration for manifest in registration.manifests("digits")] == [
        Acceleration()
    ]
    assert len(registration.refusals("digits")) == 1


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"accelerator": "quantum"}, "accelerator must be one of auto, gpu, never, not 'quantum'"),
        ({"accelerator": ""}, "accelerator must be one of auto, gpu, never, not ''"),
        ({"accelerator": "GPU"}, "accelerator must be one of auto, gpu, never, not 'GPU'"),
        ({"accelerator": "gpu" * 300}, f"not '{('gpu' * 300)[:40]}'"),
        ({"realtime": "yes"}, "realtime must be true or false, not 'yes'"),
        ({"tensorrt": "1"}, "tensorrt must be true or false, not '1'"),
        (
            {"accelerator": "never", "realtime": "true"},
            "accelerator never goes with neither realtime nor tensorrt",
        ),
    ],
)
def test_a_choice_that_is_none_is_refused_once(drop, registration, metadata, error):
    assert drop(GRAPH, metadata) == DONE
    assert drop(GRAPH, metadata) == DONE
    (refusal,) = registration.refusals("digits")
    assert refusal["rule"] == "ACCELERATION"
    assert error in refusal["error"]
    assert (refusal["digest"], refusal["acceleration"]) == (
        hashlib.sha256(GRAPH).hexdigest(),
        None,
    )


def test_a_choice_that_is_none_does_not_spoil_the_bytes(drop, registration):
    drop(GRAPH, {"accelerator": "quantum"})
    drop(GRAPH, {"accelerator": "tpu"})
    drop(GRAPH)
    assert [manifest.version for manifest in registration.manifests("digits")] == [1]
    assert len(registration.refusals("digits")) == 2


def test_other_metadata_are_others_business(drop, registration):
    drop(GRAPH, {"mtime": "1700000000", "s3cmd-attrs": "uid:0/gname:root", "accelerators": "9"})
    assert registration.manifest("digits", 1).acceleration == Acceleration()


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("PutObject", 1), ("PutObject", 2), ("TransactWriteItems", 1)],  # the model, the archive, all
)
def test_a_death_on_the_way_is_made_good_by_the_next_delivery(
    drop, registration, monkeypatch, operation, nth
):
    with monkeypatch.context() as patched:
        _die_at(patched, operation, nth)
        failed = drop(GRAPH, ON_GPU)
    assert len(failed["batchItemFailures"]) == 1
    assert registration.models() == []
    assert drop(GRAPH, ON_GPU) == DONE
    (manifest,) = registration.manifests("digits")
    assert manifest.acceleration == Acceleration(Accelerator.GPU)
    assert members_of(manifest.archive)["model/1/model.onnx"] == GRAPH


def _die_at(patched: pytest.MonkeyPatch, operation: str, nth: int) -> None:
    """Let the *nth* call of that operation fail, but for the drop itself."""
    real, calls = BaseClient._make_api_call, 0

    def call(client, name, request):
        nonlocal calls
        if name == operation and not str(request.get("Key", "")).startswith("models/"):
            calls += 1
            if calls == nth:
                raise ConnectionError
        return real(client, name, request)

    patched.setattr("botocore.client.BaseClient._make_api_call", call)


def test_a_manifest_from_before_archives_says_so(registration: Registration, publish):
    publish("digits", GRAPH, onnx_models.linear_signature())
    item = {"pk": {"S": "MODEL#digits"}, "sk": {"S": "VERSION#000000001"}}
    dynamodb = boto3.client("dynamodb")
    stored = dynamodb.get_item(TableName="registry", Key=item)["Item"]
    plain = json.loads(stored["manifest"]["S"])
    for member in ("acceleration", "archive", "unfit_for_gpu"):
        del plain[member]
    for member in ("row_ms", "row_bytes"):
        del plain["profile"][member]
    stored["manifest"] = {"S": json.dumps(plain)}
    dynamodb.put_item(TableName="registry", Item=stored)

    manifest = registration.manifest("digits", 1)

    assert (manifest.acceleration, manifest.archive) == (Acceleration(), None)
    assert manifest.may_use_gpu is False
    assert manifest.profile.ms_per_row == 0.1
    assert manifest.unfit_for_gpu == (
        "it was registered before models were made ready for GPUs: "
        "publish it again, and choose an accelerator"
    )
