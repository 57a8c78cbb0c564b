"""Calls of more records than are taken at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.errors import InferenceFailed, ModelUnfit
from headrace_runtime.inference.call_parts import joined, parts
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

Y = TensorSpec("y", Datatype.FP32, (-1, -1, 3))


def tensor(*shape: int, name: str = "x") -> Tensor:
    """Count up in this shape."""
    values = np.arange(np.prod(shape, dtype=int), dtype=np.float32)
    return Tensor(name, Datatype.FP32, values.reshape(shape))


@given(rows=st.integers(0, 20), at_once=st.integers(2, 9))
def test_what_is_cut_is_whole_again(rows: int, at_once: int) -> None:
    left, right = tensor(rows, 2, 3), tensor(rows, name="right")

    cut = list(parts([left, right], at_once))

    assert [len(part[0].array) for part in cut] == [
        min(at_once, rows - start) for start in range(0, rows, at_once)
    ]
    whole = joined(Y, [part[0] for part in cut])
    assert whole.array.tolist() == left.array.tolist()
    assert [name for part in cut for name in (t.name for t in part)] == ["x", "right"] * len(cut)


def test_no_records_have_no_outputs_of_the_shape_that_is_known() -> None:
    assert list(parts([tensor(0, 4)], 8)) == []
    assert joined(Y, []).shape == (0, 0, 3)


def test_a_model_of_one_record_a_run_takes_the_call_as_it_is() -> None:
    inputs = [tensor(1, 4), tensor(7, name="right")]

    assert list(parts(inputs, 1)) == [inputs]


def test_inputs_of_different_numbers_of_records_are_refused() -> None:
    with pytest.raises(InferenceFailed, match="same number of records"):
        list(parts([tensor(2, 4), tensor(3, 4)], 8))


@pytest.mark.parametrize("at_once", [1, 8])
def test_a_record_of_nothing_is_refused(at_once: int) -> None:
    with pytest.raises(InferenceFailed, match="empty"):
        list(parts([tensor(2, 0)], at_once))


def test_outputs_of_other_shapes_cannot_be_put_together() -> None:
    with pytest.raises(ModelUnfit, match="'y' has another shape"):
        joined(Y, [tensor(2, 4, 3), tensor(2, 5, 3)])
