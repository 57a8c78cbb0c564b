"""Signatures as ONNX Runtime reads them from a graph. Imports neither onnxruntime nor onnx."""

from collections.abc import Sequence
from typing import Protocol

from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype

DATATYPES: dict[str, Datatype] = {
    "tensor(bool)": Datatype.BOOL,
    "tensor(uint8)": Datatype.UINT8,
    "tensor(uint16)": Datatype.UINT16,
    "tensor(uint32)": Datatype.UINT32,
    "tensor(uint64)": Datatype.UINT64,
    "tensor(int8)": Datatype.INT8,
    "tensor(int16)": Datatype.INT16,
    "tensor(int32)": Datatype.INT32,
    "tensor(int64)": Datatype.INT64,
    "tensor(float16)": Datatype.FP16,
    "tensor(float)": Datatype.FP32,
    "tensor(double)": Datatype.FP64,
    "tensor(string)": Datatype.BYTES,
}

# What classifiers converted from scikit-learn give for probabilities: a map per record.
CLASS_MAPS = frozenset({"seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))"})


class Node(Protocol):
    """What is asked of ONNX Runtime's `NodeArg`."""

    @property
    def name(self) -> str:
        """The name in the graph."""
        ...

    @property
    def type(self) -> str:
        """The type as ONNX Runtime spells it, `tensor(float)`."""
        ...

    @property
    def shape(self) -> Sequence[int | str | None]:
        """Lengths, names of symbolic lengths, or None where the graph says nothing."""
        ...


class Session(Protocol):
    """What is asked of an ONNX Runtime `InferenceSession`."""

    def get_inputs(self) -> Sequence[Node]:
        """The inputs that a caller must send; initializers that may be overridden are not."""
        ...

    def get_outputs(self) -> Sequence[Node]:
        """The outputs."""
        ...


def signature_of(session: Session) -> Signature:
    """Return what the session's model takes and gives, as Headrace serves it.

    A length that the graph leaves open is FREE. An output that is a sequence of maps from class to
    probability is served as one FP32 tensor `(records, classes)`; its classes show in a run only
    (`class_maps.py`), so the spec's labels are empty.

    Raises:
        ModelUnfit: an input or output is of a type that no tensor of the protocol can carry.
    """
    return Signature(
        inputs=tuple(_input_spec(node) for node in session.get_inputs()),
        outputs=tuple(_output_spec(node) for node in session.get_outputs()),
    )


def _input_spec(node: Node) -> TensorSpec:
    return TensorSpec(node.name, _datatype("input", node), _shape(node))


def _output_spec(node: Node) -> TensorSpec:
    if node.type in CLASS_MAPS:
        return TensorSpec(node.name, Datatype.FP32, (FREE, FREE))
    return TensorSpec(node.name, _datatype("output", node), _shape(node))


def _datatype(side: str, node: Node) -> Datatype:
    datatype = DATATYPES.get(node.type)
    if datatype is None:
        raise ModelUnfit(
            f"{side} {node.name[:80]!r} is of type {node.type}, which cannot be served: "
            "export the model with dense tensors of bool, integer, float16/32/64 or string",
            got=node.type,
        )
    return datatype


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(
        length if isinstance(length, int) and length >= 0 else FREE for length in node.shape
    )
