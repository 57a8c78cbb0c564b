"""Bodies of infer calls."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.codec.open_inference import InferRequest, decode_request, encode_response
from headrace_runtime.errors import InvalidInput, ModelUnfit, UnfitInput
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

SIGNATURE = Signature(
    (TensorSpec("x", Datatype.FP32, (-1, 2)),), (TensorSpec("y", Datatype.FP32, (-1,)),)
)
RAW = np.array([1, 2], "<f4").tobytes()
IN_JSON = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
IN_RAW = {
    "name": "x",
    "shape": [1, 2],
    "datatype": "FP32",
    "parameters": {"binary_data_size": 8},
}


def request(head: Any, raw: bytes | None = None, **members: Any) -> InferRequest:
    text = json.dumps(head | members if isinstance(head, dict) else head).encode()
    length = None if raw is None else str(len(text))
    return decode_request(text + (raw or b""), length, SIGNATURE)


def refusal(head: Any, raw: bytes | None = None) -> str:
    with pytest.raises(InvalidInput) as caught:
        request(head, raw)
    return caught.value.sentence


def test_json_and_binary_inputs_may_be_mixed() -> None:
    second = IN_RAW | {"name": "z", "shape": [2]}

    asked = request({"inputs": [IN_RAW, IN_JSON | {"name": "j"}, second]}, RAW + RAW)

    assert [(t.name, t.shape, t.array.ravel().tolist()) for t in asked.tensors] == [
        ("x", (1, 2), [1.0, 2.0]),
        ("j", (1, 2), [1.0, 2.0]),
        ("z", (2,), [1.0, 2.0]),
    ]


def test_outputs_are_binary_as_each_or_as_the_whole_request_says() -> None:
    asked = request(
        {"inputs": [IN_JSON]},
        id="7",
        parameters={"binary_data_output": True},
        outputs=[{"name": "a"}, {"name": "b", "parameters": {"binary_data": False}}],
    )

    assert asked.id == "7"
    assert asked.outputs == ("a", "b")
    assert [asked.wants_binary(name) for name in asked.outputs] == [True, False]


def test_a_raw_request_is_the_only_inputs_value() -> None:
    asked = decode_request(RAW * 3, "0", SIGNATURE)

    assert asked.tensors[0].name == "x"
    assert asked.tensors[0].array.tolist() == [[1, 2]] * 3
    assert asked.wants_binary("y")


def test_a_raw_request_of_bytes_is_one_element() -> None:
    signature = Signature((TensorSpec("t", Datatype.BYTES, (-1,)),), ())

    asked = decode_request(b"hello", "0", signature)

    assert asked.tensors[0].array.tolist() == [b"hello"]


def test_a_raw_request_needs_a_model_with_one_input() -> None:
    two = Signature(SIGNATURE.inputs * 2, SIGNATURE.outputs)

    with pytest.raises(ModelUnfit):
        decode_request(RAW, "0", two)


@pytest.mark.parametrize("length", ["", "-1", "1e3", "\uff19", "999", "9" * 5000, "0x10", "1, 2"])
def test_a_header_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(InvalidInput, match="must be the number of bytes of JSON"):
        decode_request(json.dumps({"inputs": [IN_JSON]}).encode(), length, SIGNATURE)


@pytest.mark.parametrize(
    ("head", "raw", "sentence"),
    [
        ([], None, "the body must be a JSON object with a list of inputs"),
        ({}, None, "the body: 'inputs' is missing"),
        ({"inputs": {}}, None, "the body: 'inputs' must be a list"),
        ({"inputs": [1]}, None, "inputs must be a list of objects"),
        ({"inputs": [{}]}, None, "inputs[0]: 'name' is missing"),
        ({"inputs": [IN_JSON | {"name": 1}]}, None, "inputs[0]: 'name' must be text"),
        (
            {"inputs": [IN_JSON | {"shape": [1, 2.0]}]},
            None,
            "inputs[0].shape must be a list of whole numbers, as [1, 4]",
        ),
        (
            {"inputs": [IN_JSON | {"shape": [True, 2]}]},
            None,
            "inputs[0].shape must be a list of whole numbers, as [1, 4]",
        ),
        (
            {"inputs": [IN_JSON | {"shape": [-1, 2]}]},
            None,
            ("inputs[0].shape has a negative length: send the shape of these values, "
            "every length known"),
        ),
        (
            {"inputs": [IN_JSON | {"shape": [0, 2**62, 2**62]}]},
            None,
            "inputs[0].shape says more elements than a request can carry",
        ),
        (
            {"inputs": [IN_JSON | {"shape": [1] * 65}]},
            None,
            "inputs[0].shape has 65 dimensions: at most 64 can be carried",
        ),
        (
            {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]},
            None,
            "inputs[0] has neither data nor parameters.binary_data_size",
        ),
        ({"inputs": [IN_RAW | {"data": [1, 2]}]}, RAW, ("inputs[0] has both data and "
            "binary_data_size: send one")),
        ({"inputs": [IN_RAW]}, None, ("inputs[0] says 8 bytes of binary data, but 0 follow "
            "the JSON (whose length the header Inference-Header-Content-Length gives)")),
        ({"inputs": [IN_RAW]}, RAW[:-1], ("inputs[0] says 8 bytes of binary data, but 7 follow the "
            "JSON (whose length the header Inference-Header-Content-Length gives)")),
        ({"inputs": [IN_RAW]}, RAW + b"!", "1 bytes follow the last input's binary data"),
        ({"inputs": [IN_JSON]}, b"!", "1 bytes follow the last input's binary data"),
        (
            {"inputs": [IN_RAW | {"parameters": {"binary_data_size": True}}]},
            RAW,
            "inputs[0].parameters.binary_data_size must be a number of bytes",
        ),
        ({"inputs": [IN_JSON], "id": 7}, None, "the body: 'id' must be text"),
        ({"inputs": [IN_JSON], "outputs": "y"}, None, "the body: 'outputs' must be a list"),
        (
            {"inputs": [IN_JSON], "outputs": [{"name": "y"}, {"name": "y"}]},
            None,
            "an output is asked for twice",
        ),
        (
            {"inputs": [IN_JSON], "parameters": {"binary_data_output": 1}},
            None,
            "parameter binary_data_output must be true or false",
        ),
        (
            {"inputs": [IN_JSON], "outputs": [{"name": "y", "parameters": {"classification": 3}}]},
            None,
            "outputs[0].parameters.classification is not supported: ask for the output itself",
        ),
    ],
)  # fmt: skip
def test_a_malformed_request_is_refused_with_what_was_expected(
    head: Any, raw: bytes | None, sentence: str
) -> None:
    assert refusal(head, raw) == sentence


def test_an_unknown_datatype_is_refused_with_the_known_ones() -> None:
    assert refusal({"inputs": [IN_JSON | {"datatype": "BF16"}]}).startswith(
        "inputs[0]: there is no datatype 'BF16': send one of BOOL, UINT8,"
    )


ODD = st.recursive(
    st.sampled_from([None, True, 0, -1, 2, 1.5, 2**70, "", "x", "FP32", "BYTES", float("nan")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["inputs", "outputs", "name", "shape", "datatype", "data", "parameters",
                 "binary_data_size", "binary_data", "id"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(
    st.sampled_from([IN_JSON, IN_RAW]),
    st.sampled_from(["name", "shape", "datatype", "data", "parameters"]),
    ODD,
    st.none() | st.binary(max_size=12),
)
def test_one_odd_member_never_breaks_the_reader(
    plain: dict[str, Any], member: str, odd: Any, raw: bytes | None
) -> None:
    with suppress(InvalidInput, UnfitInput):
        request({"inputs": [plain | {member: odd}]}, raw)


@given(ODD, st.none() | st.text(max_size=5), st.binary(max_size=20))
def test_any_body_is_read_or_refused(odd: Any, length: str | None, more: bytes) -> None:
    with suppress(InvalidInput, UnfitInput):
        decode_request(json.dumps(odd).encode() + more, length, SIGNATURE)


def test_an_answer_has_json_first_and_raw_values_behind_in_order() -> None:
    outputs = [
        Tensor("a", Datatype.INT16, np.array([1, 2], np.int16)),
        Tensor("b", Datatype.FP32, np.array([0.1], np.float32)),
        Tensor("c", Datatype.BYTES, np.array([b"hi"], np.object_)),
    ]
    asked = InferRequest("7", (), binary={"b": False}, binary_default=True)

    encoded = encode_response("wine", 3, asked, outputs)

    length = encoded.header_length
    assert json.loads(encoded.body[:length]) == {
        "id": "7",
        "model_name": "wine",
        "model_version": "3",
        "outputs": [
            {
                "name": "a",
                "datatype": "INT16",
                "shape": [2],
                "parameters": {"binary_data_size": 4},
            },
            {"name": "b", "datatype": "FP32", "shape": [1], "data": [0.1]},
            {
                "name": "c",
                "datatype": "BYTES",
                "shape": [1],
                "parameters": {"binary_data_size": 6},
            },
        ],
    }
    assert encoded.body[length:] == b"\x01\x00\x02\x00\x02\x00\x00\x00hi"


def test_an_answer_without_raw_values_has_no_header_length() -> None:
    encoded = encode_response("wine", 1, InferRequest(None, ()), [])

    assert encoded.header_length is None
    assert json.loads(encoded.body) == {
        "model_name": "wine",
        "model_version": "1",
        "outputs": [],
    }
