"""How much a file holds, as far as its job's placement wants to know."""

import math
from dataclasses import dataclass

from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.records import record_shape
from headrace_runtime.model.record_rows import GUESSED_LENGTH
from headrace_runtime.model.signature import FREE, Signature, TensorSpec

ARRAYS = (FileFormat.NPY, FileFormat.NPZ)  # hold what a model takes, and little else
_TEXT_BYTES = 16  # of a text, where only the model's signature says that there is one


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a file holds.

    Attributes:
        rows: its records, at least 1.
        size_bytes: uncompressed, at least 1.
        tensor_bytes: of its records as the model's inputs.
        exact: whether the rows are counted and not estimated.
    """

    rows: int
    size_bytes: int
    file_format: FileFormat
    tensor_bytes: int
    exact: bool = False


def extent(rows: int, size_bytes: int, file_format: FileFormat, signature: Signature) -> Extent:
    """Return the extent of a file whose records were counted."""
    tensors = size_bytes if file_format in ARRAYS else rows * record_bytes(signature)
    return Extent(rows, size_bytes, file_format, tensors, exact=True)


def record_bytes(signature: Signature) -> int:
    """Return about how many bytes a record has as the model's inputs, at least 1."""
    return max(1, sum(map(_input_bytes, signature.inputs)))


def _input_bytes(spec: TensorSpec) -> int:
    lengths = (GUESSED_LENGTH if length == FREE else length for length in record_shape(spec))
    return math.prod(lengths) * (spec.datatype.size_bytes or _TEXT_BYTES)
