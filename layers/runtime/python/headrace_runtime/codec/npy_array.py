"""NPY → tensors, some records at a time, in the memory of those whatever the file."""

import math
from collections.abc import Iterator

from headrace_runtime.codec.array_records import array_records, shaped
from headrace_runtime.codec.npy_header import NpyHeader, exactly, native, read_header
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.errors import InvalidInput, TooLarge
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Array

BLOCK_BYTES = 256 << 10
# What stands column by column is one record only once all of it was read.
MAX_WHOLE_BYTES = 256 << 20


def open_npy(stream: ByteStream, signature: Signature) -> tuple[NpyHeader, Iterator[Records]]:
    """Return what the header says, and the records for a model of this signature, in order.

    Raises:
        InvalidInput: it is no plain array, or does not fit the model.
        TooLarge: it stands in Fortran's order and is too large to be turned.
    """
    if len(signature.inputs) != 1:
        raise InvalidInput(
            f"the model has {len(signature.inputs)} inputs: send NPZ, an array by the name of each"
        )
    header = read_header(stream)
    if not header.shape:
        raise InvalidInput("the NPY array is a single value: its first dimension must be records")
    shape = shaped(signature.inputs[0], header.dtype, header.shape)
    if header.by_column and header.size_bytes > MAX_WHOLE_BYTES:
        raise TooLarge(
            "an array in Fortran's order",
            limit_bytes=MAX_WHOLE_BYTES,
            got_bytes=header.size_bytes,
            advice="save numpy.ascontiguousarray of it",
        )
    return header, _records(stream, header, shape, signature)


def whole_array(stream: ByteStream, header: NpyHeader) -> Array:
    """Return the array that follows its header."""
    flat = native(exactly(stream, header.size_bytes), header)
    if header.by_column:
        return flat.reshape(header.shape[::-1]).transpose()
    return flat.reshape(header.shape)


def _records(
    stream: ByteStream, header: NpyHeader, shape: tuple[int, ...], signature: Signature
) -> Iterator[Records]:
    name, count = signature.inputs[0].name, header.shape[0]
    record_bytes = math.prod(header.shape[1:]) * header.dtype.itemsize
    at_once = max(1, BLOCK_BYTES // max(1, record_bytes))
    whole = whole_array(stream, header) if header.by_column else None
    for start in range(0, count, at_once):
        rows = min(at_once, count - start)
        if whole is None:
            array = native(exactly(stream, rows * record_bytes), header)
        else:
            array = whole[start : start + rows]
        yield array_records({name: array.reshape(rows, *shape)}, signature, start + 1)
    if stream.read(1):
        raise InvalidInput(f"the file goes on after the {count:,} records that its NPY header says")
