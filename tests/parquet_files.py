"""Parquet files in memory."""

import io

import pyarrow as pa
import pyarrow.parquet as pq


class Stored:
    """A file in memory, and what was asked of it."""

    def __init__(self, body: bytes) -> None:
        self.body, self.reads = body, []

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    def read_at(self, offset: int, size: int, /) -> bytes:
        assert 0 <= offset <= offset + size <= len(self.body)
        self.reads.append((offset, size))
        return self.body[offset : offset + size]


def parquet(columns: dict | pa.Table, **how) -> Stored:
    out = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out, **how)
    return Stored(out.getvalue())
