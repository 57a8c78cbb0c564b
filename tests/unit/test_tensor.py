import numpy as np
import pytest

from headrace_runtime.tensor import Datatype, Tensor, datatype_of


@pytest.mark.parametrize("datatype", list(Datatype))
def test_a_datatype_and_its_dtype_name_each_other(datatype):
    assert datatype_of(np.zeros(1, datatype.dtype)) is datatype


def test_byte_order_does_not_change_the_datatype():
    assert datatype_of(np.zeros(1, ">f4")) is Datatype.FP32


@pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]", "U3", "S3"])
def test_a_dtype_outside_the_protocol_has_no_datatype(dtype):
    assert datatype_of(np.zeros(1, dtype)) is None


def test_a_tensor_refuses_an_array_of_another_dtype():
    with pytest.raises(ValueError, match="FP32 is held as float32, got float64"):
        Tensor("x", Datatype.FP32, np.zeros(2))


def test_a_scalar_has_an_empty_shape():
    assert Tensor("x", Datatype.INT64, np.array(3)).shape == ()


@pytest.mark.parametrize(
    ("datatype", "integer", "floating", "size"),
    [
        ("BOOL", False, False, 1),
        ("UINT16", True, False, 2),
        ("INT64", True, False, 8),
        ("FP16", False, True, 2),
        ("BYTES", False, False, 0),
    ],
)
def test_a_datatype_knows_its_kind_and_size(datatype, integer, floating, size):
    kind = Datatype(datatype)

    assert (kind.is_integer, kind.is_float, kind.size_bytes) == (integer, floating, size)
