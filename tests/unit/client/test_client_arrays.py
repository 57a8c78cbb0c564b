import numpy as np
import pytest

from headrace.arrays import tensors_of
from headrace.records import TensorInfo
from headrace_runtime.errors import DatatypeMismatch, InvalidInput, MissingInput, UnknownInput
from headrace_runtime.tensor import Datatype


def _takes(datatype, name="x"):
    return [TensorInfo(name, Datatype(datatype), (-1, -1))]


@pytest.mark.parametrize(
    ("datatype", "values", "dtype", "shape"),
    [
        ("FP32", [[1, 2.5]], np.float32, (1, 2)),
        ("FP16", [[1.5]], np.float16, (1, 1)),
        ("FP64", 2.5, np.float64, ()),
        ("INT64", [[2**62]], np.int64, (1, 1)),
        ("UINT8", [[0, 255]], np.uint8, (1, 2)),
        ("BOOL", [[True], [False]], np.bool_, (2, 1)),
        ("BYTES", [["wörter", b"\x00"]], np.object_, (1, 2)),
        ("FP32", [], np.float32, (0,)),
        ("FP32", [[], []], np.float32, (2, 0)),
        ("FP32", ((1.0, 2.0), [3.0, 4.0]), np.float32, (2, 2)),
    ],
)
def test_a_list_takes_the_datatype_of_the_model(datatype, values, dtype, shape):
    (tensor,) = tensors_of(_takes(datatype), values)

    assert tensor.array.dtype == dtype
    assert tensor.shape == shape
    if datatype != "BYTES":
        assert tensor.array.tolist() == np.array(values, dtype).tolist()


def test_text_is_sent_as_utf_8():
    (tensor,) = tensors_of(_takes("BYTES"), [["wörter", b"\x00\xff"]])

    assert tensor.array.tolist() == [["wörter".encode(), b"\x00\xff"]]


@pytest.mark.parametrize(
    ("datatype", "values", "why"),
    [
        ("FP32", [["1.5"]], "may hold float or int, got str"),
        ("FP32", [[True]], "got bool"),
        ("FP32", [[None]], "got NoneType"),
        ("FP32", [[1.0], 2.0], "got list"),
        ("FP32", [[1.0], [2.0, 3.0]], "ragged"),
        ("FP32", [[1e39]], "out of its range"),
        ("FP64", [[10**400]], "out of its range"),
        ("FP16", [[70000]], "out of its range"),
        ("INT64", [[1.0]], "may hold int, got float"),
        ("INT64", [[True]], "got bool"),
        ("INT64", [[2**63]], "out of its range"),
        ("UINT8", [[-1]], "out of its range"),
        ("UINT8", [[256]], "out of its range"),
        ("BOOL", [[1]], "may hold bool, got int"),
        ("BYTES", [[1]], "may hold bytes or str, got int"),
        ("FP32", {"y": 1}, "no input 'y'"),
        ("FP32", {}, "'x' is missing"),
    ],
)
def test_a_list_is_never_coerced(datatype, values, why):
    with pytest.raises((InvalidInput, UnknownInput, MissingInput), match=why):
        tensors_of(_takes(datatype), values)


def test_infinities_and_nan_in_a_list_stay_what_they_are():
    (tensor,) = tensors_of(_takes("FP32"), [[float("inf"), float("-inf"), float("nan")]])

    assert str(tensor.array.tolist()) == "[[inf, -inf, nan]]"


def test_an_array_of_another_dtype_is_refused_with_the_cure():
    with pytest.raises(DatatypeMismatch) as refused:
        tensors_of(_takes("FP32"), np.zeros((1, 4)))

    assert refused.value.sentence == (
        "input 'x' takes FP32, got FP64: convert it yourself, .astype(np.float32)"
    )


def test_an_array_of_a_dtype_that_no_datatype_has_is_named():
    with pytest.raises(
        DatatypeMismatch, match=r"got numpy's complex128: .*\.astype\(np\.float32\)"
    ):
        tensors_of(_takes("FP32"), np.zeros(2, np.complex128))


def test_an_array_in_the_other_byte_order_holds_the_same_values():
    (tensor,) = tensors_of(_takes("INT32"), np.array([[1, 2]], ">i4"))

    assert tensor.array.dtype.isnative
    assert tensor.array.tolist() == [[1, 2]]


@pytest.mark.parametrize("array", [np.array([["a", "bc"]]), np.array([[b"a", "bc"]], object)])
def test_an_array_of_texts_is_bytes(array):
    (tensor,) = tensors_of(_takes("BYTES"), array)

    assert tensor.array.tolist() == [[b"a", b"bc"]]


def test_a_list_of_equal_arrays_is_stacked():
    rows = np.eye(2, dtype=np.float32)

    (tensor,) = tensors_of(_takes("FP32"), [rows[1], rows[0]])

    assert tensor.array.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_arrays_of_another_dtype_in_a_list_are_refused_too():
    with pytest.raises(DatatypeMismatch, match="got FP64"):
        tensors_of(_takes("FP32"), [np.zeros(2), np.ones(2)])


def test_a_model_with_two_inputs_takes_them_by_name():
    takes = _takes("FP32", "a") + _takes("INT8", "b")

    named = tensors_of(takes, {"b": [[1]], "a": [[2.5]]})

    assert {t.name: t.array.tolist() for t in named} == {"a": [[2.5]], "b": [[1]]}
    with pytest.raises(InvalidInput, match="has 2 inputs: give them by name: 'a', 'b'"):
        tensors_of(takes, [[1]])
    with pytest.raises(MissingInput, match="input 'b' is missing"):
        tensors_of(takes, {"a": [[1]]})
