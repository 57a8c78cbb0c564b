"""A batch's column of lists → records of one input, with no silent coercion."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from headrace_runtime.codec.csv_layout import InputColumns
from headrace_runtime.codec.parquet_columns import MISSING, Wrong, fitted, missing, plain_values
from headrace_runtime.model.signature import FREE
from headrace_runtime.tensor import Array

Lengths = NDArray[np.int64]


def list_values(column: pa.Array, part: InputColumns) -> tuple[Array, Wrong]:
    """Return the lists as `(len(column), *shape)`, and those that cannot be taken, and why.

    Args:
        column: of lists; where *part* is FREE in a dimension, of as many values each.
        part: the input, of which the column is.
    """
    starts, lengths = _places(column)
    shape, size = _shape(part, lengths)
    nulls = missing(column)
    wrong = dict.fromkeys(np.flatnonzero(nulls).tolist(), MISSING)
    takes = f"input {part.name!r} takes records of shape {list(part.shape)}"
    for row in np.flatnonzero(lengths != size).tolist():
        wrong.setdefault(row, f"the list has {lengths[row]} values, {takes}")
    kept = np.delete(np.arange(len(column)), list(wrong))
    values = np.zeros((len(column), size), part.datatype.dtype)
    if kept.size and size:
        places = starts[kept][:, np.newaxis] + np.arange(size)
        child = _innermost(column)
        values[kept], bad = _elements(child, places, part)
        wrong |= {int(kept[row]): reason for row, reason in bad.items()}
    return values.reshape(len(column), *shape), wrong


def list_lengths(column: pa.Array) -> Lengths:
    """Return how many values each list of *column* has; a null one has none."""
    return (
        np.where(missing(column), 0, _places(column)[1])
        if column.null_count
        else (_places(column)[1])
    )


def _elements(child: pa.Array, places: Lengths, part: InputColumns) -> tuple[Array, Wrong]:
    """Return the values at *places*, `(rows, size)`, and the rows one of which cannot be taken."""
    window = child.slice(int(places.min()), int(places.max() - places.min()) + 1)
    places = places - places.min()
    if types.is_null(window.type):
        return np.zeros(places.shape, part.datatype.dtype), dict.fromkeys(
            range(len(places)), "a value of the list is missing"
        )
    values, out = fitted(plain_values(window), part.datatype)
    out_of_range = f"a value of the list is out of the range of {part.datatype}"
    wrong = dict.fromkeys(_rows(out, places), out_of_range)
    wrong |= dict.fromkeys(_rows(missing(window), places), "a value of the list is missing")
    return values[places], wrong


def _rows(flags: NDArray[np.bool_], places: Lengths) -> list[int]:
    rows: list[int] = np.flatnonzero(flags[places].any(axis=1)).tolist() if flags.any() else []
    return rows


def _places(column: pa.Array) -> tuple[Lengths, Lengths]:
    """Return where in its innermost values each list begins, and how many values it has."""
    kind: Any = column.type
    count = len(column)
    if types.is_fixed_size_list(kind):
        size = math.prod(_fixed(kind))
        starts = (column.offset + np.arange(count)) * size
        return starts, np.full(count, size)
    inner = math.prod(_fixed(kind.value_type))
    offsets = plain_values(column.offsets).astype(np.int64) * inner
    return offsets[:-1], np.diff(offsets)


def _fixed(kind: Any) -> list[int]:
    """Return the sizes of lists of a fixed size, one within the other."""
    sizes = []
    while types.is_fixed_size_list(kind):
        sizes.append(kind.list_size)
        kind = kind.value_type
    return sizes


def _innermost(column: Any) -> pa.Array:
    values = column.values
    while types.is_fixed_size_list(values.type):
        values = values.values
    return values


def _shape(part: InputColumns, lengths: Lengths) -> tuple[tuple[int, ...], int]:
    """Return the shape of one record, its FREE dimension as these lists have it, and its size."""
    known = math.prod(length for length in part.shape if length != FREE)
    if FREE not in part.shape:
        return part.shape, known
    longest = int(lengths.max(initial=0))
    free = longest // known if known else 0
    return tuple(free if d == FREE else d for d in part.shape), free * known
