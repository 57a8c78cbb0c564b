"""Models dropped into the bucket, through the handler, on moto."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import boto3
import numpy as np
import onnxruntime as ort
import pytest
from botocore.client import BaseClient

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.model.alias import Alias
from tests import onnx_models


@pytest.fixture
def drop(function, event, context) -> Callable[..., dict[str, Any]]:
    """Put bytes into the models bucket and let `register` take the event, *times* over."""

    def dropped(data: bytes, key: str = "models/digits/digits v1.onnx", times: int = 1, **changed):
        stored = boto3.client("s3").put_object(Bucket="models", Key=key, Body=data)
        happened = event("register.dropped_model")
        record = happened["Records"][0]
        body = json.loads(record["body"])
        body["detail"]["object"] |= {"key": key, "version-id": stored["VersionId"]}
        record["body"] = json.dumps(body)
        handler = function("register", **changed)
        return [handler.lambda_handler(happened, context) for _ in range(times)][-1]

    return dropped


@pytest.fixture(scope="module")
def large() -> bytes:
    """A model of 11 MB."""
    return onnx_models.linear(features=1700, outputs=1700)


DONE = {"batchItemFailures": []}


def test_a_dropped_model_becomes_version_1_and_live(drop, registration):
    data = onnx_models.linear()
    assert drop(data) == DONE
    manifest = registration.manifest("digits", 1)
    assert manifest.digest == hashlib.sha256(data).hexdigest()
    assert manifest.signature == onnx_models.linear_signature()
    assert manifest.origin.startswith("s3://models/models/digits/digits v1.onnx?versionId=")
    assert registration.alias("digits", "live") == Alias("live", 1)


def test_the_bytes_of_a_version_are_kept_under_their_digest(drop, registration):
    data = onnx_models.linear()
    drop(data)
    (file,) = registration.manifest("digits", 1).files
    assert file.key == f"artifacts/{hashlib.sha256(data).hexdigest()}/model.onnx"
    assert boto3.client("s3").get_object(Bucket="models", Key=file.key)["Body"].read() == data


def test_an_event_delivered_twice_has_one_effect(drop, registration):
    assert drop(onnx_models.linear(), times=2) == DONE
    assert [m.version for m in registration.manifests("digits")] == [1]


def test_the_same_bytes_under_another_key_stay_the_version_they_are(drop, registration):
    drop(onnx_models.linear())
    drop(onnx_models.linear(), key="models/digits/again.onnx")
    assert [m.version for m in registration.manifests("digits")] == [1]


def test_other_bytes_become_version_2_and_live_stays(drop, registration):
    drop(onnx_models.linear())
    drop(onnx_models.linear(outputs=2))
    assert registration.latest("digits") == 2
    assert registration.alias("digits", "live").version == 1


def test_a_refused_model_is_listed_with_the_reason(drop, registration):
    assert drop(b"<html>404</html>") == DONE
    (refusal,) = registration.refusals("digits")
    assert refusal["digest"] == hashlib.sha256(b"<html>404</html>").hexdigest()
    assert refusal["rule"] == "NOT_ONNX"
    assert refusal["error"].startswith("the file is text (HTML, XML or JSON): export the model")
    assert registration.models() == ["digits"]


def test_a_refused_model_is_not_tried_again(drop, registration):
    drop(b"<html>404</html>")
    before = registration.refusals("digits")
    drop(b"<html>404</html>", key="models/digits/again.onnx")
    assert registration.refusals("digits") == before


def test_a_model_that_is_too_large_is_refused_unread(drop, registration):
    assert drop(onnx_models.linear(), max_model_bytes=100) == DONE
    (refusal,) = registration.refusals("digits")
    assert refusal["rule"] == "TOO_LARGE"
    assert refusal["digest"].startswith("etag:")


@pytest.mark.parametrize("case", ["test_event", "foreign_key"])
def test_what_is_no_models_event_is_acknowledged(case, function, event, context, registration):
    assert function("register").lambda_handler(event(f"register.{case}"), context) == DONE
    assert registration.models() == []


def test_an_object_that_is_gone_is_acknowledged(function, event, context, registration):
    happened = event("register.dropped_model")
    assert function("register").lambda_handler(happened, context) == DONE
    assert registration.models() == []


def test_a_message_that_fails_comes_again(function, event, context):
    boto3.client("dynamodb").delete_table(TableName="registry")
    stored = boto3.client("s3").put_object(Bucket="models", Key="models/m/a.onnx", Body=b"x")
    happened = event("register.dropped_model")
    body = json.loads(happened["Records"][0]["body"])
    body["detail"]["object"] |= {"key": "models/m/a.onnx", "version-id": stored["VersionId"]}
    happened["Records"][0]["body"] = json.dumps(body)
    answer = function("register").lambda_handler(happened, context)
    failed = [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d"}]
    assert answer == {"batchItemFailures": failed}


def test_a_large_model_is_also_stored_for_mapping(drop, registration, large):
    drop(large)
    manifest = registration.manifest("digits", 1)
    folder = f"artifacts/{hashlib.sha256(large).hexdigest()}"
    assert [f.key for f in manifest.files] == [f"{folder}/graph.onnx", f"{folder}/weights.bin"]
    s3 = boto3.client("s3")
    for file in manifest.files:
        stored = s3.get_object(Bucket="models", Key=file.key)["Body"].read()
        assert (file.digest, file.size_bytes) == (hashlib.sha256(stored).hexdigest(), len(stored))
    assert manifest.files[0].size_bytes < 10_000
    assert s3.get_object(Bucket="models", Key=f"{folder}/model.onnx")["Body"].read() == large


def test_a_large_model_answers_as_the_one_that_was_dropped(drop, registration, large):
    drop(large)
    x = np.random.default_rng(0).standard_normal((3, 1700)).astype(np.float32)
    with Artifacts("models", s3=boto3.client("s3")).fetched(
        registration.manifest("digits", 1)
    ) as p:
        served, dropped = (
            ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
            for model in (str(p), large)
        )
    assert np.array_equal(served, dropped)


def test_a_pair_taken_apart_in_another_way_is_left_and_the_dropped_bytes_serve(
    drop, registration, large
):
    key = f"artifacts/{hashlib.sha256(large).hexdigest()}/graph.onnx"
    boto3.client("s3").put_object(Bucket="models", Key=key, Body=b"another release's")
    drop(large)
    (file,) = registration.manifest("digits", 1).files
    assert file.file_name == "model.onnx"
    assert file.digest == hashlib.sha256(large).hexdigest()
    assert boto3.client("s3").get_object(Bucket="models", Key=key)["Body"].read() == (
        b"another release's"
    )


def test_a_death_between_artifacts_and_registry_is_made_good_by_the_next_delivery(
    drop, registration, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(
            "botocore.client.BaseClient._make_api_call", _dying_at("TransactWriteItems")
        )
        failed = drop(onnx_models.linear())
    assert len(failed["batchItemFailures"]) == 1
    assert registration.models() == []
    assert drop(onnx_models.linear()) == DONE
    assert registration.alias("digits", "live") == Alias("live", 1)


def _dying_at(operation: str):
    real = BaseClient._make_api_call

    def call(client, name, request):
        if name == operation:
            raise ConnectionError
        return real(client, name, request)

    return call


def test_what_is_logged_names_the_model_and_holds_nothing_of_it(drop, caplog):
    caplog.set_level("INFO")
    drop(b"<html>canary</html>")
    (record,) = [one for one in caplog.records if one.name == "register"]
    assert (record.model, record.rule, record.new) == ("digits", "NOT_ONNX", True)
    assert "canary" not in str(vars(record))
