import json
import struct

import numpy as np
import pytest

from headrace import ApiError
from headrace_runtime.errors import DatatypeMismatch, InvalidInput

METADATA = {
    "name": "digits",
    "versions": ["1"],
    "inputs": [{"name": "X", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]}],
}


def _binary(outputs, *raw):
    head = json.dumps({"model_name": "digits", "model_version": "3", "outputs": outputs}).encode()
    return {
        "body": b"".join([head, *raw]),
        "inference_header_content_length": str(len(head)),
        "content_type": "application/octet-stream",
    }


@pytest.fixture
def digits(service):
    """A model that answers label 7 and the text `seven`."""
    service.answers("GET /v2/models/digits", METADATA)
    label = {"name": "label", "datatype": "INT64", "shape": [1]}
    text = {"name": "text", "datatype": "BYTES", "shape": [1, 1]}
    service.answers(
        "POST /v2/models/digits/infer",
        **_binary(
            [
                label | {"parameters": {"binary_data_size": 8}},
                text | {"parameters": {"binary_data_size": 9}},
            ],
            struct.pack("<q", 7),
            struct.pack("<I", 5) + b"seven",
        ),
    )
    return service


def test_a_prediction_is_arrays_by_name(digits, client):
    prediction = client.predict("digits", [[1, 2.5]])

    assert prediction["label"].tolist() == [7]
    assert prediction["label"].dtype == np.int64
    assert prediction["text"].tolist() == [[b"seven"]]
    assert (prediction.model, prediction.version) == ("digits", "3")


def test_inputs_go_as_raw_bytes_behind_the_json(digits, client):
    client.predict("digits", {"X": np.array([[1, 2.5]], np.float32)}, outputs=["label"])

    call = digits.calls[-1]
    length = int(call.headers["inference-header-content-length"])
    assert json.loads(call.body[:length]) == {
        "inputs": [
            {
                "name": "X",
                "datatype": "FP32",
                "shape": [1, 2],
                "parameters": {"binary_data_size": 8},
            }
        ],
        "parameters": {"binary_data_output": True},
        "outputs": [{"name": "label"}],
    }
    assert call.body[length:] == struct.pack("<ff", 1, 2.5)
    assert call.headers["content-type"] == "application/octet-stream"


def test_what_a_model_takes_is_asked_once(digits, client):
    client.predict("digits", [[1, 2]])
    client.predict("digits", [[3, 4]])

    assert digits.asked() == [
        "GET /v2/models/digits",
        "POST /v2/models/digits/infer",
        "POST /v2/models/digits/infer",
    ]


@pytest.mark.parametrize("version", [2, "2", "live"])
def test_a_version_or_an_alias_can_be_asked(service, client, version):
    service.answers(f"GET /v2/models/digits/versions/{version}", METADATA)
    service.answers(f"POST /v2/models/digits/versions/{version}/infer", **_binary([]))

    assert client.predict("digits", [[1, 2]], version) == {}


def test_inputs_that_do_not_fit_are_not_sent(digits, client):
    with pytest.raises(DatatypeMismatch, match=r"astype\(np\.float32\)"):
        client.predict("digits", np.zeros((1, 2)))
    with pytest.raises(InvalidInput, match="got str"):
        client.predict("digits", [["1"]])

    assert "POST /v2/models/digits/infer" not in digits.asked()


def test_a_model_whose_alias_has_moved_is_asked_again_what_it_takes(service, client):
    takes_integers = [{"name": "X", "datatype": "INT64", "shape": [-1, 2]}]
    service.answers("GET /v2/models/digits", METADATA)
    service.answers("GET /v2/models/digits", METADATA | {"inputs": takes_integers})
    service.answers("POST /v2/models/digits/infer", **_binary([]))
    client.predict("digits", np.zeros((1, 2), np.float32))

    client.predict("digits", np.zeros((1, 2), np.int64))

    assert service.asked().count("GET /v2/models/digits") == 2


def test_an_answer_in_json_is_read_too(service, client):
    service.answers("GET /v2/models/digits", METADATA)
    outputs = [
        {"name": "label", "datatype": "UINT8", "shape": [2, 1], "data": [7, 8]},
        {"name": "text", "datatype": "BYTES", "shape": [2], "data": ["sieben", "acht"]},
    ]
    service.answers("POST /v2/models/digits/infer", {"model_name": "digits", "outputs": outputs})

    prediction = client.predict("digits", [[1, 2]])

    assert prediction["label"].tolist() == [[7], [8]]
    assert prediction["label"].dtype == np.uint8
    assert prediction["text"].tolist() == [b"sieben", b"acht"]


@pytest.mark.parametrize(
    "answer",
    [
        {"body": b"<html>"},
        {"body": b"{}"},
        _binary(
            [
                {
                    "name": "label",
                    "datatype": "INT64",
                    "shape": [2],
                    "parameters": {"binary_data_size": 8},
                }
            ],
            bytes(8),
        ),
    ],
)
def test_an_answer_that_is_no_prediction_is_an_error(service, client, answer):
    service.answers("GET /v2/models/digits", METADATA)
    service.answers("POST /v2/models/digits/infer", **answer)

    with pytest.raises(ApiError, match="did not answer a prediction"):
        client.predict("digits", [[1, 2]])


def test_the_sentence_of_a_refused_call_is_shown(service, client):
    service.answers("GET /v2/models/digits", METADATA)
    service.answers(
        "POST /v2/models/digits/infer",
        {"error": "input 'X' takes shape [-1, 2] (-1 is any length), got [2]"},
        status=422,
    )

    with pytest.raises(ApiError, match=r"takes shape \[-1, 2\]"):
        client.predict("digits", [1, 2])
