"""Rules on stored tensors: all in the file, and as many bytes as their dimensions say."""

from math import prod

from onnx import TensorProto

from headrace_runtime.errors import ModelRefused

_T = TensorProto

# Bits of one element in raw_data.
_BITS: dict[int, int] = {
    **dict.fromkeys((_T.BOOL, _T.INT8, _T.UINT8), 8),
    **dict.fromkeys((_T.INT16, _T.UINT16, _T.FLOAT16, _T.BFLOAT16), 16),
    **dict.fromkeys((_T.INT32, _T.UINT32, _T.FLOAT), 32),
    **dict.fromkeys((_T.INT64, _T.UINT64, _T.DOUBLE, _T.COMPLEX64), 64),
    _T.COMPLEX128: 128,
    **dict.fromkeys((_T.INT4, _T.UINT4, _T.FLOAT4E2M1), 4),
    **dict.fromkeys(
        (_T.FLOAT8E4M3FN, _T.FLOAT8E4M3FNUZ, _T.FLOAT8E5M2, _T.FLOAT8E5M2FNUZ, _T.FLOAT8E8M0), 8
    ),
}

# Where elements stand when not raw, and how many entries each takes.
_FIELDS: dict[int, tuple[str, int]] = {
    _T.FLOAT: ("float_data", 1),
    _T.COMPLEX64: ("float_data", 2),
    _T.DOUBLE: ("double_data", 1),
    _T.COMPLEX128: ("double_data", 2),
    _T.INT64: ("int64_data", 1),
    _T.UINT32: ("uint64_data", 1),
    _T.UINT64: ("uint64_data", 1),
    _T.STRING: ("string_data", 1),
    **dict.fromkeys(
        (_T.BOOL, _T.INT8, _T.UINT8, _T.INT16, _T.UINT16, _T.INT32, _T.FLOAT16, _T.BFLOAT16),
        ("int32_data", 1),
    ),
}


def check(tensor: TensorProto) -> None:
    """Let a tensor pass whose data are in the file, all of them and no more.

    Raises:
        ModelRefused: EXTERNAL_DATA, TENSOR_TYPE, TENSOR_SIZE.
    """
    if tensor.data_location == _T.EXTERNAL or tensor.external_data:
        raise ModelRefused(
            "EXTERNAL_DATA",
            f"the data of tensor {_name(tensor)} lie in another file: export one single file "
            "(torch.onnx.export(..., external_data=False), or load with onnx.load and save with "
            "onnx.save(model, path, save_as_external_data=False))",
        )
    if any(length < 0 for length in tensor.dims):
        raise _wrong_size(tensor)
    count = prod(tensor.dims)  # Python's integers: no dimension is large enough to wrap around
    if tensor.HasField("raw_data"):
        bits = _BITS.get(tensor.data_type)
        if bits is None:
            raise _wrong_type(tensor)
        if len(tensor.raw_data) != (count * bits + 7) // 8:
            raise _wrong_size(tensor)
    elif tensor.data_type in _FIELDS:
        field, entries = _FIELDS[tensor.data_type]
        if len(getattr(tensor, field)) != count * entries:
            raise _wrong_size(tensor)
    elif tensor.data_type not in _BITS:
        raise _wrong_type(tensor)


def _wrong_size(tensor: TensorProto) -> ModelRefused:
    dims = ",".join(map(str, tensor.dims))[:80]
    return ModelRefused(
        "TENSOR_SIZE",
        f"tensor {_name(tensor)} of dimensions [{dims}] does not hold as many values as they say: "
        "the file is damaged, export the model again",
    )


def _wrong_type(tensor: TensorProto) -> ModelRefused:
    return ModelRefused(
        "TENSOR_TYPE",
        f"tensor {_name(tensor)} has unknown data type {tensor.data_type}: export the model again",
    )


def _name(tensor: TensorProto) -> str:
    return ascii(tensor.name[:80])
