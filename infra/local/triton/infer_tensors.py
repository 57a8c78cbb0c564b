"""Tensors of the Open Inference Protocol ⇄ numpy, as Triton reads and writes them in JSON.

Triton is more lenient than our own codec where a number is too large for its datatype, and has
FP16 in binary alone; the sentences are Triton's.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from infra.local.triton.infer_refusals import misread, unreadable, wrong
from infra.local.triton.onnx_model import Array

# By datatype of config.pbtxt: the protocol's name and numpy's.
DATATYPES: dict[str, tuple[str, np.dtype[Any]]] = {
    "TYPE_STRING": ("BYTES", np.dtype(np.object_)),
    **{
        f"TYPE_{name}": (name, np.dtype(kind))
        for name, kind in (
            ("BOOL", np.bool_), ("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8"),
            ("INT8", "<i1"), ("INT16", "<i2"), ("INT32", "<i4"), ("INT64", "<i8"),
            ("UINT8", "<u1"), ("UINT16", "<u2"), ("UINT32", "<u4"), ("UINT64", "<u8"),
        )
    },
}  # fmt: skip
_LENGTH = struct.Struct("<I")


def from_json(name: str, datatype: str, count: int, data: Any) -> Array:
    """Return *count* elements, flat.

    Raises:
        InferRefused: 500 for elements of another kind or number, 400 for FP16.
    """
    if datatype == "FP16":
        raise wrong(
            "receiving FP16 data via JSON is not supported. Please use the binary data format for "
            f"input {name}"
        )
    flat = list(_flat(data))
    if len(flat) != count:
        raise unreadable("Unable to parse 'data': Shape does not match true shape of 'data' field")
    kind = DATATYPES["TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"][1].kind
    words, fits = _ELEMENTS[kind]
    if not all(map(fits, flat)):
        raise misread("data", words)
    if kind == "O":
        return np.array([text.encode() for text in flat], np.object_)
    wide = np.array(flat, {"i": "<i8", "u": "<u8"}.get(kind, f"<{kind}8" if kind == "f" else "?"))
    with np.errstate(over="ignore"):
        return wide.astype(DATATYPES[f"TYPE_{datatype}"][1])


def from_binary(datatype: str, raw: bytes) -> Array:
    """Return the elements, flat; bytes that are left over, or text cut short, raise ValueError."""
    if datatype == "BYTES":
        return np.array(list(_texts(raw)), np.object_)
    return np.frombuffer(raw, DATATYPES[f"TYPE_{datatype}"][1])


def to_json(datatype: str, array: Array) -> list[Any]:
    """Return the elements, flat.

    Raises:
        InferRefused: 400 for FP16.
    """
    if datatype == "FP16":
        raise wrong(
            "sending FP16 data via JSON is not supported. Please use the binary data format for "
            "output",
            plain=True,
        )
    if datatype == "BYTES":
        return [text.decode(errors="replace") for text in array.flat]
    elements: list[Any] = array.ravel().tolist()
    return elements


def to_binary(datatype: str, array: Array) -> bytes:
    """Return the elements, text each behind its length in four bytes."""
    if datatype == "BYTES":
        return b"".join(_LENGTH.pack(len(text)) + text for text in array.flat)
    return array.tobytes()


_ELEMENTS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "b": ("JSON non-boolean as boolean", lambda item: isinstance(item, bool)),
    "f": (
        "JSON non-number as double",
        lambda item: isinstance(item, int | float) and not isinstance(item, bool),
    ),
    "i": (
        "JSON non-signed-integer as signed-integer",
        lambda item: type(item) is int and -(2**63) <= item < 2**63,
    ),
    "u": (
        "JSON non-unsigned-integer as unsigned-integer",
        lambda item: type(item) is int and 0 <= item < 2**64,
    ),
    "O": ("JSON non-string as string", lambda item: isinstance(item, str)),
}


def _flat(data: Any) -> Iterator[Any]:
    if not isinstance(data, list):
        yield data
        return
    for item in data:
        yield from _flat(item)


def _texts(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(raw):
        if at + 4 > len(raw) or at + 4 + _LENGTH.unpack_from(raw, at)[0] > len(raw):
            raise ValueError("a text is cut short")
        end = at + 4 + _LENGTH.unpack_from(raw, at)[0]
        yield raw[at + 4 : end]
        at = end
