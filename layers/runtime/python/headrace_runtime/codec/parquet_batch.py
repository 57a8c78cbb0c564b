"""A batch of Parquet's rows → records: one with a value that cannot be taken is named."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from headrace_runtime.codec.csv_layout import InputColumns
from headrace_runtime.codec.parquet_columns import Wrong, column_values, plain_values
from headrace_runtime.codec.parquet_layout import is_list
from headrace_runtime.codec.parquet_lists import list_lengths, list_values
from headrace_runtime.codec.records import BadRow, Records, without
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import FREE
from headrace_runtime.tensor import Array, Tensor


def batch_records(
    batch: pa.RecordBatch, layout: Sequence[InputColumns], first_row: int, *, joined: bool
) -> Iterator[Records]:
    """Yield the records of *batch* in order, those together whose lists are of one length.

    Args:
        batch: rows.
        layout: which of its columns feed which inputs.
        first_row: number of the first of them, from 1.
        joined: whether the rows come along as `Records.table`.
    """
    free = [part.columns[0] for part in layout if FREE in part.shape]
    for start, stop in pairwise(_borders(batch, free)):
        rows = batch.slice(start, stop - start)
        yield _records(rows, layout, first_row + start, joined=joined)


def _borders(batch: pa.RecordBatch, columns: Sequence[int]) -> list[int]:
    """Return where the lists in one of *columns* begin to have another length, and both ends."""
    changed = np.zeros(max(0, len(batch) - 1), np.bool_)
    for column in columns:
        changed |= np.diff(list_lengths(batch.column(column))) != 0
    return [0, *(np.flatnonzero(changed) + 1).tolist(), len(batch)]


def _records(
    batch: pa.RecordBatch, layout: Sequence[InputColumns], first_row: int, *, joined: bool
) -> Records:
    bad: Wrong = {}
    arrays = [_input(part, batch, bad) for part in layout]
    gone = sorted(bad)
    numbers = without(np.arange(first_row, first_row + len(batch)), gone).astype(np.int64)
    if gone and joined:
        kept = np.ones(len(batch), np.bool_)
        kept[gone] = False
        batch = batch.filter(pa.array(kept))
    return Records(
        rows=numbers,
        lines=numbers,
        tensors=tuple(
            Tensor(part.name, part.datatype, without(array, gone))
            for part, array in zip(layout, arrays, strict=True)
        ),
        bad=tuple(
            BadRow(first_row + row, first_row + row, InvalidInput.code, bad[row]) for row in gone
        ),
        table=batch if joined else None,
    )


def _input(part: InputColumns, batch: pa.RecordBatch, bad: Wrong) -> Array:
    """Return one input's values; note in *bad* which rows have one that cannot be taken."""
    names = batch.schema.names
    first = batch.column(part.columns[0])
    if is_list(first.type):
        array, wrong = list_values(first, part)
        _note(wrong, names[part.columns[0]], bad)
        return array
    quick = _numbers(part, batch)
    if quick is not None:
        return quick.reshape(len(batch), *part.shape)
    values: Array = np.empty((len(batch), len(part.columns)), part.datatype.dtype)
    for place, column in enumerate(part.columns):
        values[:, place], wrong = column_values(batch.column(column), part.datatype)
        _note(wrong, names[column], bad)
    return values.reshape(len(batch), *part.shape)


def _numbers(part: InputColumns, batch: pa.RecordBatch) -> Array | None:
    """Return the columns of an input of floats; None if a value needs to be looked at by itself."""
    values: Array = np.empty((len(batch), len(part.columns)), part.datatype.dtype)
    columns = [batch.column(column) for column in part.columns]
    if not part.datatype.is_float or any(column.null_count for column in columns):
        return None
    with np.errstate(over="ignore"):
        for place, column in enumerate(columns):
            values[:, place] = plain_values(column)
    return None if np.isinf(values).any() else values


def _note(wrong: Wrong, column: str, bad: Wrong) -> None:
    for row, reason in wrong.items():
        bad.setdefault(row, f"column {column.strip()[:80]!r}: {reason}")
