"""What goes to Triton and comes from it, byte for byte."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headrace_runtime.codec.open_inference import decode_request
from headrace_runtime.codec.triton_body import (
    content_type,
    decode_output,
    encode_body,
    header_bytes,
)
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor, datatype_of
from tests import onnx_models

X = Tensor("x", Datatype.FP32, np.arange(8, dtype=np.float32).reshape(2, 4))
SPEC = TensorSpec("y", Datatype.FP32, (FREE, 2))
BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="


def answer(outputs: list[dict], raw: bytes = b"") -> tuple[bytes, str]:
    head = json.dumps({"model_name": "model", "outputs": outputs}).encode()
    return head + raw, f"{BINARY}{len(head)}"


def described(name: str, shape: list[int], size: int, datatype: str = "FP32") -> dict:
    return {
        "name": name,
        "datatype": datatype,
        "shape": shape,
        "parameters": {"binary_data_size": size},
    }


def test_the_json_of_a_body_is_filled_up_with_blanks_to_1024_bytes():
    body = encode_body([X], ["y"], 1024)

    assert json.loads(body[:1024]) == {
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
    assert body[1020:1024] == b"    "
    assert body[1024:] == X.array.tobytes()
    assert content_type(1024) == f"{BINARY}1024"


def test_a_model_of_many_inputs_has_more_room_and_always_the_same():
    specs = tuple(TensorSpec(f"feature {i}", Datatype.FP32, (FREE, 1)) for i in range(40))
    wide = Signature(specs, (SPEC,))

    assert header_bytes(onnx_models.linear_signature()) == 1024
    assert header_bytes(wide) == 8192
    for rows in (1, 65_536):
        tensors = [Tensor(s.name, s.datatype, np.zeros((rows, 1), np.float32)) for s in specs]
        assert len(encode_body(tensors, ["y"], 8192)) == 8192 + 40 * 4 * rows


def test_a_body_without_room_for_its_json_is_nobodys_to_send():
    with pytest.raises(ValueError, match="and 16 are its room"):
        encode_body([X], ["y"], 16)


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.float16]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=5),
    )
)
def test_what_is_encoded_is_what_a_server_of_the_protocol_reads(array):
    datatype = datatype_of(array)
    assert datatype is not None
    spec = TensorSpec("x", datatype, (FREE,) * array.ndim)
    signature = Signature((spec,), (SPEC,))
    header = header_bytes(signature)

    body = encode_body([Tensor("x", datatype, array)], ["y"], header)

    read = decode_request(body, str(header), signature)
    np.testing.assert_array_equal(read.tensors[0].array, array)
    assert (read.outputs, read.wants_binary("y")) == (("y",), True)


def test_outputs_come_in_the_models_order_whatever_the_answers():
    first, second = np.float32([[1, 2]]), np.int64([[7]])
    body, kind = answer(
        [described("n", [1, 1], 8, "INT64"), described("y", [1, 2], 8)],
        second.tobytes() + first.tobytes(),
    )

    outputs = decode_output(body, kind, [SPEC, TensorSpec("n", Datatype.INT64, (FREE, 1))])

    assert [output.name for output in outputs] == ["y", "n"]
    np.testing.assert_array_equal(outputs[0].array, first)
    np.testing.assert_array_equal(outputs[1].array, second)


def test_an_answer_in_json_alone_is_read_too():
    text = json.dumps(
        {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 2]}]}
    )
    (output,) = decode_output(text.encode(), "application/json", [SPEC])

    np.testing.assert_array_equal(output.array, np.float32([[0.5, 2]]))


@pytest.mark.parametrize("kind", ["binary/octet-stream", f"{BINARY}1024", f"{BINARY}20"])
def test_where_the_json_ends_is_seen_though_it_was_not_told_or_told_wrongly(kind):
    body, _ = answer([described("y", [1, 2], 8)], np.float32([3, 4]).tobytes())

    (output,) = decode_output(body, kind, [SPEC])

    np.testing.assert_array_equal(output.array, np.float32([[3, 4]]))


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"", "application/json", "not valid JSON|JSON"),
        (b"[]", "application/json", "no JSON object"),
        (b"{}", f"{BINARY}3", "'outputs' is missing"),
        (b"{}", f"{BINARY}2", "'outputs' is missing"),
        (*answer([]), "lacks output 'y'"),
        (*answer([described("y", [1, 2], 8)], b"1234567"), "has 8 bytes, got 7"),
        (*answer([described("y", [1, 2], 8)], b"123456789"), "9 bytes of values, its JSON says 8"),
        (*answer([described("y", [1, 2], 16, "FP64")], bytes(16)), "is FP64 in the answer"),
        (*answer([described("y", [-1, 2], 8)], bytes(8)), "shape"),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(body, kind, error):
    with pytest.raises(InvalidInput, match=error):
        decode_output(body, kind, [SPEC])


@given(st.binary(max_size=200), st.sampled_from(["", "application/json", f"{BINARY}20"]))
def test_no_bytes_raise_anything_else(body, kind):
    with pytest.raises(InvalidInput):
        decode_output(body, kind, [SPEC])
