"""A Parquet file's footer: what it says of row groups and columns, read without a Parquet library.

pyarrow ends the process where it is asked for the facts of a column that contradict themselves,
and without it any function can tell how many rows a file has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace_runtime.codec.compact_thrift import Reader, Struct
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.errors import InvalidInput

_TAIL_BYTES = 64 << 10  # what pyarrow itself reads first
_MAX_FOOTER_BYTES = 32 << 20
_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
# Numbers of fields in the format's own description (parquet.thrift).
_GROUPS = 4  # of FileMetaData
_COLUMNS, _ROWS = 1, 3  # of RowGroup
_CHUNK_FACTS = 3  # of ColumnChunk
_KIND, _VALUES, _PLAIN, _STORED = 1, 5, 6, 7  # of ColumnMetaData
_WIDTHS = {0: 1, 1: 4, 4: 4}  # bytes of a BOOLEAN, INT32 and FLOAT that is read; of others 8


@dataclass(frozen=True, slots=True)
class RowGroup:
    """What a footer says of a row group.

    Attributes:
        stored_bytes: of its columns' pages in the file.
        plain_bytes: of the pages, decompressed.
        value_bytes: of the values that are in them, nulls included.
    """

    rows: int
    columns: int
    stored_bytes: int
    plain_bytes: int
    value_bytes: int


def row_groups(file: RandomFile) -> tuple[RowGroup, ...]:
    """Return what a file's footer says of its row groups; nothing is negative.

    Raises:
        InvalidInput: it has no footer that can be read.
    """
    try:
        return tuple(map(_row_group, Reader(_footer(file)).each(_GROUPS)))
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise InvalidInput("the footer of the Parquet file is damaged") from None


def _row_group(group: Struct) -> RowGroup:
    sizes = list(_chunks(group))
    stored, plain, values = (sum(column) for column in zip(*sizes, (0, 0, 0), strict=True))
    rows: int = group[_ROWS][1]
    if min(rows, *map(min, sizes)) < 0:
        raise ValueError("a size is negative")
    return RowGroup(rows, len(sizes), stored, plain, values)


def _chunks(group: Struct) -> Iterator[tuple[int, int, int]]:
    for chunk in group[_COLUMNS][1].values:
        facts: dict[int, tuple[int, Any]] = chunk[_CHUNK_FACTS][1]
        width = _WIDTHS.get(facts[_KIND][1], 8)
        yield facts[_STORED][1], facts[_PLAIN][1], facts[_VALUES][1] * width


def _footer(file: RandomFile) -> bytes:
    start = max(0, file.size_bytes - _TAIL_BYTES)
    tail = file.read_at(start, file.size_bytes - start)
    magic, length = tail[-4:], int.from_bytes(tail[-8:-4], "little")
    if magic == _ENCRYPTED:
        raise InvalidInput("the Parquet file is encrypted: write it without encryption")
    if magic != _MAGIC or file.size_bytes < 12:
        raise InvalidInput(
            "the Parquet file has no footer: it was not written or copied to its end"
        )
    if length > file.size_bytes - 12:
        raise InvalidInput("the Parquet file is cut: its footer is longer than the file")
    if length > _MAX_FOOTER_BYTES:
        raise InvalidInput(
            f"the footer of the Parquet file has {length:,} bytes, at most {_MAX_FOOTER_BYTES:,} "
            "are read: write fewer columns or larger row groups"
        )
    if length + 8 > len(tail):
        tail = file.read_at(file.size_bytes - 8 - length, length + 8)
    return tail[-8 - length : -8]
