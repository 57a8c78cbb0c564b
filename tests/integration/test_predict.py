"""Predict's handler over sample events, AWS behind it over HTTP."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headrace_runtime.monitoring import stdout
from tests import onnx_models

Event = Callable[..., dict[str, Any]]
Call = Callable[..., dict[str, Any]]

# x @ w + b of `onnx_models.linear` for the rows of events/predict.infer_*.json
ROWS = [[20.0, 11.0, 2.0], [0.0, 1.0, 2.0]]


@pytest.fixture
def predict(function: Callable[..., Any], context: Any) -> Call:
    """The handler after a cold start."""
    handler = function("predict")
    return lambda event: handler.lambda_handler(event, context)


@pytest.fixture
def wine(publish: Callable[..., Any]) -> None:
    """A published model `wine`."""
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())


def body_of(answer: dict[str, Any]) -> Any:
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["isBase64Encoded"] is False
    return json.loads(answer["body"])


@pytest.mark.parametrize("case", ["infer_json", "infer_alias"])
def test_rows_sent_as_json_come_back_as_json(
    case: str, wine: None, predict: Call, event: Event
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


@pytest.mark.parametrize("case", ["infer_binary", "infer_gzip"])
def test_rows_sent_as_raw_values_come_back_as_raw_values(
    case: str, wine: None, predict: Call, event: Event
) -> None:
    answer = predict(event(f"predict.{case}"))

    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/octet-stream"
    body = base64.b64decode(answer["body"])
    length = int(answer["headers"]["inference-header-content-length"])
    assert json.loads(body[:length])["outputs"] == [
        {
            "name": "y",
            "datatype": "FP32",
            "shape": [2, 3],
            "parameters": {"binary_data_size": 24},
        }
    ]
    assert np.frombuffer(body[length:], "<f4").reshape(2, 3).tolist() == ROWS


def test_a_wrong_shape_is_the_callers_mistake_and_says_what_was_expected(
    wine: None, predict: Call, event: Event
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


def test_a_body_that_is_no_json_is_the_callers_mistake(
    wine: None, predict: Call, event: Event
) -> None:
    answer = predict(event("predict.infer_not_json"))

    assert answer["statusCode"] == 400
    assert body_of(answer)["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("case", ["metadata", "metadata_version"])
def test_metadata_is_what_the_protocol_says(
    case: str, wine: None, predict: Call, event: Event
) -> None:
    answer = predict(event(f"predict.{case}"))

    assert body_of(answer) == {
        "name": "wine",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}],
    }


def test_a_published_model_is_ready(wine: None, predict: Call, event: Event) -> None:
    answer = predict(event("predict.ready"))

    assert body_of(answer) == {"name": "wine", "ready": True, "model_version": "1"}


@pytest.mark.parametrize("case", ["server", "server_slash"])
def test_the_server_says_who_it_is(case: str, predict: Call, event: Event) -> None:
    answer = predict(event(f"predict.{case}"))

    assert body_of(answer) == {
        "name": "headrace",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data"],
    }


def test_the_server_is_live_and_ready(predict: Call, event: Event) -> None:
    assert body_of(predict(event("predict.live"))) == {"live": True, "ready": True}


def test_models_are_listed_by_name(wine: None, predict: Call, event: Event) -> None:
    assert body_of(predict(event("predict.models"))) == {"models": ["wine"]}


def test_the_index_needs_no_body(wine: None, predict: Call, event: Event) -> None:
    assert body_of(predict(event("predict.index"))) == [
        {"name": "wine", "version": "1", "state": "READY", "reason": ""}
    ]


def test_another_method_is_not_found_as_json(predict: Call, event: Event) -> None:
    answer = predict(event("predict.no_route"))

    assert answer["statusCode"] == 404
    assert body_of(answer)["error"] == "there is no route DELETE /v2/models/wine"


def test_only_v2_itself_may_end_in_a_slash(predict: Call, event: Event) -> None:
    elsewhere = event("predict.server_slash")
    elsewhere["requestContext"]["http"]["path"] = "/models/v2/"

    assert predict(event("predict.server_slash"))["statusCode"] == 200
    assert predict(elsewhere)["statusCode"] == 404


def test_a_model_that_was_never_dropped_is_not_found(predict: Call, event: Event) -> None:
    answer = predict(event("predict.infer_json"))

    assert answer["statusCode"] == 404
    assert body_of(answer)["code"] == "MODEL_NOT_FOUND"


def test_a_large_answer_is_packed_for_a_caller_who_takes_that(
    publish: Callable[..., Any], predict: Call, event: Event
) -> None:
    publish("wine", onnx_models.identity(), onnx_models.identity_signature())
    rows = np.zeros((100_000, 4), np.float32)
    head = json.dumps(
        {
            "inputs": [
                {
                    "name": "x",
                    "shape": [100_000, 4],
                    "datatype": "FP32",
                    "parameters": {"binary_data_size": rows.nbytes},
                }
            ],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
        }
    ).encode()
    call = event("predict.infer_binary", body=base64.b64encode(head + rows.tobytes()).decode())
    call["headers"] |= {
        "inference-header-content-length": str(len(head)),
        "accept-encoding": "gzip, deflate, br",
    }

    answer = predict(call)

    assert answer["headers"]["content-encoding"] == "gzip"
    assert len(answer["body"]) < 20_000
    body = gzip.decompress(base64.b64decode(answer["body"]))
    assert body[int(answer["headers"]["inference-header-content-length"]) :] == rows.tobytes()


@pytest.mark.fault("F41")
def test_a_log_that_takes_nothing_fails_no_prediction(
    wine: None, predict: Call, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdout, "_STDOUT", 1_000_000)  # no such file: every write fails

    assert predict(event("predict.infer_json"))["statusCode"] == 200


def test_a_prediction_is_one_line_of_metrics(
    wine: None, predict: Call, event: Event, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    predict(event("predict.infer_json"))

    line = json.loads(capfd.readouterr().out)
    told = {name: line[name] for name in ("function", "model", "version", "Requests", "RowsIn")}
    assert told == {
        "function": "predict",
        "model": "wine",
        "version": "1",
        "Requests": 1,
        "RowsIn": 2,
    }
    assert (line["request_id"], line["function_request_id"]) == ("JKJaXmPLvHcESHA=", "request-1")
    parts = [line[f"{part}Ms"] for part in ("Route", "Decode", "Infer", "Encode")]
    assert 0 < sum(parts) <= line["LatencyMs"] + 0.004  # each is cut to whole microseconds


def test_an_invented_model_makes_no_metric_of_its_own(
    predict: Call, event: Event, capfd: pytest.CaptureFixture[str]
) -> None:
    predict(event("predict.infer_json", pathParameters={"model": "invented"}))

    out = capfd.readouterr().out
    assert json.loads(out)["code"] == "MODEL_NOT_FOUND"
    assert "invented" not in out
