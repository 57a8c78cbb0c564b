"""A batch's column of single values → values of a datatype, with no silent coercion."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from headrace_runtime.tensor import Array, Datatype

Wrong = dict[int, str]  # positions of values that cannot be taken, and why

MISSING = "the value is missing"
_BINARY = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}  # of one memory layout


def column_values(column: pa.Array, datatype: Datatype) -> tuple[Array, Wrong]:
    """Return the values of *column*, shape `(len(column),)`, and what cannot be taken among them.

    Positions of what cannot be taken hold a value of no meaning.

    Args:
        column: of a type that `parquet_layout` let pass.
        datatype: the input's.
    """
    wrong = dict.fromkeys(np.flatnonzero(missing(column)).tolist(), MISSING)
    if types.is_null(column.type) or not len(column):
        return np.zeros(len(column), datatype.dtype), wrong
    plain = plain_values(column)
    values, out = fitted(plain, datatype)
    for position in np.flatnonzero(out).tolist():
        value = repr(str(plain[position]))
        wrong.setdefault(position, f"{value} is out of the range of {datatype}")
    return values, wrong


def missing(column: pa.Array) -> NDArray[np.bool_]:
    """Return which values of *column* are null; empty where none is."""
    if not column.null_count:
        return np.zeros(0, np.bool_)
    if types.is_null(column.type):
        return np.ones(len(column), np.bool_)
    return ~_bits(column.buffers()[0], column)


def plain_values(column: pa.Array) -> Array:
    """Return values as they stand, those that are null as anything; text as bytes."""
    kind: Any = column.type
    if types.is_dictionary(kind):
        return _looked_up(column)
    if types.is_boolean(kind):
        return _bits(column.buffers()[1], column)
    if types.is_integer(kind) or types.is_floating(kind):
        dtype = np.dtype(kind.to_pandas_dtype())
        start = column.offset * dtype.itemsize
        return np.frombuffer(column.buffers()[1], dtype, len(column), start)
    if kind in _BINARY:
        column = column.view(_BINARY[kind])
    elif types.is_string_view(kind) or types.is_binary_view(kind):
        column = column.cast(pa.large_binary())
    texts: Array = column.to_numpy(zero_copy_only=False)
    return texts


def fitted(plain: Array, datatype: Datatype) -> tuple[Array, NDArray[np.bool_]]:
    """Return *plain* as the datatype's, and which values it cannot hold; empty where it can all."""
    none = np.zeros(0, np.bool_)
    if plain.dtype == datatype.dtype:
        return plain, none
    numbers: Any = plain
    if datatype.is_integer:
        if np.can_cast(plain.dtype, datatype.dtype):
            return numbers.astype(datatype.dtype), none
        bounds = np.iinfo(datatype.dtype.name)
        return numbers.astype(datatype.dtype), (numbers < bounds.min) | (numbers > bounds.max)
    with np.errstate(over="ignore"):
        values = numbers.astype(datatype.dtype)
    infinite = np.isinf(values)
    if plain.dtype.kind == "f" and infinite.any():
        infinite &= np.isfinite(numbers)
    return values, infinite


def _looked_up(column: Any) -> Array:
    """Return the values of a column that are places in a dictionary, each value made but once."""
    dictionary: Any = column.dictionary
    if not len(dictionary):
        return np.zeros(len(column), np.object_)  # all are null
    places: Any = plain_values(column.indices)
    if column.null_count:
        places = np.where(missing(column), 0, places)
    if len(dictionary) > len(column):
        used, places = np.unique(places, return_inverse=True)
        dictionary = dictionary.take(pa.array(used))
    values: Array = plain_values(dictionary)[places]
    return values


def _bits(buffer: pa.Buffer, column: pa.Array) -> NDArray[np.bool_]:
    """Return a bitmap's bits for the values of *column*."""
    stop = column.offset + len(column)
    packed = np.frombuffer(buffer, np.uint8, (stop + 7) // 8)
    bits = np.unpackbits(packed, count=stop, bitorder="little")[column.offset :]
    return bits.astype(np.bool_)
