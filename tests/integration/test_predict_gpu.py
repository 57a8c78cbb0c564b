"""Predict's handler where a version asks for GPUs, SageMaker's runtime behind it over HTTP."""

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import numpy as np
import pytest

from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.signature import Signature
from tests import onnx_models
from tests.integration.realtime_endpoint import (
    RealtimeEndpoint,
    Said,
    answered,
    is_signed,
    model_error,
    refused,
)

Event = Callable[..., dict[str, Any]]
Call = Callable[..., dict[str, Any]]

# x @ w + b of `onnx_models.linear` for the rows of events/predict.infer_*.json
ROWS = [[20.0, 11.0, 2.0], [0.0, 1.0, 2.0]]
LINEAR = onnx_models.linear_signature()
REALTIME = Acceleration(Accelerator.GPU, realtime=True)
NAME = "hr-test-wine-1-0a1b2c3d-rt"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealtimeEndpoint]:
    """What answers InvokeEndpoint, with the model `onnx_models.linear`."""
    runtime = RealtimeEndpoint()
    runtime.serve(onnx_models.linear())
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
    yield runtime
    runtime.close()


@pytest.fixture
def predict(function: Callable[..., Any], context: Any) -> Iterator[Call]:
    """The handler after a cold start, in a stage that has GPUs."""
    handler = function("predict")
    yield lambda event: handler.lambda_handler(event, context)
    handler.gpus()._sagemaker.close()


@pytest.fixture
def published(publish: Callable[..., Any]) -> Callable[..., None]:
    """Publish `wine`, which a GPU can run, with this choice."""

    def wine(
        acceleration: Acceleration,
        graph: bytes = onnx_models.linear(),
        signature: Signature = LINEAR,
    ) -> None:
        publish("wine", graph, signature, acceleration=acceleration, archive=True)

    return wine


@pytest.fixture
def wine(published: Callable[..., None]) -> None:
    """A realtime `wine` whose endpoint is ready."""
    published(REALTIME)
    has_endpoint("ready")


def has_endpoint(state: str, reason: str = "") -> None:
    """Write down what SageMaker has of version 1, as `provision` does."""
    realtime = {"name": {"S": NAME}, "state": {"S": state}, "reason": {"S": reason}}
    boto3.client("dynamodb").put_item(
        TableName="registry",
        Item={
            "pk": {"S": "MODEL#wine"},
            "sk": {"S": "ENDPOINT#000000001"},
            "sagemaker_model": {"S": "hr-test-wine-1-0a1b2c3d"},
            "realtime": {"M": realtime},
        },
    )


def body_of(answer: dict[str, Any]) -> Any:
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["isBase64Encoded"] is False
    return json.loads(answer["body"])


def raw_body(x: np.ndarray) -> tuple[int, bytes]:
    """Return the body of a call, raw values in and out, and the length of its JSON."""
    described = {
        "name": "x",
        "shape": x.shape,
        "datatype": "FP32",
        "parameters": {"binary_data_size": x.nbytes},
    }
    head = {"inputs": [described], "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}
    text = json.dumps(head).encode()
    return len(text), text + x.tobytes()


def error_of(answer: dict[str, Any]) -> tuple[int, str, str | None]:
    """Return status, code and Retry-After."""
    return answer["statusCode"], body_of(answer)["code"], answer["headers"].get("retry-after")


@pytest.mark.parametrize("case", ["infer_json", "infer_alias"])
def test_rows_sent_as_json_come_back_as_json_from_the_endpoint(
    case: str, wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    answer = predict(event(f"predict.{case}"))

    assert answer["statusCode"] == 200
    assert body_of(answer) == {
        "id": "call-1",
        "model_name": "wine",
        "model_version": "1",
        "outputs": [
            {"name": "y", "datatype": "FP32", "shape": [2, 3], "data": [*ROWS[0], *ROWS[1]]}
        ],
    }
    assert len(endpoint.calls) == 1


@pytest.mark.parametrize("case", ["infer_binary", "infer_gzip"])
def test_rows_sent_as_raw_values_come_back_as_raw_values_from_the_endpoint(
    case: str, wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    answer = predict(event(f"predict.{case}"))

    assert answer["statusCode"] == 200
    body = base64.b64decode(answer["body"])
    length = int(answer["headers"]["inference-header-content-length"])
    assert np.frombuffer(body[length:], "<f4").reshape(2, 3).tolist() == ROWS
    assert len(endpoint.calls) == 1


def test_the_call_is_signed_and_has_tritons_binary_form(
    wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    predict(event("predict.infer_json"))

    [call] = endpoint.calls
    assert call.path == f"/endpoints/{NAME}/invocations"
    assert call.headers["content-type"] == (
        "application/vnd.sagemaker-triton.binary+json;json-header-size=1024"
    )
    assert is_signed(call, endpoint.url)
    assert call.head == {
        "inputs": [
            {
                "name": "x",
                "shape": [2, 4],
                "datatype": "FP32",
                "parameters": {"binary_data_size": 32},
            }
        ],
        "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
    }
    assert np.frombuffer(call.body[1024:], "<f4").tolist() == [1, 2, 3, 4, 0, 0, 0, 0]


def test_only_outputs_that_are_wanted_are_asked_for_in_the_callers_order(
    published: Callable[..., None], endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    published(REALTIME, onnx_models.two_inputs(), onnx_models.TWO_INPUTS)
    has_endpoint("ready")
    endpoint.serve(onnx_models.two_inputs())
    inputs = [
        {"name": name, "shape": [2], "datatype": "FP32", "data": data}
        for name, data in (("right", [3, 4]), ("left", [1, 2]))
    ]

    def outputs(*wanted: str) -> list[tuple[str, list[float]]]:
        asked = {"inputs": inputs, "outputs": [{"name": name} for name in wanted]}
        answer = predict(event("predict.infer_json", body=json.dumps(asked)))
        return [(output["name"], output["data"]) for output in body_of(answer)["outputs"]]

    assert outputs("scaled") == [("scaled", [3.0, 8.0])]
    assert outputs("scaled", "total") == [("scaled", [3.0, 8.0]), ("total", [4.0, 6.0])]
    assert outputs() == [("total", [4.0, 6.0]), ("scaled", [3.0, 8.0])]
    asked = [[output["name"] for output in call.head["outputs"]] for call in endpoint.calls]
    assert asked == [["scaled"], ["scaled", "total"], ["total", "scaled"]]


def test_more_records_than_the_container_takes_are_sent_in_parts(
    wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    rows = np.arange(600_000, dtype=np.float32).reshape(150_000, 4) % 97
    head, body = raw_body(rows)
    call = event("predict.infer_binary", body=base64.b64encode(body).decode())
    call["headers"]["inference-header-content-length"] = str(head)

    answer = predict(call)

    body = base64.b64decode(answer["body"])
    values = body[int(answer["headers"]["inference-header-content-length"]) :]
    w = np.subtract.outer(np.arange(4), np.arange(3)).astype(np.float32)
    assert values == (rows @ w + np.arange(3, dtype=np.float32)).tobytes()
    sent = [call.head["inputs"][0]["shape"] for call in endpoint.calls]
    assert sent == [[65_536, 4], [65_536, 4], [18_928, 4]]


def test_no_records_are_answered_without_a_call(
    wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    asked = {"inputs": [{"name": "x", "shape": [0, 4], "datatype": "FP32", "data": []}]}

    answer = predict(event("predict.infer_json", body=json.dumps(asked)))

    assert body_of(answer)["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [0, 3], "data": []}
    ]
    assert endpoint.calls == []


def test_a_wrong_shape_costs_no_call_and_is_told_as_ever(
    wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    answer = predict(event("predict.infer_wrong_shape"))

    assert answer["statusCode"] == 422
    assert body_of(answer) == {
        "error": "input 'x' takes shape [-1, 4] (-1 is any length), got [1, 3]",
        "code": "SHAPE_MISMATCH",
        "input": "x",
        "expected": [-1, 4],
        "got": [1, 3],
        "request_id": "JKJaXmPLvHcESHA=",
    }
    assert endpoint.calls == []


# What the service answers → our status, code and Retry-After; how often it is called.
FAILURES = {
    "the container failed": (model_error(500, "boom sesame"), (424, "CONTAINER_FAILED", None), 1),
    "the container refused": (model_error(400, "sesame?"), (424, "CONTAINER_FAILED", None), 1),
    "the GPU failed": (
        model_error(500, "while running Conv node. Status Message: CUDA failure 2: out of memory"),
        (424, "CONTAINER_FAILED", None),
        1,
    ),
    "the values do not suit": (
        model_error(500, "while running Gather node. Status Message: idx=sesame out of bounds"),
        (422, "INFERENCE_FAILED", None),
        1,
    ),
    "loading": (refused(429, "ModelNotReadyException"), (503, "ENDPOINT_NOT_READY", "5"), 1),
    "gone": (refused(400, "ValidationError", "sesame"), (503, "ENDPOINT_NOT_READY", "5"), 1),
    "throttled": (refused(400, "ThrottlingException"), (429, "ENDPOINT_BUSY", "2"), 2),
    "unavailable": (refused(503, "ServiceUnavailable"), (503, "UNAVAILABLE", "1"), 1),
    "broken": (refused(500, "InternalFailure"), (503, "UNAVAILABLE", "1"), 1),
    "of another": (refused(530, "InternalDependencyException"), (503, "UNAVAILABLE", "1"), 1),
    "forbidden": (refused(403, "AccessDeniedException"), (503, "UNAVAILABLE", "1"), 1),
    "a page": (Said(b"<html>sesame", 502, "text/html"), (503, "UNAVAILABLE", "1"), 1),
    "no answer": (Said(b"sesame"), (424, "CONTAINER_FAILED", None), 1),
    "another's answer": (
        answered({"z": np.zeros((2, 3), np.float32)}),
        (424, "CONTAINER_FAILED", None),
        1,
    ),
}


@pytest.mark.parametrize(("says", "ours", "times"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_of_the_endpoint_is_one_of_ours_without_its_words(
    says: Said,
    ours: tuple[int, str, str | None],
    times: int,
    wine: None,
    endpoint: RealtimeEndpoint,
    predict: Call,
    event: Event,
    capfd: pytest.CaptureFixture[str],
) -> None:
    endpoint.says = [says, says]

    answer = predict(event("predict.infer_json"))

    assert error_of(answer) == ours
    assert len(endpoint.calls) == times
    told = answer["body"] + capfd.readouterr().out
    assert not any(words in told for words in ("sesame", "inner words", "arn:aws:logs"))


def test_a_call_that_was_throttled_once_is_answered(
    wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    endpoint.says = [refused(429, "ThrottlingException")]

    assert predict(event("predict.infer_json"))["statusCode"] == 200
    assert len(endpoint.calls) == 2


def test_a_service_that_cannot_be_reached_is_unavailable(
    wine: None, predict: Call, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:9")

    answer = predict(event("predict.infer_json"))

    assert error_of(answer) == (503, "UNAVAILABLE", "1")
    assert body_of(answer)["error"] == "sagemaker did not answer: ConnectionRefusedError"


def test_a_model_too_slow_for_a_call_is_told_to_be_a_job(
    wine: None, endpoint: RealtimeEndpoint, predict: Call, event: Event, context: Any
) -> None:
    context.get_remaining_time_in_millis = lambda: 3300  # of which three seconds are kept

    def slow(_: object) -> Said:
        threading.Event().wait(1)
        return Said(b"")

    endpoint.says = [slow]

    answer = predict(event("predict.infer_json"))

    assert error_of(answer) == (503, "ENDPOINT_TOO_SLOW", "30")
    assert "POST /jobs" in body_of(answer)["error"]
    assert len(endpoint.calls) == 1


def test_a_call_larger_than_sagemaker_takes_names_the_job_route(
    published: Callable[..., None], endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    shape = (1, 1_600_000)  # one record, which cannot be cut
    graph, signature = (
        onnx_models.identity(shape=(1, "n")),
        onnx_models.identity_signature(shape=(1, -1)),
    )
    published(REALTIME, graph, signature)
    has_endpoint("ready")
    head, body = raw_body(np.zeros(shape, np.float32))
    packed = base64.b64encode(gzip.compress(body)).decode()
    call = event("predict.infer_binary", body=packed)
    call["headers"] |= {"inference-header-content-length": str(head), "content-encoding": "gzip"}

    answer = predict(call)

    assert error_of(answer) == (413, "TOO_LARGE", None)
    assert body_of(answer)["limit_bytes"] == 6_291_456
    assert "POST /jobs" in body_of(answer)["error"]
    assert endpoint.calls == []


@pytest.mark.parametrize(
    ("state", "ours"),
    [
        ("", (503, "ENDPOINT_NOT_READY", "60")),
        ("creating", (503, "ENDPOINT_NOT_READY", "60")),
        ("failed", (503, "ENDPOINT_FAILED", "300")),
    ],
)
def test_while_there_is_no_endpoint_calls_are_to_come_later_and_the_version_is_not_ready(
    state: str,
    ours: tuple[int, str, str],
    published: Callable[..., None],
    endpoint: RealtimeEndpoint,
    predict: Call,
    event: Event,
) -> None:
    published(REALTIME)
    if state:
        has_endpoint(state, "arn:aws:… InsufficientInstanceCapacity of ml.g5 in 123456789012")

    asked, ready = predict(event("predict.infer_json")), predict(event("predict.ready"))

    assert error_of(asked) == error_of(ready) == ours
    assert body_of(asked).get("reason") == (
        "InsufficientInstanceCapacity" if state == "failed" else None
    )
    assert "123456789012" not in asked["body"]
    assert endpoint.calls == []


def test_a_realtime_version_is_ready_with_its_endpoint(
    wine: None, predict: Call, event: Event
) -> None:
    answer = predict(event("predict.ready"))

    assert body_of(answer) == {"name": "wine", "ready": True, "model_version": "1"}


def test_a_model_for_jobs_alone_names_the_job_route(
    published: Callable[..., None], endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    published(Acceleration(Accelerator.GPU))

    answer = predict(event("predict.infer_json"))

    assert answer["statusCode"] == 422
    assert body_of(answer) == {
        "error": "model 'wine' runs on a GPU in jobs only: POST /jobs, or drop a file into the "
        "inbox, as wine@1; or publish it again with realtime",
        "code": "GPU_ONLY",
        "model": "wine",
        "version": 1,
        "request_id": "JKJaXmPLvHcESHA=",
    }
    assert endpoint.calls == []


def test_a_model_for_jobs_alone_tells_what_it_takes(
    published: Callable[..., None], predict: Call, event: Event
) -> None:
    published(Acceleration(Accelerator.GPU))

    assert predict(event("predict.metadata"))["statusCode"] == 200
    assert predict(event("predict.ready"))["statusCode"] == 200


@pytest.mark.parametrize("accelerator", [Accelerator.AUTO, Accelerator.NEVER])
def test_a_model_that_may_run_here_is_run_here(
    accelerator: Accelerator,
    published: Callable[..., None],
    endpoint: RealtimeEndpoint,
    predict: Call,
    event: Event,
) -> None:
    published(Acceleration(accelerator))

    assert body_of(predict(event("predict.infer_json")))["outputs"][0]["data"][:3] == ROWS[0]
    assert predict(event("predict.ready"))["statusCode"] == 200
    assert endpoint.calls == []


@pytest.mark.parametrize("chosen", [REALTIME, Acceleration(Accelerator.GPU)])
def test_where_the_stage_has_no_gpu_every_model_is_run_here(
    chosen: Acceleration,
    published: Callable[..., None],
    endpoint: RealtimeEndpoint,
    function: Callable[..., Any],
    context: Any,
    event: Event,
) -> None:
    published(chosen)
    handler = function("predict", gpu=0)

    answer = handler.lambda_handler(event("predict.infer_json"), context)

    assert body_of(answer)["outputs"][0]["data"][:3] == ROWS[0]
    assert handler.lambda_handler(event("predict.ready"), context)["statusCode"] == 200
    assert endpoint.calls == []


def test_a_model_that_no_gpu_can_run_is_run_here_whatever_it_asks(
    publish: Callable[..., Any], endpoint: RealtimeEndpoint, predict: Call, event: Event
) -> None:
    signature = onnx_models.linear_signature()
    publish("wine", onnx_models.linear(), signature, acceleration=REALTIME, archive=False)

    assert body_of(predict(event("predict.infer_json")))["outputs"][0]["data"][:3] == ROWS[0]
    assert endpoint.calls == []
