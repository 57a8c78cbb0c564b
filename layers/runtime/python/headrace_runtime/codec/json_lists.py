"""A block of JSON Lines that are lists of numbers and nothing else → tensors, at once."""

import re

import numpy as np
import orjson
from numpy.typing import NDArray

from headrace_runtime.codec.number_block import MARK, line_count, marked_rows
from headrace_runtime.codec.records import record_shape
from headrace_runtime.codec.row_texts import RowTexts
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Tensor


def list_rows(block: bytes, signature: Signature) -> tuple[tuple[Tensor, ...], RowTexts] | None:
    """Return tensor and texts of lines that are all `[1,2]`, or all `{"x":[1,2]}`; else None.

    Only for a model with one input of floats whose records are lists of a known length.
    """
    width = _width(signature)
    if not width:
        return None
    text = block if block.endswith(b"\n") else block + b"\n"
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    begin, end = _around(text, signature.inputs[0].name)
    # Between two lists there is a mark. No list and no line may begin or end otherwise.
    inner = text[len(begin) : -len(end)].replace(end + begin, MARK)
    framed = text.startswith(begin) and text.endswith(end)
    if not framed or any(one in inner for one in (b"[", b"]", b"\n", b"\r")):
        return None
    count = line_count(text)
    matrix = marked_rows(inner + MARK, count, width)
    tensor = None if matrix is None else _tensor(matrix, signature.inputs[0])
    return None if tensor is None else ((tensor,), RowTexts(text, count))


def _width(signature: Signature) -> int:
    """Return how many numbers a record has; 0 if it is not a list of a known number of floats."""
    spec = signature.inputs[0]
    shape = record_shape(spec)
    known = len(signature.inputs) == len(shape) == 1 and FREE not in shape
    return shape[0] if known and spec.datatype.is_float else 0


def _tensor(matrix: NDArray[np.float64], spec: TensorSpec) -> Tensor | None:
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(matrix, spec.datatype.dtype)
    return Tensor(spec.name, spec.datatype, array) if np.isfinite(array).all() else None


def _around(text: bytes, name: str) -> tuple[bytes, bytes]:
    """Return what stands before each list and behind it, as far as the first line tells."""
    start = re.match(rb"\{\s*" + re.escape(orjson.dumps(name)) + rb"\s*:\s*\[", text)
    if start is None or b"\n" in start[0] or b"%" in start[0]:
        return b"[", b"]\n"
    return start[0], b"]}\n"
