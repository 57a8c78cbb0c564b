"""The control API, through the handler, on moto."""

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from headrace_runtime.errors import ModelRefused
from headrace_runtime.model.acceleration import Acceleration, Accelerator, unknown_mark
from headrace_runtime.model.alias import Alias, Canary
from headrace_runtime.model.manifest import OLDER_THAN_ARCHIVES
from tests import onnx_models


@pytest.fixture
def call(function, event, context) -> Callable[..., tuple[int, Any]]:
    """Send a sample event, members replaced; give status and body."""

    def called(case: str, body: Any = None, **members: Any) -> tuple[int, Any]:
        if body is not None:
            members["body"] = body if isinstance(body, str) else json.dumps(body)
        answer = function("manage").lambda_handler(event(f"manage.{case}", **members), context)
        assert answer["headers"]["content-type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    return called


@pytest.fixture
def two_versions(publish):
    """`digits` in two versions, live at 1."""
    publish("digits", onnx_models.linear(), onnx_models.linear_signature())
    return publish("digits", onnx_models.linear(4, 2), onnx_models.linear_signature(4, 2))


def test_models_are_listed_with_their_latest_version(call, two_versions, registration):
    refusal = ModelRefused("NOT_ONNX", "the file is empty: export it")
    registration.refuse("broken", "d", refusal, origin="s3://…", refused_at="2026-11-23")
    listed = [{"name": "broken", "latest": 0}, {"name": "digits", "latest": 2}]
    assert call("models") == (200, {"models": listed})


def test_a_model_shows_versions_aliases_and_refusals(call, two_versions, registration):
    refusal = ModelRefused("NOT_ONNX", "the file is empty: export it")
    registration.refuse("digits", "d" * 64, refusal, origin="s3://o", refused_at="2026-11-23")
    status, body = call("model")
    assert status == 200
    assert (body["name"], body["latest"]) == ("digits", 2)
    assert [version["version"] for version in body["versions"]] == [1, 2]
    assert body["versions"][1] == {
        "version": 2,
        "digest": two_versions.digest,
        "size_bytes": two_versions.size_bytes,
        "origin": "s3://models/models/digits/test.onnx?versionId=1",
        "registered_at": "2026-11-23T00:00:00+00:00",
        "signature": {
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
        },
        "profile": {
            "load_ms": 1.0,
            "run_ms": 0.1,
            "peak_memory_bytes": 1 << 20,
            "onnxruntime": "1.32.0",
            "optimise": True,
            "deterministic": True,
            "row_ms": 0.0,
            "row_bytes": 0,
        },
        "acceleration": {"accelerator": "auto", "realtime": False, "tensorrt": False},
        "unfit_for_gpu": OLDER_THAN_ARCHIVES,
        "rows_at_once": None,
    }
    assert body["aliases"] == [{"name": "live", "version": 1, "revision": 1}]
    assert body["refusals"] == [
        {
            "digest": "d" * 64,
            "rule": "NOT_ONNX",
            "error": "the file is empty: export it",
            "origin": "s3://o",
            "refused_at": "2026-11-23",
            "acceleration": {"accelerator": "auto", "realtime": False, "tensorrt": False},
        }
    ]


def test_a_model_shows_where_its_versions_may_run(call, publish, registration):
    chosen = Acceleration(Accelerator.GPU, realtime=True)
    publish(
        "digits",
        onnx_models.linear(),
        onnx_models.linear_signature(),
        acceleration=chosen,
        archive=True,
    )
    refusal = ModelRefused("ACCELERATION", "accelerator must be one of auto, gpu, never, not 'tpu'")
    mark = unknown_mark({"accelerator": "tpu"})
    registration.refuse("digits", "d" * 64 + mark, refusal, origin="s3://o", refused_at="2026")

    status, body = call("model")

    assert status == 200
    (version,) = body["versions"]
    assert version["acceleration"] == {"accelerator": "gpu", "realtime": True, "tensorrt": False}
    assert (version["unfit_for_gpu"], version["rows_at_once"]) == (None, 65_536)
    (refused,) = body["refusals"]
    assert (refused["digest"], refused["acceleration"]) == ("d" * 64, None)


@pytest.mark.parametrize("case", ["model", "alias", "move_alias"])
def test_an_unknown_model_is_not_found(call, aws, case):
    status, body = call(case, body=MOVE if case == "move_alias" else None)
    assert (status, body["code"]) == (404, "MODEL_NOT_FOUND")
    assert body["error"] == "model 'digits' is not registered"


MOVE = {"version": 2}


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"model": "..", "alias": "live"}, "'..' is not a valid model name"),
        ({"model": "models", "alias": "live"}, "'models' is not a valid model name"),
        ({"model": "digits", "alias": "7"}, "'7' is not a valid alias name"),
    ],
)
def test_a_name_that_is_none_is_refused(call, aws, parameters, error):
    status, body = call("alias", pathParameters=parameters)
    assert (status, body["code"]) == (400, "INVALID_NAME")
    assert error in body["error"]


def test_an_upload_carries_the_choice_of_an_accelerator_and_no_other(call, aws):
    status, body = call("upload", {"accelerator": "gpu", "realtime": True, "tensorrt": False})
    assert status == 201
    fields = body["upload"]["fields"]
    said = {name: value for name, value in fields.items() if name.startswith("x-amz-meta-")}
    assert said == {"x-amz-meta-accelerator": "gpu", "x-amz-meta-realtime": "true"}
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert {"x-amz-meta-accelerator": "gpu"} in conditions
    assert {"x-amz-meta-realtime": "true"} in conditions


@pytest.mark.parametrize("body", [None, {}, {"accelerator": None}, {"accelerator": "auto"}])
def test_an_upload_without_a_choice_has_no_metadata(call, aws, body):
    status, given = call("upload", body)
    assert status == 201
    assert not any(name.startswith("x-amz-meta-") for name in given["upload"]["fields"])


@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        ({"accelerator": "tpu"}, "accelerator of the body must be one of auto, gpu, never"),
        ({"accelerator": ["gpu"]}, "accelerator of the body must be one of auto, gpu, never"),
        ({"accelerator": "GPU"}, "accelerator of the body must be one of auto, gpu, never"),
        ({"realtime": "true"}, "realtime of the body must be true or false"),
        ({"realtime": 1}, "realtime of the body must be true or false"),
        ({"tensorrt": "yes"}, "tensorrt of the body must be true or false"),
        ({"cuda": True}, "the body has no member 'cuda'"),
        ([], "the body must be a JSON object"),
        (
            {"accelerator": "never", "realtime": True},
            "accelerator never goes with neither realtime nor tensorrt",
        ),
    ],
)
def test_a_choice_that_is_none_is_refused_before_anything_is_sent(call, aws, chosen, error):
    status, body = call("upload", chosen)
    assert (status, body["code"]) == (422, "UNFIT_INPUT")
    assert error in body["error"]


def test_an_upload_can_put_one_object_of_bounded_size_for_a_quarter_of_an_hour(call, aws):
    status, body = call("upload")
    assert status == 201
    assert (body["bucket"], body["expires_in_s"], body["max_bytes"]) == ("models", 900, 512 << 20)
    folder, model, name = body["key"].split("/")
    assert (folder, model, name[-5:], len(name)) == ("models", "digits", ".onnx", 37)
    assert body["upload"]["url"] == "https://models.s3.eu-west-1.amazonaws.com/"
    assert body["upload"]["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    policy = json.loads(base64.b64decode(body["upload"]["fields"]["policy"]))
    assert ["content-length-range", 1, 512 << 20] in policy["conditions"]
    assert {"key": body["key"]} in policy["conditions"]
    assert {"bucket": "models"} in policy["conditions"]


def test_an_upload_is_never_given_for_the_same_key_twice(call, aws):
    assert call("upload")[1]["key"] != call("upload")[1]["key"]


def test_an_alias_is_shown(call, two_versions):
    assert call("alias") == (
        200,
        {"model": "digits", "name": "live", "version": 1, "revision": 1},
    )


def test_an_alias_moves_with_a_canary(call, two_versions, registration):
    status, body = call("move_alias")
    canary = {"version": 2, "weight": 0.1}
    moved = {"model": "digits", "name": "live", "version": 1, "revision": 2, "canary": canary}
    assert (status, body) == (200, moved)
    assert registration.alias("digits", "live") == Alias("live", 1, Canary(2, 0.1), 2)


def test_a_move_without_a_revision_replaces_whatever_stands(call, two_versions):
    call("move_alias")
    assert call("move_alias", MOVE)[1]["revision"] == 3


def test_a_new_alias_is_made(call, two_versions, registration):
    parameters = {"model": "digits", "alias": "staging"}
    assert call("move_alias", MOVE, pathParameters=parameters)[0] == 200
    assert registration.alias("digits", "staging") == Alias("staging", 2)


@pytest.mark.parametrize("name", ["live", "staging"])
def test_a_move_from_a_revision_that_is_gone_is_a_conflict(call, two_versions, registration, name):
    before = registration.aliases("digits")
    parameters = {"model": "digits", "alias": name}
    status, body = call("move_alias", {"version": 2, "revision": 9}, pathParameters=parameters)
    assert (status, body["code"]) == (409, "CONFLICT")
    assert registration.aliases("digits") == before


@pytest.mark.parametrize(
    "move", [{"version": 3}, {"version": 1, "canary": {"version": 3, "weight": 1}}]
)
def test_an_alias_never_points_to_a_version_that_is_not_there(
    call, two_versions, registration, move
):
    status, body = call("move_alias", move)
    assert (status, body["code"]) == (404, "VERSION_NOT_FOUND")
    assert body["error"] == "model 'digits' has no version 3"
    assert registration.alias("digits", "live") == Alias("live", 1)


def test_a_move_that_is_none_is_refused(call, two_versions, registration):
    status, body = call("move_alias", {"version": "2"})
    assert (status, body["code"]) == (422, "UNFIT_INPUT")
    assert registration.alias("digits", "live") == Alias("live", 1)


def test_a_body_that_is_no_json_is_refused(call, two_versions):
    status, answer = call("move_alias", "{")
    assert (status, answer["code"]) == (400, "INVALID_INPUT")


def test_a_fault_of_ours_tells_nothing(call, aws):
    boto3.client("dynamodb").delete_table(TableName="registry")
    status, body = call("models")
    assert (status, body["code"]) == (500, "INTERNAL")
    assert "registry" not in body["error"]
