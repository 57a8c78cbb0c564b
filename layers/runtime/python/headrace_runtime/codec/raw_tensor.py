"""Tensor ⇄ bytes as the binary tensor extension has them: row-major, little-endian.

BOOL is one byte, 0 or 1. Each element of BYTES is its length (4 bytes, unsigned) and its bytes.
Imports numpy and the standard library only: the client reads and writes with it too.
"""

import struct
import sys

import numpy as np

from headrace_runtime.codec.shapes import element_count
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array, Datatype, Tensor

_LENGTH = struct.Struct("<I")


def to_bytes(tensor: Tensor) -> bytes:
    """Return the tensor's elements as bytes; name and shape are carried elsewhere."""
    if tensor.datatype is Datatype.BYTES:
        elements = [bytes(element) for element in tensor.array.ravel().tolist()]
        return b"".join([part for e in elements for part in (_LENGTH.pack(len(e)), e)])
    return tensor.array.astype(tensor.datatype.dtype.newbyteorder("<"), copy=False).tobytes()


def raw_values(tensor: Tensor) -> memoryview:
    """Return the same without a copy, where the elements lie in memory as the bytes have them."""
    if tensor.datatype is Datatype.BYTES or sys.byteorder == "big":
        return memoryview(to_bytes(tensor))
    flat: Array = np.ascontiguousarray(tensor.array).reshape(-1)
    return flat.view(np.uint8).data


def from_bytes(
    name: str, datatype: Datatype, shape: tuple[int, ...], raw: bytes | memoryview
) -> Tensor:
    """Return the tensor whose elements are exactly *raw*.

    The values stay where they are, read-only, if the machine can read them there.

    Args:
        name: of the tensor.
        datatype: of its elements.
        shape: lengths of the dimensions, none negative.
        raw: nothing before the first element, nothing after the last.

    Raises:
        InvalidInput: *raw* is longer or shorter than the elements, or a BOOL is neither 0 nor 1.
    """
    count = element_count(shape)
    if datatype is Datatype.BYTES:
        return Tensor(name, datatype, _bytes_elements(name, count, raw).reshape(shape))
    expected = count * datatype.size_bytes
    if len(raw) != expected:
        raise InvalidInput(
            f"tensor {name[:80]!r}: {datatype} of shape {list(shape)} has {expected} bytes, "
            f"got {len(raw)}",
            expected=expected,
            got=len(raw),
        )
    if datatype is Datatype.BOOL and np.frombuffer(raw, np.uint8).max(initial=0) > 1:
        raise InvalidInput(f"tensor {name[:80]!r}: a byte of BOOL must be 0 or 1")
    flat: Array = np.frombuffer(raw, datatype.dtype)
    if sys.byteorder == "big":
        flat = flat.byteswap()
    elif not flat.flags.aligned:  # values behind JSON of any length; models need them aligned
        flat = flat.copy()
    return Tensor(name, datatype, flat.reshape(shape))


def _bytes_elements(name: str, count: int, raw: bytes | memoryview) -> Array:
    if count * _LENGTH.size > len(raw):
        raise _cut(name, count, len(raw))
    view, position, elements = memoryview(raw), 0, np.empty(count, np.object_)
    for index in range(count):
        start = position + _LENGTH.size
        if start > len(view):
            raise _cut(name, count, len(view))
        position = start + _LENGTH.unpack_from(view, position)[0]
        if position > len(view):
            raise _cut(name, count, len(view))
        elements[index] = bytes(view[start:position])
    if position != len(view):
        raise InvalidInput(
            f"tensor {name[:80]!r}: {len(view) - position} bytes are left after {count} elements",
            expected=position,
            got=len(view),
        )
    return elements


def _cut(name: str, count: int, got: int) -> InvalidInput:
    return InvalidInput(
        f"tensor {name[:80]!r}: {got} bytes end before {count} BYTES elements (each is a 4-byte "
        "little-endian length and its bytes)",
        got=got,
    )
