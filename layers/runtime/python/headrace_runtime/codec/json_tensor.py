"""Lists of JSON values ⇄ tensors, with no silent coercion.

A number never becomes true or text, text never a number, a fraction never a whole number; what
the datatype cannot hold is refused and not cut. Lists may be nested as the shape or flat.
"""

import struct
from itertools import chain
from typing import Any

import numpy as np

from headrace_runtime.codec.json_text import number_list
from headrace_runtime.codec.shapes import element_count
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array, Datatype, Tensor

_ACCEPTED: dict[Datatype, frozenset[type]] = {
    datatype: frozenset({int, float})
    if datatype.is_float
    else frozenset({int})
    if datatype.is_integer
    else frozenset({bool})
    if datatype is Datatype.BOOL
    else frozenset({str})
    for datatype in Datatype
}

# How struct packs an element; it refuses what is out of range, where numpy makes an infinity.
_CODES: dict[Datatype, str] = {
    Datatype.BOOL: "?",
    Datatype.UINT8: "B",
    Datatype.UINT16: "H",
    Datatype.UINT32: "I",
    Datatype.UINT64: "Q",
    Datatype.INT8: "b",
    Datatype.INT16: "h",
    Datatype.INT32: "i",
    Datatype.INT64: "q",
    Datatype.FP16: "e",
    Datatype.FP32: "f",
    Datatype.FP64: "d",
}


def tensor_from_json(name: str, datatype: Datatype, shape: tuple[int, ...], data: Any) -> Tensor:
    """Return the tensor whose elements are *data*, read-only.

    Args:
        name: of the tensor.
        datatype: BYTES takes strings (as UTF-8), BOOL true and false, the integers whole numbers,
            FP16, FP32 and FP64 any number; a number is rounded to the nearest that can be held.
        shape: lengths of the dimensions, none negative.
        data: a list of all elements in row-major order, or lists nested as *shape*; for a scalar
            also the bare value.

    Raises:
        InvalidInput: an element is of another kind or out of range, or the count does not fit.
    """
    flat = _flat(name, shape, data)
    accepted = _ACCEPTED[datatype]
    if not set(map(type, flat)) <= accepted:
        index = next(i for i, element in enumerate(flat) if type(element) not in accepted)
        raise _refusal(name, datatype, index, flat[index])
    if datatype is Datatype.BYTES:
        return Tensor(name, datatype, _texts(flat).reshape(shape))
    return Tensor(name, datatype, _numbers(name, datatype, flat).reshape(shape))


def tensor_to_json(tensor: Tensor) -> Any:
    """Return what `write_json` writes as the tensor's elements, flat and in row-major order.

    Raises:
        InvalidInput: an element of BYTES is not UTF-8; only the binary form can carry it.
    """
    if tensor.datatype is not Datatype.BYTES:
        return number_list(tensor.array)
    try:
        return [element.decode() for element in tensor.array.ravel().tolist()]
    except UnicodeDecodeError:
        raise InvalidInput(
            f"output {tensor.name[:80]!r} holds bytes that are not UTF-8, which JSON cannot "
            "carry: ask for it as binary data"
        ) from None


def _flat(name: str, shape: tuple[int, ...], data: Any) -> list[Any]:
    if not isinstance(data, list):
        if shape == () and not isinstance(data, dict):
            return [data]
        raise InvalidInput(f"tensor {name[:80]!r}: data must be a list, got {_kind(data)}")
    nested = bool(data) and isinstance(data[0], list)
    flat = _unnested(name, shape, data) if nested else data
    if len(flat) != element_count(shape):
        raise InvalidInput(
            f"tensor {name[:80]!r}: shape {list(shape)} has {element_count(shape)} elements, "
            f"got {len(flat)}",
            expected=element_count(shape),
            got=len(flat),
        )
    return flat


def _unnested(name: str, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    """Return the elements of lists nested exactly as *shape*, checking one level at a time."""
    level: list[Any] = [data]
    for depth, length in enumerate(shape):
        if not set(map(type, level)) <= {list} or not set(map(len, level)) <= {length}:
            raise InvalidInput(
                f"tensor {name[:80]!r}: data is not nested as shape {list(shape)}: "
                f"every list at depth {depth} must have {length} elements",
                expected=list(shape),
            )
        level = list(chain.from_iterable(level))
    return level


def _numbers(name: str, datatype: Datatype, flat: list[Any]) -> Array:
    """Return the elements, each of an accepted type; struct is thrice as fast as numpy here."""
    code = _CODES[datatype]
    try:
        packed = struct.pack(f"={len(flat)}{code}", *flat)
    except (struct.error, OverflowError):
        index = next(i for i, element in enumerate(flat) if not _fits(code, element))
        raise _refusal(name, datatype, index, flat[index]) from None
    return np.frombuffer(packed, datatype.dtype)


def _fits(code: str, element: float) -> bool:
    try:
        struct.pack(f"={code}", element)
    except (struct.error, OverflowError):
        return False
    return True


def _texts(flat: list[Any]) -> Array:
    array = np.empty(len(flat), np.object_)
    array[:] = [text.encode() for text in flat]
    return array


def _refusal(name: str, datatype: Datatype, index: int, element: Any) -> InvalidInput:
    return InvalidInput(
        f"tensor {name[:80]!r}: element {index} cannot be {datatype}: got {_kind(element)}",
        expected=str(datatype),
        index=index,
    )


def _kind(value: Any) -> str:
    """Name a JSON value without repeating much of it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return f"the number {value!r}"
    return (
        "text" if isinstance(value, str) else "a list" if isinstance(value, list) else "an object"
    )
