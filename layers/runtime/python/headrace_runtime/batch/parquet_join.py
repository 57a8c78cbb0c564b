"""Parts that are Parquet files → one Parquet file, without a look at a single value.

A footer says where in the file each column's pages begin. Parts that stand one behind the other
are one file once a footer behind them says where the pages of all of them are; their own footers
stay where they are, and nobody looks at them.
"""

from collections.abc import Callable, Iterable

from headrace_runtime.codec.compact_thrift import (
    LIST,
    STRUCT,
    Reader,
    Struct,
    list_head,
    struct_bytes,
)
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.errors import ModelUnfit

_COPY_BYTES = 8 << 20
_TAIL_BYTES = 64 << 10
_MAGIC = b"PAR1"
# Numbers of fields in the format's own description (parquet.thrift).
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4  # of FileMetaData
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7  # of RowGroup
_CHUNK_OFFSETS, _CHUNK_FACTS = (2, 4, 6), 3  # of ColumnChunk: itself and its indexes
_PAGE_OFFSETS = (9, 10, 11, 14)  # of ColumnMetaData: data, index, dictionary, Bloom filter


def join_parquet(parts: Iterable[RandomFile], sink: Callable[[bytes], None]) -> None:
    """Write one file of all *parts*, in order, in the memory of one piece and the footers.

    Raises:
        ModelUnfit: the parts have not the same columns.
    """
    footer = JoinedFooter()
    for part in parts:
        footer.add(part)
        for offset in range(0, part.size_bytes, _COPY_BYTES):
            sink(part.read_at(offset, min(_COPY_BYTES, part.size_bytes - offset)))
    sink(footer.end())


class JoinedFooter:
    """The footer of a file that is all parts, one behind the other, and then this."""

    def __init__(self) -> None:
        self._first: Struct | None = None
        self._groups: list[bytes] = []
        self._rows = self._offset = 0

    def add(self, part: RandomFile) -> None:
        """Take in the next part; of its bytes only the footer is read.

        Raises:
            ModelUnfit: it has other columns than those before it.
        """
        fields = _footer(part)
        rows = fields[_ROWS][1]
        if self._first is None or (rows and not self._rows):
            self._first = fields  # one without rows has the columns that were declared
        elif rows and fields[_SCHEMA] != self._first[_SCHEMA]:
            raise ModelUnfit(
                "the outputs of some records have other shapes than others: drop JSON Lines"
            )
        for group in fields[_GROUPS][1].values:
            self._groups.append(struct_bytes(_moved(group, self._offset)))
        self._rows += rows
        self._offset += part.size_bytes

    def end(self) -> bytes:
        """Return the footer; there was one part at least."""
        fields = dict(self._first or {})
        kind, _ = fields[_ROWS]
        groups = list_head(STRUCT, len(self._groups)) + b"".join(self._groups)
        fields |= {_ROWS: (kind, self._rows), _GROUPS: (LIST, groups)}
        written = struct_bytes(fields)
        return written + len(written).to_bytes(4, "little") + _MAGIC


def _footer(part: RandomFile) -> Struct:
    start = max(0, part.size_bytes - _TAIL_BYTES)
    tail = part.read_at(start, part.size_bytes - start)
    size = int.from_bytes(tail[-8:-4], "little") + 8
    if size > len(tail):
        tail = part.read_at(part.size_bytes - size, size)
    return Reader(tail[-size:]).struct()


def _moved(group: Struct, by: int) -> Struct:
    """Return a row group that now stands *by* bytes further behind."""
    for chunk in group[_COLUMNS][1].values:
        _move(chunk, _CHUNK_OFFSETS, by)
        _move(chunk[_CHUNK_FACTS][1], _PAGE_OFFSETS, by)
    _move(group, (_GROUP_OFFSET,), by)
    group.pop(_ORDINAL, None)  # it may be left out, and ends at 32,767
    return group


def _move(fields: Struct, offsets: Iterable[int], by: int) -> None:
    for number in offsets:
        kind, offset = fields.get(number, (0, 0))
        if offset:  # 0 is what writers put where it is not used
            fields[number] = (kind, offset + by)
