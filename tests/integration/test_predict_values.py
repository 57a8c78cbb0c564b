"""Values of every datatype through predict, and what goes wrong on the way."""

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import numpy as np
import pytest

from headrace_runtime.aws.registration import Registration
from headrace_runtime.errors import ModelRefused
from headrace_runtime.model.alias import Canary
from headrace_runtime.tensor import Datatype
from tests import onnx_models

Call = Callable[..., dict[str, Any]]
Publish = Callable[..., Any]

# For each datatype: values as JSON, and the same as raw bytes.
VALUES: dict[Datatype, tuple[str, bytes]] = {
    Datatype.BOOL: ("[true,false]", b"\x01\x00"),
    Datatype.UINT8: ("[0,255]", b"\x00\xff"),
    Datatype.UINT16: ("[1,65535]", b"\x01\x00\xff\xff"),
    Datatype.UINT32: ("[1,4294967295]", b"\x01\0\0\0\xff\xff\xff\xff"),
    Datatype.UINT64: (
        "[9007199254740993,18446744073709551615]",
        b"\x01\0\0\0\0\0\x20\0" + b"\xff" * 8,
    ),
    Datatype.INT8: ("[-128,127]", b"\x80\x7f"),
    Datatype.INT16: ("[-1,1]", b"\xff\xff\x01\x00"),
    Datatype.INT32: ("[-1,1]", b"\xff\xff\xff\xff\x01\0\0\0"),
    Datatype.INT64: ("[-1,1]", b"\xff" * 8 + b"\x01\0\0\0\0\0\0\0"),
    Datatype.FP16: ("[1.5,Infinity]", b"\x00\x3e\x00\x7c"),
    Datatype.FP32: ("[0.1,-Infinity]", b"\xcd\xcc\xcc\x3d\x00\x00\x80\xff"),
    Datatype.FP64: ("[0.1,NaN]", b"\x9a\x99\x99\x99\x99\x99\xb9\x3f\0\0\0\0\0\0\xf8\x7f"),
    Datatype.BYTES: ('["é",""]', b"\x02\0\0\0\xc3\xa9\0\0\0\0"),
}


@pytest.fixture
def call(function: Callable[..., Any], event: Callable[..., Any], context: Any) -> Call:
    """Send a body to `wine`'s infer route, raw values behind it; give the answer."""
    handler = function("predict")

    def send(head: str, raw: bytes = b"", *, case: str = "infer_json") -> dict[str, Any]:
        called = event(f"predict.{case}")
        called["headers"]["inference-header-content-length"] = str(len(head.encode()))
        body = base64.b64encode(head.encode() + raw).decode()
        return handler.lambda_handler(called | {"body": body, "isBase64Encoded": True}, context)

    return send


def split(answer: dict[str, Any]) -> tuple[str, bytes]:
    """Return an answer's JSON and what follows it."""
    body = base64.b64decode(answer["body"])
    length = int(answer["headers"]["inference-header-content-length"])
    return body[:length].decode(), body[length:]


def one_input(datatype: Datatype, shape: list[int], more: str, *, binary: bool = False) -> str:
    parameters = f'"parameters":{{"binary_data_output":{json.dumps(binary)}}}'
    named = f'"name":"x","datatype":"{datatype}","shape":{shape}'
    return f'{{"inputs":[{{{named},{more}}}],{parameters}}}'


@pytest.mark.parametrize("datatype", list(Datatype))
def test_values_come_back_as_they_were_sent_both_ways(
    datatype: Datatype, publish: Publish, call: Call
) -> None:
    text, raw = VALUES[datatype]
    publish(
        "wine",
        onnx_models.identity(datatype, ["n"]),
        onnx_models.identity_signature(datatype, (-1,)),
    )
    size = f'"parameters":{{"binary_data_size":{len(raw)}}}'

    as_json = call(one_input(datatype, [2], f'"data":{text}'))
    as_raw = call(one_input(datatype, [2], size, binary=True), raw)

    assert f'"data":{text}' in as_json["body"]
    assert split(as_raw)[1] == raw


@pytest.mark.parametrize(
    ("shape", "data"), [([], "[7.0]"), ([0, 4], "[]"), ([2, 0], "[[],[]]")], ids=str
)
def test_scalars_and_empty_tensors_pass(
    shape: list[int], data: str, publish: Publish, call: Call
) -> None:
    publish(
        "wine",
        onnx_models.identity(Datatype.FP32, shape),
        onnx_models.identity_signature(Datatype.FP32, shape),
    )

    answer = call(one_input(Datatype.FP32, shape, f'"data":{data}'))

    (output,) = json.loads(answer["body"])["outputs"]
    assert output["shape"] == shape
    assert output["data"] == ([7.0] if shape == [] else [])


def test_a_classifiers_maps_are_columns(publish: Publish, call: Call) -> None:
    publish("wine", onnx_models.classifier(), onnx_models.classifier_signature())

    answer = call(one_input(Datatype.FP32, [1, 2], '"data":[1,1]'))

    label, probabilities = json.loads(answer["body"])["outputs"]
    assert (label["datatype"], label["shape"]) == ("INT64", [1])
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP32", [1, 3])
    assert sum(probabilities["data"]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ('"data":[1,2,3,"4"]', 400, "INVALID_INPUT"),
        ('"data":[1,2,3,null]', 400, "INVALID_INPUT"),
        ('"data":[1,2,3]', 400, "INVALID_INPUT"),
        ('"data":[1,2,3,1e39]', 400, "INVALID_INPUT"),
        ('"datatype":"FP64","data":[1,2,3,4]', 422, "DATATYPE_MISMATCH"),
        ('"shape":[4],"data":[1,2,3,4]', 422, "SHAPE_MISMATCH"),
        ('"name":"z","data":[1,2,3,4]', 422, "UNKNOWN_INPUT"),
    ],
)
def test_a_callers_mistake_is_never_our_fault(
    more: str, status: int, code: str, publish: Publish, call: Call
) -> None:
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())

    answer = call(one_input(Datatype.FP32, [1, 4], more))  # a later member counts

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)


def test_only_known_outputs_can_be_wanted(publish: Publish, call: Call) -> None:
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())

    answer = call('{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}],'
                  '"outputs":[{"name":"z"}]}')  # fmt: skip

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["error"] == "the model has no output 'z': it gives 'y'"


def test_values_that_the_model_fails_on_are_the_callers_mistake_and_never_logged(
    publish: Publish, call: Call, capfd: pytest.CaptureFixture[str]
) -> None:
    publish("wine", onnx_models.gather(), onnx_models.GATHER)
    head = '{"inputs":[{"name":"i","datatype":"INT64","shape":[1],"data":[987654]}]}'

    answer = call(head)

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["code"] == "INFERENCE_FAILED"
    assert "987654" not in answer["body"] + "".join(capfd.readouterr())


def test_an_artifact_that_was_changed_is_never_loaded(
    publish: Publish, call: Call, capfd: pytest.CaptureFixture[str]
) -> None:
    manifest = publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    key = manifest.files[0].key
    boto3.client("s3").put_object(Bucket="models", Key=key, Body=onnx_models.identity())

    answer = call(one_input(Datatype.FP32, [1, 4], '"data":[1,2,3,4]'))

    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["code"] == "INTERNAL"
    assert "DigestMismatch" in capfd.readouterr().out


def test_an_artifact_that_is_gone_is_our_fault(publish: Publish, call: Call) -> None:
    manifest = publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    boto3.client("s3").delete_object(Bucket="models", Key=manifest.files[0].key)

    answer = call(one_input(Datatype.FP32, [1, 4], '"data":[1,2,3,4]'))

    assert answer["statusCode"] == 500
    assert "artifacts" not in answer["body"]


def test_a_model_that_was_only_refused_says_why(registration: Registration, call: Call) -> None:
    refusal = ModelRefused("PICKLE", "this is a pickle: export the model to ONNX")
    registration.refuse("wine", "d" * 64, refusal, origin="s3://b/k", refused_at="2026-11-23")

    answer = call("{}")

    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"] == (
        "model 'wine' has no version: the last one was refused: "
        "this is a pickle: export the model to ONNX"
    )


def test_a_canary_answers_its_share(
    publish: Publish, registration: Registration, call: Call
) -> None:
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    publish("wine", onnx_models.linear(4, 5), onnx_models.linear_signature(4, 5))
    live = registration.alias("wine", "live")
    registration.move("wine", live, live.moved(1, Canary(2, 0.5)))
    head = one_input(Datatype.FP32, [1, 4], '"data":[1,2,3,4]')

    versions = [json.loads(call(head)["body"])["model_version"] for _ in range(64)]

    assert set(versions) == {"1", "2"}


def test_a_version_that_is_no_name_is_refused(
    function: Callable[..., Any], event: Callable[..., Any], context: Any
) -> None:
    called = event("predict.infer_alias", pathParameters={"model": "wine", "version": "01"})

    answer = function("predict").lambda_handler(called, context)

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["code"] == "INVALID_NAME"


def test_numpy_reads_what_predict_wrote(publish: Publish, call: Call) -> None:
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    x = np.array([[1, 2, 3, 4]], "<f4")
    size = '"parameters":{"binary_data_size":16}'

    answer = call(one_input(Datatype.FP32, [1, 4], size, binary=True), x.tobytes())

    assert np.frombuffer(split(answer)[1], "<f4").tolist() == [20.0, 11.0, 2.0]
