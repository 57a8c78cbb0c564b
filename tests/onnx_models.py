"""Tiny ONNX models, as bytes, made on the spot: what the tests serve."""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype

OPSET = 18

Shape = Sequence[int | str] | None

ELEMENTS: dict[Datatype, int] = {
    Datatype.BOOL: TensorProto.BOOL,
    Datatype.UINT8: TensorProto.UINT8,
    Datatype.UINT16: TensorProto.UINT16,
    Datatype.UINT32: TensorProto.UINT32,
    Datatype.UINT64: TensorProto.UINT64,
    Datatype.INT8: TensorProto.INT8,
    Datatype.INT16: TensorProto.INT16,
    Datatype.INT32: TensorProto.INT32,
    Datatype.INT64: TensorProto.INT64,
    Datatype.FP16: TensorProto.FLOAT16,
    Datatype.FP32: TensorProto.FLOAT,
    Datatype.FP64: TensorProto.DOUBLE,
    Datatype.BYTES: TensorProto.STRING,
}


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    weights: Sequence[TensorProto] = (),
) -> bytes:
    """Return a model of these parts, with the opsets of ai.onnx and ai.onnx.ml."""
    graph = helper.make_graph(list(nodes), "test", list(inputs), list(outputs), list(weights))
    made: ModelProto = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=9,
    )
    return made.SerializeToString()


def value(name: str, datatype: Datatype, shape: Shape) -> ValueInfoProto:
    """Return an input's or output's declaration; a shape of None says nothing."""
    return helper.make_tensor_value_info(name, ELEMENTS[datatype], shape)


def weight(name: str, array: np.ndarray) -> TensorProto:
    """Return an initializer."""
    return numpy_helper.from_array(np.ascontiguousarray(array), name)


def identity(datatype: Datatype = Datatype.FP32, shape: Shape = ("n", 4)) -> bytes:
    """`y = x`, for any datatype and shape."""
    node = helper.make_node("Identity", ["x"], ["y"])
    return model([node], [value("x", datatype, shape)], [value("y", datatype, shape)])


def identity_signature(
    datatype: Datatype = Datatype.FP32, shape: Sequence[int] = (-1, 4)
) -> Signature:
    """The signature of `identity` with the same arguments, -1 for a named length."""
    return Signature(
        (TensorSpec("x", datatype, tuple(shape)),), (TensorSpec("y", datatype, tuple(shape)),)
    )


def linear(features: int = 4, outputs: int = 3) -> bytes:
    """`y = x @ w + b`, `x` of (n, features); w[i, j] = i - j, b[j] = j: whole numbers."""
    rows, columns = np.indices((features, outputs), np.float32)
    w = (rows - columns).astype(np.float32)
    b = np.arange(outputs, dtype=np.float32)
    return model(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        [value("x", Datatype.FP32, ["n", features])],
        [value("y", Datatype.FP32, ["n", outputs])],
        [weight("w", w), weight("b", b)],
    )


def linear_signature(features: int = 4, outputs: int = 3) -> Signature:
    """The signature of `linear` with the same arguments."""
    return Signature(
        (TensorSpec("x", Datatype.FP32, (-1, features)),),
        (TensorSpec("y", Datatype.FP32, (-1, outputs)),),
    )


def two_inputs() -> bytes:
    """`total = left + right`, `scaled = left * right`: FP32 (n) each."""
    names = [value(name, Datatype.FP32, ["n"]) for name in ("left", "right", "total", "scaled")]
    nodes = [
        helper.make_node("Add", ["left", "right"], ["total"]),
        helper.make_node("Mul", ["left", "right"], ["scaled"]),
    ]
    return model(nodes, names[:2], names[2:])


TWO_INPUTS = Signature(
    (TensorSpec("left", Datatype.FP32, (-1,)), TensorSpec("right", Datatype.FP32, (-1,))),
    (TensorSpec("total", Datatype.FP32, (-1,)), TensorSpec("scaled", Datatype.FP32, (-1,))),
)


def classifier(classes: Sequence[int] | Sequence[str] = (0, 1, 2)) -> bytes:
    """Return what skl2onnx makes of a classifier: `label` and `probabilities`, a map per record.

    `x` is FP32 (n, 2); the label is the class of the greatest probability.
    """
    text = isinstance(classes[0], str)
    named = {f"classlabels_{'strings' if text else 'ints'}": list(classes)}
    coefficients = np.arange(2 * len(classes)).astype(float) - len(classes)
    linear_classifier = helper.make_node(
        "LinearClassifier",
        ["x"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=coefficients.tolist(),
        intercepts=[0.0] * len(classes),
        multi_class=1,
        post_transform="SOFTMAX",
        **named,
    )
    zipmap = helper.make_node(
        "ZipMap",
        ["scores"],
        ["probabilities"],
        domain="ai.onnx.ml",
        **{f"classlabels_{'strings' if text else 'int64s'}": list(classes)},
    )
    key = TensorProto.STRING if text else TensorProto.INT64
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(key, tensor))
    label = value("label", Datatype.BYTES if text else Datatype.INT64, ["n"])
    return model(
        [linear_classifier, zipmap],
        [value("x", Datatype.FP32, ["n", 2])],
        [label, helper.make_value_info("probabilities", maps)],
    )


def classifier_signature(*, text: bool = False) -> Signature:
    """The signature of `classifier`; its labels show in a run only."""
    return Signature(
        (TensorSpec("x", Datatype.FP32, (-1, 2)),),
        (
            TensorSpec("label", Datatype.BYTES if text else Datatype.INT64, (-1,)),
            TensorSpec("probabilities", Datatype.FP32, (-1, -1)),
        ),
    )


def gather() -> bytes:
    """`y = table[i]` over five rows: an index out of range fails in the run."""
    return model(
        [helper.make_node("Gather", ["table", "i"], ["y"])],
        [value("i", Datatype.INT64, ["n"])],
        [value("y", Datatype.FP32, ["n"])],
        [weight("table", np.arange(5, dtype=np.float32))],
    )


GATHER = Signature(
    (TensorSpec("i", Datatype.INT64, (-1,)),), (TensorSpec("y", Datatype.FP32, (-1,)),)
)
