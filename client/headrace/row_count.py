"""How many records a file has, counted as the service counts them, without a value being read."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headrace import array_files, parquet_footer
from headrace.csv_head import CsvHead, head_of, without_mark
from headrace.plain_bytes import is_compressed, opened
from headrace_runtime.codec.csv_text import CsvText
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.line_blocks import BadLine, LineBlocks, filled_and_all
from headrace_runtime.codec.plain_format import HEAD_BYTES, format_of
from headrace_runtime.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class RowCount:
    """What a file holds.

    Attributes:
        kind: its format, in the service's words.
        rows: its records; a header is none.
        size_bytes: of the file, uncompressed.
    """

    kind: FileFormat
    rows: int
    size_bytes: int


def counted(path: Path) -> RowCount:
    """Return how many records the file has; it is read once, block by block.

    Raises:
        InvalidInput: it holds nothing that the service reads.
    """
    with opened(path) as stream:
        kind = format_of(stream.read(HEAD_BYTES), path.name)
        if kind == "parquet" and is_compressed(path):
            raise InvalidInput(
                "the file is Parquet inside another compression, which the service does not read: "
                "send the Parquet file itself"
            )
        stream.seek(0)
        rows = _COUNTERS[kind](stream)
        return RowCount(kind, rows, _size(path, stream))


def _size(path: Path, stream: IO[bytes]) -> int:
    if not is_compressed(path):
        return path.stat().st_size
    while stream.read(1 << 20):
        pass
    return stream.tell()


def _json_lines(stream: IO[bytes]) -> int:
    return sum(filled_and_all(block)[0] for block in LineBlocks(stream))


def _csv(stream: IO[bytes]) -> int:
    return _table(stream, "csv")


def _tsv(stream: IO[bytes]) -> int:
    return _table(stream, "tsv")


def _table(stream: IO[bytes], kind: str) -> int:
    blocks = LineBlocks(stream)
    head = head_of(blocks.first(), kind)
    text = CsvText(1, lambda: next(blocks, None), head.delimiter)
    rows = 0
    for block in blocks:
        plain = without_mark(block) if text.line == 1 else block
        rows += _rows(plain, text, head)
    if not head.has_header:
        return rows
    # In a file of one column empty lines are records, but not those before its header.
    return rows - (head.line if head.columns == 1 else 1)


def _rows(block: bytes | BadLine, text: CsvText, head: CsvHead) -> int:
    """Return the rows that begin in a block; *text* goes on behind the last of them."""
    alone = head.columns == 1
    filled, lines = filled_and_all(block)
    if isinstance(block, bytes) and b'"' in block:
        quoted = _quoted(block, head)
        if quoted is None:
            text.add(block)
            return sum(1 for row in text.rows() if row.cells or alone)
        filled, rows = quoted
    else:
        rows = lines
    text.line += lines
    return rows if alone else filled


def _quoted(block: bytes, head: CsvHead) -> tuple[int, int] | None:
    """Return the rows of a block with quotes that are not empty, and all of them.

    None where a row is malformed, or goes on behind the block: those are for `CsvText`, which
    takes every row by itself, and several times as long.
    """
    if b"\r\r" in block:  # the csv module takes a line of these for an empty one
        return None
    try:
        lines = io.StringIO(block.decode(), newline="\n")
        lengths = [len(row) for row in csv.reader(lines, strict=True, delimiter=head.delimiter)]
    except (csv.Error, UnicodeDecodeError):
        return None
    return sum(map(bool, lengths)), len(lengths)


_COUNTERS: dict[FileFormat, Callable[[IO[bytes]], int]] = {
    FileFormat.CSV: _csv,
    FileFormat.TSV: _tsv,
    FileFormat.JSON_LINES: _json_lines,
    FileFormat.NPY: array_files.npy_rows,
    FileFormat.NPZ: array_files.npz_rows,
    FileFormat.OPEN_INFERENCE: array_files.request_rows,
    FileFormat.PARQUET: parquet_footer.num_rows,
}
