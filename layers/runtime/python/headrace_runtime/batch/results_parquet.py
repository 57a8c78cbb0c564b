"""Answers → Parquet: each record's own columns, or its number, and columns for the outputs."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from headrace_runtime.batch.output_columns import declared_columns, free_names, output_columns
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Array, Datatype, Tensor

# A row group is written once it has as many rows or bytes, whatever the model takes at once.
_GROUP_ROWS = 128 << 10
_GROUP_BYTES = 32 << 20
# What other writers put beside the schema describes the input's columns alone, and is left out;
# pandas takes columns that it does not name.
_KEPT_METADATA = (b"pandas",)
_TYPES = {
    Datatype.BOOL: pa.bool_(),
    Datatype.FP16: pa.float32(),  # few readers know half floats
    Datatype.BYTES: pa.string(),
}


class _Sink:
    """What the writer writes, until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._size = 0

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        self._size += len(self._waiting[-1])
        return len(self._waiting[-1])

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Leave it as it is: what was written is still to be taken."""

    def taken(self) -> bytes:
        written, self._waiting = b"".join(self._waiting), []
        return written


class ParquetResults:
    """Writes one part of the results, a Parquet file by itself, its columns as the first answers'.

    Outputs are columns as in CSV (`output_columns.py`), of their datatypes; text that is no UTF-8
    has escapes. An output of the name of one of the input's columns is `<name>_output`.
    """

    def __init__(self, outputs: Sequence[TensorSpec], columns: pa.Schema | None = None) -> None:
        """Be ready for answers.

        Args:
            outputs: the model's.
            columns: the input's, which stand before the outputs; None for the number alone, `row`.
        """
        self._specs = {spec.name: spec for spec in outputs}
        self._columns = columns
        self._shapes: list[tuple[int, ...]] | None = None
        self._sink = _Sink()
        self._schema = self._table_schema(
            [(name, spec.datatype) for spec in outputs for name in declared_columns(spec)]
        )
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0

    def encode(self, answers: Answers) -> bytes:
        """Return the row group that *answers* complete, or nothing yet.

        Raises:
            ModelUnfit: a record has another number of elements than the first one had.
        """
        shapes = [output.shape[1:] for output in answers.outputs]
        if self._shapes is None:
            self._shapes = shapes
            self._schema = self._table_schema(
                [(name, o.datatype) for o in answers.outputs for name in self._names(o)]
            )
        if shapes != self._shapes:
            raise ModelUnfit(
                f"record {answers.rows[0]} has outputs of shape {shapes}, the first had "
                f"{self._shapes}: Parquet has as many columns in every row, send JSON Lines"
            )
        own: Any = answers.table if self._columns is not None else None
        first = [pa.array(answers.rows)] if own is None else own.columns
        outputs = [array for output in answers.outputs for array in _arrays(output)]
        batch = pa.RecordBatch.from_arrays([*first, *outputs], schema=self._schema)
        self._waiting.append(batch)
        self._waiting_rows += len(batch)
        self._waiting_bytes += batch.nbytes
        if self._waiting_rows >= _GROUP_ROWS or self._waiting_bytes >= _GROUP_BYTES:
            self._write()
        return self._sink.taken()

    def end(self, next_row: int) -> bytes:
        """Return what is still missing: the last row group and the footer."""
        del next_row
        self._write()
        self._open().close()
        return self._sink.taken()

    def layout(self) -> str:
        """Return what stands before the first part: nothing."""
        return ""

    def _names(self, output: Tensor) -> list[str]:
        labels = self._specs[output.name].labels
        return output_columns(output.name, math.prod(output.shape[1:]), labels)

    def _table_schema(self, outputs: Sequence[tuple[str, Datatype]]) -> pa.Schema:
        own = [pa.field("row", pa.int64())] if self._columns is None else list(self._columns)
        names = free_names([name for name, _ in outputs], [field.name for field in own])
        kinds = [_TYPES.get(d) or pa.from_numpy_dtype(d.dtype) for _, d in outputs]
        metadata = (self._columns.metadata if self._columns is not None else None) or {}
        kept = {key: value for key, value in metadata.items() if key in _KEPT_METADATA}
        return pa.schema([*own, *map(pa.field, names, kinds)], kept or None)

    def _write(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting)
            self._open().write_table(table, row_group_size=len(table))
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            # Floats repeat too seldom: a dictionary of them costs more than all that is done else.
            repeated = [f.name for f in self._schema if not types.is_floating(f.type)]
            sink = pa.PythonFile(self._sink, mode="w")
            self._writer = pq.ParquetWriter(sink, self._schema, use_dictionary=repeated)
        return self._writer


def _arrays(output: Tensor) -> list[pa.Array]:
    """Return a column for each element of a record."""
    matrix: Array = output.array.reshape(len(output.array), math.prod(output.shape[1:]))
    if output.datatype is Datatype.BYTES:
        rows = [[t.decode(errors="backslashreplace") for t in row] for row in matrix.T.tolist()]
        return [pa.array(row, pa.string()) for row in rows]
    if output.datatype is Datatype.FP16:
        matrix = matrix.astype(np.float32)
    return [pa.array(column) for column in np.ascontiguousarray(matrix.T)]
