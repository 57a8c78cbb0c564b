import numpy as np
import pytest

from headrace_runtime.errors import (
    DatatypeMismatch,
    MissingInput,
    ShapeMismatch,
    UnknownInput,
    UnknownOutput,
)
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

SIGNATURE = Signature(
    inputs=(
        TensorSpec("x", Datatype.FP32, (-1, 4)),
        TensorSpec("scale", Datatype.INT64, ()),
    ),
    outputs=(TensorSpec("p", Datatype.FP32, (-1, 2), labels=("no", "yes")),),
)
X = Tensor("x", Datatype.FP32, np.zeros((3, 4), np.float32))
SCALE = Tensor("scale", Datatype.INT64, np.array(1))


def test_exactly_the_inputs_pass_in_any_order():
    SIGNATURE.check([SCALE, X])


@pytest.mark.parametrize(
    ("tensors", "error", "sentence"),
    [
        ([X], MissingInput, "'scale' is missing: the model takes 'x', 'scale'"),
        ([X, SCALE, X], UnknownInput, "no input 'x'"),
        (
            [X, Tensor("scale", Datatype.INT32, np.array(1, np.int32))],
            DatatypeMismatch,
            "takes INT64, got INT32",
        ),
        (
            [X, Tensor("scale", Datatype.INT64, np.array([1]))],
            ShapeMismatch,
            r"takes shape \[\].*got \[1\]",
        ),
        (
            [Tensor("x", Datatype.FP32, np.zeros((3, 5), np.float32)), SCALE],
            ShapeMismatch,
            r"got \[3, 5\]",
        ),
        ([Tensor("y", Datatype.FP32, np.zeros((3, 4), np.float32))], UnknownInput, "no input 'y'"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(tensors, error, sentence):
    with pytest.raises(error, match=sentence):
        SIGNATURE.check(tensors)


def test_an_output_the_model_does_not_give_is_refused():
    with pytest.raises(UnknownOutput, match="no output 'q': it gives 'p'"):
        SIGNATURE.check_outputs(["p", "q"])


def test_a_signature_comes_back_from_json_as_it_went():
    assert Signature.from_dict(SIGNATURE.to_dict()) == SIGNATURE


def test_metadata_is_written_as_the_protocol_has_it():
    assert SIGNATURE.to_dict() == {
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [-1, 4]},
            {"name": "scale", "datatype": "INT64", "shape": []},
        ],
        "outputs": [
            {
                "name": "p",
                "datatype": "FP32",
                "shape": [-1, 2],
                "parameters": {"labels": ["no", "yes"]},
            }
        ],
    }
