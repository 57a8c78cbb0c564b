"""Rules on inputs and outputs: only what a tensor of the Open Inference Protocol can carry."""

from math import prod

from onnx import ModelProto, TensorProto, TypeProto, ValueInfoProto

from headrace_runtime.errors import ModelRefused

MAX_RECORD_BYTES = 64 << 20  # one record's input; no door carries more, and a trial must hold it

_T = TensorProto

# Data types that can be carried, and the bytes of one element (strings: a guess of few).
_SIZES: dict[int, int] = {
    _T.BOOL: 1,
    _T.UINT8: 1,
    _T.UINT16: 2,
    _T.UINT32: 4,
    _T.UINT64: 8,
    _T.INT8: 1,
    _T.INT16: 2,
    _T.INT32: 4,
    _T.INT64: 8,
    _T.FLOAT16: 2,
    _T.FLOAT: 4,
    _T.DOUBLE: 8,
    _T.STRING: 8,
}

_DENSE = "use dense tensors of bool, integer, float16/32/64 or string"


def check(model: ModelProto) -> None:
    """Let a model pass whose inputs and outputs can be carried.

    Raises:
        ModelRefused: INPUT_TYPE, OUTPUT_TYPE, RECORD_TOO_LARGE.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in constants:
            _check_input(value)
    for value in model.graph.output:
        _check_output(value)


def _check_input(value: ValueInfoProto) -> None:
    name = ascii(value.name[:80])
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise ModelRefused(
            "INPUT_TYPE", f"input {name} is of kind {_kind(kind)}: {_DENSE} as inputs"
        )
    tensor = value.type.tensor_type
    if tensor.elem_type not in _SIZES:
        raise ModelRefused(
            "INPUT_TYPE",
            f"input {name} has elements of type {_element(tensor)}: {_DENSE} as inputs",
        )
    lengths = [dim.dim_value for dim in tensor.shape.dim if dim.HasField("dim_value")]
    size = prod(length for length in lengths if length > 0) * _SIZES[tensor.elem_type]
    if size > MAX_RECORD_BYTES:
        raise ModelRefused(
            "RECORD_TOO_LARGE",
            f"one record of input {name} takes {size:,} bytes, at most {MAX_RECORD_BYTES:,} can be "
            "carried: export with smaller or with free dimensions",
        )


def _check_output(value: ValueInfoProto) -> None:
    name = ascii(value.name[:80])
    kind = value.type.WhichOneof("value")
    if kind is None or (kind == "sequence_type" and _is_class_map(value.type)):
        return  # an output without a type: what ONNX Runtime makes of it shows on trial
    if kind != "tensor_type":
        raise ModelRefused(
            "OUTPUT_TYPE",
            f"output {name} is of kind {_kind(kind)}: {_DENSE} as outputs "
            "(skl2onnx: options={'zipmap': False})",
        )
    tensor = value.type.tensor_type
    if tensor.elem_type not in (*_SIZES, _T.UNDEFINED):
        raise ModelRefused(
            "OUTPUT_TYPE",
            f"output {name} has elements of type {_element(tensor)}: cast it before the end of "
            f"the graph, {_DENSE}",
        )


def _is_class_map(kind: TypeProto) -> bool:
    maps = kind.sequence_type.elem_type.map_type
    return (
        kind.sequence_type.elem_type.WhichOneof("value") == "map_type"
        and maps.key_type in (_T.INT64, _T.STRING)
        and maps.value_type.tensor_type.elem_type == _T.FLOAT
    )


def _kind(kind: str | None) -> str:
    return (kind or "none").removesuffix("_type")


def _element(tensor: TypeProto.Tensor) -> str:
    known = tensor.elem_type in _T.DataType.values()
    return _T.DataType.Name(tensor.elem_type).lower() if known else str(tensor.elem_type)
