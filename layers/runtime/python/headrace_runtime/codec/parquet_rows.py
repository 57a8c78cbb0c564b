"""Parquet → tensors, some rows at a time, in the memory of those and of one row group's pages.

Row groups are read one by one, and of each all the columns that are wanted, as they are stored,
at once. Where one is too large for that, columns are read in pieces, alongside each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from headrace_runtime.codec.csv_layout import InputColumns
from headrace_runtime.codec.parquet_batch import batch_records
from headrace_runtime.codec.parquet_facts import check
from headrace_runtime.codec.parquet_file import ParquetSource, opened, reading
from headrace_runtime.codec.parquet_footer import RowGroup, row_groups
from headrace_runtime.codec.parquet_layout import parquet_layout
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.codec.records import Position, Records
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature

_MAX_STORED_BYTES = 32 << 20  # of a row group that is held as it is stored
_MIN_PIECE_BYTES = 256 << 10
_MAX_ROWS_AT_ONCE = 8192
_MAX_BYTES_AT_ONCE = 8 << 20


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group: which, the number of its first row from 0, how many rows."""

    index: int
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read: the file, columns that feed inputs, and whether all others come along."""

    source: ParquetSource
    parquet: pq.ParquetFile
    layout: tuple[InputColumns, ...]
    names: list[str] | None
    rows_at_once: int


def open_parquet(
    file: RandomFile,
    signature: Signature,
    first_row: int = 0,
    stop_row: int | None = None,
    *,
    joined: bool = True,
) -> tuple[pa.Schema, Iterator[Records]]:
    """Return a file's columns, and its records for a model of this signature, in order.

    Args:
        file: read at random.
        signature: the model's.
        first_row: the first row that is wanted, from 0; its row group is read from the beginning.
        stop_row: the row before which it ends, None for the end of the file.
        joined: whether all columns of a record come along, as `Records.table`.

    Raises:
        InvalidInput: it is no Parquet file, or does not fit the model.
    """
    source = ParquetSource(file)
    said = row_groups(source)
    groups = _wanted(said, first_row, stop_row)
    facts = [said[group.index] for group in groups]
    check(facts, file.size_bytes)
    parquet = opened(source)
    schema = parquet.schema_arrow
    layout = parquet_layout(schema, signature)
    names = None if joined or len(set(schema.names)) < len(schema.names) else _names(schema, layout)
    if max((one.stored_bytes for one in facts), default=0) > _MAX_STORED_BYTES:
        piece = max(_MIN_PIECE_BYTES, _MAX_STORED_BYTES // parquet.metadata.num_columns)
        parquet = opened(source, metadata=parquet.metadata, buffer_size=piece)
    read = _Reading(source, parquet, _narrowed(layout, names), names, _rows_at_once(facts))
    return schema, _records(read, groups, first_row, stop_row, joined=joined)


def _wanted(said: Sequence[RowGroup], first_row: int, stop_row: int | None) -> list[_Group]:
    starts = accumulate((group.rows for group in said), initial=0)
    groups = [
        _Group(index, start, group.rows)
        for index, (start, group) in enumerate(zip(starts, said, strict=False))
    ]
    return [
        group
        for group in groups
        if group.start + group.rows > first_row and (stop_row is None or group.start < stop_row)
    ]


def _rows_at_once(facts: Sequence[RowGroup]) -> int:
    rows = [max(one.plain_bytes, one.value_bytes) // max(1, one.rows) for one in facts]
    return min(_MAX_ROWS_AT_ONCE, max(1, _MAX_BYTES_AT_ONCE // max(1, *rows, 0)))


def _names(schema: pa.Schema, layout: tuple[InputColumns, ...]) -> list[str]:
    return [schema.names[column] for part in layout for column in part.columns]


def _narrowed(
    layout: tuple[InputColumns, ...], names: list[str] | None
) -> tuple[InputColumns, ...]:
    """Return the layout of the columns *names* alone."""
    if names is None:
        return layout
    stops = list(accumulate(len(part.columns) for part in layout))
    return tuple(
        replace(part, columns=tuple(range(stop - len(part.columns), stop)))
        for part, stop in zip(layout, stops, strict=True)
    )


def _records(
    read: _Reading,
    groups: Sequence[_Group],
    first_row: int,
    stop_row: int | None,
    *,
    joined: bool,
) -> Iterator[Records]:
    for group in groups:
        origin = Position(group.start, group.start + 1, group.start + 1)
        row = group.start
        for batch in _batches(read, group):
            kept = batch if stop_row is None else batch.slice(0, max(0, stop_row - row))
            for records in batch_records(kept, read.layout, row + 1, joined=joined):
                wanted = records if row >= first_row else records.since(first_row + 1)
                if wanted.count:
                    yield replace(wanted, origin=origin)
            row += len(batch)
            if stop_row is not None and row >= stop_row:
                return


def _batches(read: _Reading, group: _Group) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a row group, from its beginning on."""
    what = f"row group {group.index}"
    rows = 0
    with reading(read.source, what):
        batches = read.parquet.iter_batches(
            read.rows_at_once, row_groups=[group.index], columns=read.names, use_threads=False
        )
    while True:
        with reading(read.source, what):
            batch = next(batches, None)
            if batch is not None and read.names is not None:
                batch = batch.select(read.names)
        if batch is None:
            break
        rows += len(batch)
        if len(batch):
            yield batch
    if rows != group.rows:
        raise InvalidInput(
            f"{what} of the Parquet file has {rows:,} rows, its footer says {group.rows:,}"
        )
