"""NPY → tensors, some records at a time, in the memory of those whatever the file."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from headrace_runtime.codec.array_records import array_records, shaped
from headrace_runtime.codec.npy_header import NpyHeader, exactly, native, read_header
from headrace_runtime.codec.records import START, ByteStream, PlainFile, Position, Records
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.errors import InvalidInput, TooLarge
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Array

# Each block goes to the model's process and back, which costs the same whatever it holds: of 20
# numbers a record this gives a quarter more records a second than 256 KiB, more gives no more.
BLOCK_BYTES = 640 << 10
# What stands column by column is one record only once all of it was read.
MAX_WHOLE_BYTES = 256 << 20
_NUMBERED_AT_ONCE = 8192  # records whose values nobody reads


def open_npy(
    file: PlainFile,
    signature: Signature,
    start: Position = START,
    stop: int | None = None,
    *,
    values: bool = True,
) -> tuple[NpyHeader, Iterator[Records]]:
    """Return what the header says, and the records from *start* to *stop*, in order.

    Args:
        file: opens the file.
        signature: the model's.
        start: where the first of them begins.
        stop: the first byte that is not theirs; the end where it is None.
        values: False for records that are known to be plain: they come without tensors, by what
            the header says.

    Raises:
        InvalidInput: it is no plain array, or does not fit the model.
        TooLarge: it stands in Fortran's order and is too large to be turned.
    """
    if len(signature.inputs) != 1:
        raise InvalidInput(
            f"the model has {len(signature.inputs)} inputs: send NPZ, an array by the name of each"
        )
    stream = file(0)
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
    if header.by_column:
        return header, _turned(stream, header, shape, signature)
    if not values:
        return header, _numbered(header, _rows(header, start, stop))
    body = file(start.offset) if start.offset else stream
    return header, _records(body, header, shape, signature, _rows(header, start, stop))


def npy_ends(
    header: NpyHeader, start: Position, limit: ShardLimit, go_on: Callable[[], bool]
) -> Iterator[tuple[Position, bool]]:
    """Yield where each shard from *start* on ends, and whether the array ends there, too.

    Args:
        header: of the file.
        start: where the first of them begins.
        limit: of each; an array in Fortran's order is one shard.
        go_on: asked behind each shard; where it says no, nothing more comes.
    """
    count = header.shape[0]
    rows = max(1, min(limit.size_bytes // header.record_bytes, limit.rows or count))
    if header.by_column:
        rows = max(1, count)
    for row in range(start.row - 1 + rows, count, rows):
        yield _position(header, row), False
        if not go_on():
            return
    yield _position(header, count), True


def whole_array(stream: ByteStream, header: NpyHeader) -> Array:
    """Return the array that follows its header."""
    flat = native(exactly(stream, header.size_bytes), header)
    if header.by_column:
        return flat.reshape(header.shape[::-1]).transpose()
    return flat.reshape(header.shape)


def _position(header: NpyHeader, row: int) -> Position:
    """Return where the record stands before which there are *row* records."""
    offset = header.data_offset + row * header.record_bytes
    return Position(offset, row + 1, row + 1) if row else START


def _rows(header: NpyHeader, start: Position, stop: int | None) -> range:
    """Return which records lie between two places, counted from 0."""
    count = header.shape[0]
    if stop is not None:
        count = min(count, (stop - header.data_offset) // header.record_bytes)
    return range(start.row - 1, count)


def _records(
    stream: ByteStream,
    header: NpyHeader,
    shape: tuple[int, ...],
    signature: Signature,
    rows: range,
) -> Iterator[Records]:
    name = signature.inputs[0].name
    at_once = max(1, BLOCK_BYTES // header.record_bytes)
    bytes_each = header.size_bytes // max(1, header.shape[0])
    for first in rows[::at_once]:
        count = min(at_once, rows.stop - first)
        array = native(exactly(stream, count * bytes_each), header)
        records = array_records({name: array.reshape(count, *shape)}, signature, first + 1)
        yield replace(records, origin=_position(header, first))
    if rows.stop == header.shape[0]:
        _check_end(stream, header)


def _numbered(header: NpyHeader, rows: range) -> Iterator[Records]:
    for first in rows[::_NUMBERED_AT_ONCE]:
        numbers = np.arange(first + 1, min(first + _NUMBERED_AT_ONCE, rows.stop) + 1)
        yield Records(numbers, numbers, (), origin=_position(header, first))


def _turned(
    stream: ByteStream, header: NpyHeader, shape: tuple[int, ...], signature: Signature
) -> Iterator[Records]:
    whole, name = whole_array(stream, header), signature.inputs[0].name
    at_once = max(1, BLOCK_BYTES // header.record_bytes)
    for first in range(0, len(whole), at_once):
        array = whole[first : first + at_once]
        yield array_records({name: array.reshape(len(array), *shape)}, signature, first + 1)
    _check_end(stream, header)


def _check_end(stream: ByteStream, header: NpyHeader) -> None:
    if stream.read(1):
        raise InvalidInput(
            f"the file goes on after the {header.shape[0]:,} records that its NPY header says"
        )
