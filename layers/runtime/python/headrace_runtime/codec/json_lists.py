"""A block of JSON Lines that are lists of numbers and nothing else → tensors, at once."""

import re

import numpy as np
import orjson

from headrace_runtime.codec.csv_cells import NUMBER_CHARACTERS
from headrace_runtime.codec.number_block import float_block
from headrace_runtime.codec.records import record_shape
from headrace_runtime.model.signature import FREE, Signature
from headrace_runtime.tensor import Tensor


def list_tensors(block: bytes, signature: Signature) -> tuple[Tensor, ...] | None:
    """Return the tensor of lines that are all `[1,2]`, or all `{"x":[1,2]}`; None for any others.

    Only for a model with one input of floats whose records are lists of a known length.
    """
    if len(signature.inputs) != 1:
        return None
    spec = signature.inputs[0]
    shape = record_shape(spec)
    if len(shape) != 1 or shape[0] in (FREE, 0) or not spec.datatype.is_float:
        return None
    count, text = _as_lists(block, spec.name)
    # Less the characters of numbers, only the skeleton of lists of this length may be left, and
    # no such character outside its list, as in `1[2,3]`.
    skeleton = (b"[" + b"," * (shape[0] - 1) + b"]\n") * count
    lists = text[:1] == b"[" and text.count(b"\n[") + 1 == text.count(b"]\n") == count
    if not lists or text.translate(None, NUMBER_CHARACTERS) != skeleton:
        return None
    inner = text.translate(None, b"[]")
    numbers = float_block(b"[" + inner[:-1].replace(b"\n", b",") + b"]")
    if numbers is None or len(numbers) != shape[0] * count:
        return None
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(numbers.reshape(count, shape[0]), spec.datatype.dtype)
    return (Tensor(spec.name, spec.datatype, array),) if np.isfinite(array).all() else None


def _as_lists(block: bytes, name: str) -> tuple[int, bytes]:
    """Return the number of lines, and the block with `{"x":[…]}` as `[…]`; else no text at all."""
    text = block if block.endswith(b"\n") else block + b"\n"
    text = text.replace(b"\r\n", b"\n")
    count = text.count(b"\n")
    start = re.match(rb"\{\s*" + re.escape(orjson.dumps(name)) + rb"\s*:\s*\[", text)
    if start is None:
        return count, text
    if not text.count(start[0]) == text.count(b"]}") == count:
        return count, b""
    return count, text.replace(start[0], b"[").replace(b"]}", b"]")
