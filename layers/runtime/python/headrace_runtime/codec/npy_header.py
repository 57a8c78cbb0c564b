"""The header of an NPY file: what array follows, read without running anything."""

import ast
import math
from dataclasses import dataclass

import numpy as np

from headrace_runtime.codec.records import ByteStream
from headrace_runtime.codec.shapes import MAX_ELEMENTS, MAX_RANK
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array

# numpy's own are 118 bytes; a literal is read with care for its length, as it costs memory.
MAX_HEADER_BYTES = 10_000
_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: 2, 2: 4, 3: 4}  # bytes of the header's length, by major version


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """What an NPY file says of its array.

    Attributes:
        dtype: of its elements, in the file's byte order; never objects, never fields.
        shape: lengths of its dimensions, the records first.
        by_column: whether the elements stand in Fortran's order.
        data_offset: bytes of the file before the first element.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    by_column: bool
    data_offset: int

    @property
    def size_bytes(self) -> int:
        """Of all elements together."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def record_bytes(self) -> int:
        """Of the elements of one record; not 0, as a record may hold nothing."""
        return max(1, math.prod(self.shape[1:]) * self.dtype.itemsize)

    def check_is_in(self, size_bytes: int) -> None:
        """Let a file of so many bytes, or fewer, pass that may have all elements.

        Raises:
            InvalidInput: it is cut short.
        """
        if self.data_offset + self.size_bytes > size_bytes:
            raise InvalidInput(
                f"the file is cut short: by its header it has {self.size_bytes:,} bytes of "
                f"elements, and it cannot have more than {size_bytes - self.data_offset:,}"
            )


def read_header(stream: ByteStream) -> NpyHeader:
    """Return what the header says; the stream stands at the first element then.

    Raises:
        InvalidInput: it is no header, of objects or fields, or longer than any that numpy writes.
    """
    start = exactly(stream, 8)
    version = start[6]
    if not start.startswith(_MAGIC) or version not in _LENGTHS:
        raise InvalidInput("the array is not NPY of version 1, 2 or 3")
    length = int.from_bytes(exactly(stream, _LENGTHS[version]), "little")
    if length > MAX_HEADER_BYTES:
        raise InvalidInput(f"the NPY header says {length:,} bytes: no array needs as many")
    text = exactly(stream, length).decode("utf-8" if version == 3 else "latin-1", "replace")
    return _header(text, 8 + _LENGTHS[version] + length)


def exactly(stream: ByteStream, size: int) -> bytes:
    """Return the next *size* bytes.

    Raises:
        InvalidInput: there are less.
    """
    parts: list[bytes] = []
    missing = size
    while missing:
        data = stream.read(min(missing, 1 << 20))
        if not data:
            raise InvalidInput(f"the file is cut short: {missing:,} of {size:,} bytes are missing")
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def _header(text: str, data_offset: int) -> NpyHeader:
    try:
        plain = ast.literal_eval(text.strip(" \n\0"))
        descr, shape = plain["descr"], plain["shape"]
        by_column = plain["fortran_order"]
        if not isinstance(descr, str) or not isinstance(shape, tuple):
            raise InvalidInput("the NPY array has fields: save plain arrays, one for each input")
        dtype: np.dtype[np.generic] = np.dtype(descr)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise InvalidInput(
            "the NPY header cannot be read: save the array with numpy.save"
        ) from None
    if dtype.hasobject:
        raise InvalidInput(
            "the NPY array holds Python objects, which are never unpickled: save numbers or text "
            "of a fixed width"
        )
    whole = all(type(length) is int and 0 <= length <= MAX_ELEMENTS for length in shape)
    if not whole or len(shape) > MAX_RANK or math.prod(shape) > MAX_ELEMENTS:
        raise InvalidInput("the NPY header says a shape that no file can hold")
    if type(by_column) is not bool:
        raise InvalidInput("the NPY header cannot be read: save the array with numpy.save")
    return NpyHeader(dtype, shape, by_column and len(shape) > 1, data_offset)


def native(raw: bytes, header: NpyHeader) -> Array:
    """Return elements as an array of the machine's byte order, one-dimensional.

    Raises:
        InvalidInput: a BOOL is neither 0 nor 1.
    """
    if header.dtype.kind == "b" and np.frombuffer(raw, np.uint8).max(initial=0) > 1:
        raise InvalidInput("a byte of a BOOL array must be 0 or 1")
    flat: Array = np.frombuffer(raw, header.dtype)
    return flat.astype(header.dtype.newbyteorder("="), copy=False)
