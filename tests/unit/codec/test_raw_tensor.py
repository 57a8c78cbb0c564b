"""Tensors as raw bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headrace_runtime.codec import raw_tensor
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Datatype, Tensor

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
NUMERIC = [datatype for datatype in Datatype if datatype is not Datatype.BYTES]


@given(st.sampled_from(NUMERIC), SHAPES, st.data())
def test_every_number_survives_the_way_there_and_back(
    datatype: Datatype, shape: tuple[int, ...], data: st.DataObject
) -> None:
    array = data.draw(hnp.arrays(datatype.dtype, shape))

    back = raw_tensor.from_bytes(
        "x", datatype, shape, raw_tensor.to_bytes(Tensor("x", datatype, array))
    )

    assert back.shape == shape
    assert back.array.tobytes() == array.tobytes()  # NaNs with their payload


@given(st.lists(st.binary(max_size=9), max_size=6))
def test_bytes_of_any_content_survive(elements: list[bytes]) -> None:
    array = np.empty(len(elements), np.object_)
    array[:] = elements
    raw = raw_tensor.to_bytes(Tensor("x", Datatype.BYTES, array))

    back = raw_tensor.from_bytes("x", Datatype.BYTES, (len(elements),), raw)

    assert back.array.tolist() == elements


def test_raw_values_are_little_endian_and_row_major() -> None:
    array = np.array([[1, 2], [3, 4]], np.int16).T  # not contiguous

    raw = raw_tensor.to_bytes(Tensor("x", Datatype.INT16, array))

    assert raw == bytes([1, 0, 3, 0, 2, 0, 4, 0])


def test_an_element_of_bytes_has_its_length_before_it() -> None:
    array = np.array([b"ab", b""], np.object_)

    raw = raw_tensor.to_bytes(Tensor("x", Datatype.BYTES, array))

    assert raw == b"\x02\x00\x00\x00ab\x00\x00\x00\x00"


def test_values_at_an_odd_place_are_aligned_for_the_model() -> None:
    body = memoryview(b"{" + np.array([1.5, 2.5], "<f8").tobytes())

    tensor = raw_tensor.from_bytes("x", Datatype.FP64, (2,), body[1:])

    assert tensor.array.flags.aligned
    assert tensor.array.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "sentence"),
    [
        (
            Datatype.FP32,
            (2,),
            b"\0" * 7,
            "tensor 'x': FP32 of shape [2] has 8 bytes, got 7",
        ),
        (Datatype.BOOL, (1,), b"\x02", "tensor 'x': a byte of BOOL must be 0 or 1"),
        (
            Datatype.BYTES,
            (1,),
            b"\1\0\0\0ab",
            "tensor 'x': 1 bytes are left after 1 elements",
        ),
        (
            Datatype.BYTES,
            (1,),
            b"\xff\xff\xff\xffab",
            (
                "tensor 'x': 6 bytes end before 1 BYTES elements (each is a 4-byte "
                "little-endian length and its bytes)"
            ),
        ),
        (
            Datatype.BYTES,
            (1 << 39,),
            b"\0" * 8,
            (
                "tensor 'x': 8 bytes end before 549755813888 BYTES elements (each is a 4-byte "
                "little-endian length and its bytes)"
            ),
        ),
    ],
)
def test_values_that_are_no_such_tensor_are_refused(
    datatype: Datatype, shape: tuple[int, ...], raw: bytes, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        raw_tensor.from_bytes("x", datatype, shape, raw)

    assert caught.value.sentence == sentence
