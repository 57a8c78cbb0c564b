"""Lists of JSON values as tensors."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headrace_runtime.codec.json_tensor import tensor_from_json, tensor_to_json
from headrace_runtime.codec.json_text import read_json, write_json
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Datatype, Tensor

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
NUMERIC = [datatype for datatype in Datatype if datatype is not Datatype.BYTES]


@given(st.sampled_from(NUMERIC), SHAPES, st.data())
def test_every_number_survives_the_way_through_text(
    datatype: Datatype, shape: tuple[int, ...], data: st.DataObject
) -> None:
    array = data.draw(hnp.arrays(datatype.dtype, shape))
    text = write_json(tensor_to_json(Tensor("x", datatype, array)))

    back = tensor_from_json("x", datatype, shape, read_json(text))

    np.testing.assert_array_equal(back.array, array)


@given(hnp.arrays(np.float64, SHAPES))
def test_nested_lists_are_read_as_flat_ones(array: np.ndarray) -> None:
    nested = tensor_from_json("x", Datatype.FP64, array.shape, array.tolist())
    flat = tensor_from_json("x", Datatype.FP64, array.shape, array.ravel().tolist())

    np.testing.assert_array_equal(nested.array, flat.array)


@pytest.mark.parametrize(
    ("datatype", "element", "got"),
    [
        (Datatype.INT32, "1", "text"),
        (Datatype.INT32, True, "true"),
        (Datatype.INT32, 1.7, "the number 1.7"),
        (Datatype.INT32, 1.0, "the number 1.0"),
        (Datatype.INT32, None, "null"),
        (Datatype.INT8, 128, "the number 128"),
        (Datatype.UINT8, -1, "the number -1"),
        (Datatype.INT64, 9223372036854775808, "the number 9223372036854775808"),
        (Datatype.UINT64, 1.8446744073709552e19, "the number 1.8446744073709552e+19"),
        (Datatype.FP32, "1_000", "text"),
        (Datatype.FP32, "nan", "text"),
        (Datatype.FP32, False, "false"),
        (Datatype.FP32, None, "null"),
        (Datatype.FP32, 1e39, "the number 1e+39"),
        (Datatype.FP16, 70000, "the number 70000"),
        (Datatype.FP64, {}, "an object"),
        (Datatype.BOOL, 1, "the number 1"),
        (Datatype.BYTES, 1, "the number 1"),
        (Datatype.BYTES, [], "a list"),
    ],
)
def test_no_element_is_coerced(datatype: Datatype, element: Any, got: str) -> None:
    fine = {Datatype.BOOL: True, Datatype.BYTES: "a"}.get(datatype, 1)

    with pytest.raises(InvalidInput) as caught:
        tensor_from_json("x", datatype, (2,), [fine, element])

    assert caught.value.sentence == f"tensor 'x': element 1 cannot be {datatype}: got {got}"


def test_large_integers_are_exact() -> None:
    tensor = tensor_from_json("x", Datatype.UINT64, (2,), [2**53 + 1, 2**64 - 1])

    assert tensor.array.tolist() == [9007199254740993, 18446744073709551615]


def test_infinities_that_were_sent_stay() -> None:
    tensor = tensor_from_json("x", Datatype.FP32, (2,), [math.inf, -math.inf])

    assert tensor.array.tolist() == [math.inf, -math.inf]


@pytest.mark.parametrize("data", [5, [5]])
def test_a_scalar_may_stand_alone(data: Any) -> None:
    tensor = tensor_from_json("x", Datatype.FP32, (), data)

    assert tensor.shape == ()
    assert tensor.array.item() == 5


@pytest.mark.parametrize(
    ("shape", "data", "sentence"),
    [
        ((2,), [1], "tensor 'x': shape [2] has 2 elements, got 1"),
        (
            (2, 2),
            [[1, 2], [3]],
            ("tensor 'x': data is not nested as shape [2, 2]: every list at depth 1 must have "
            "2 elements"),
        ),
        (
            (2, 2),
            [[1, 2], 3, 4],
            ("tensor 'x': data is not nested as shape [2, 2]: every list at depth 0 must have "
            "2 elements"),
        ),
        ((2,), [[1, 2]], ("tensor 'x': data is not nested as shape [2]: every list at depth 0 must "
            "have 2 elements")),
        ((1,), 5, "tensor 'x': data must be a list, got the number 5"),
        ((1,), None, "tensor 'x': data must be a list, got null"),
        ((), {}, "tensor 'x': data must be a list, got an object"),
    ],
)  # fmt: skip
def test_data_of_another_form_is_refused(shape: tuple[int, ...], data: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        tensor_from_json("x", Datatype.FP32, shape, data)

    assert caught.value.sentence == sentence


def test_text_is_carried_as_utf_8() -> None:
    tensor = tensor_from_json("x", Datatype.BYTES, (3,), ["é", "", "a\0"])

    assert tensor.array.tolist() == [b"\xc3\xa9", b"", b"a\0"]
    assert tensor_to_json(tensor) == ["é", "", "a\0"]


def test_bytes_that_are_no_text_cannot_be_json() -> None:
    tensor = Tensor("x", Datatype.BYTES, np.array([b"\xff"], np.object_))

    with pytest.raises(InvalidInput, match="ask for it as binary data"):
        tensor_to_json(tensor)
