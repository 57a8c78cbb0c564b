"""The records that a job could not answer, as a file of their own, in the format that came in."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from headrace import failed_arrays
from headrace.csv_head import head_of, is_first_record
from headrace.failed import Failed
from headrace.plain_bytes import opened, plain_name
from headrace.text_records import some_lines, some_rows
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.codec.plain_format import HEAD_BYTES, format_of
from headrace_runtime.errors import InvalidInput


def write_failed(source: Path, failed: Failed, folder: Path) -> Path:
    """Write what failed of *source* to a file in *folder*, uncompressed, and return its path.

    Raises:
        InvalidInput: the file cannot be taken apart.
    """
    name = Path(plain_name(source.name))
    target = folder / f"{name.stem}-failed{name.suffix}"
    with opened(source) as stream:
        kind = format_of(stream.read(HEAD_BYTES), source.name)
        stream.seek(0)
        with target.open("wb") as file:
            _WRITERS[kind](stream, failed, file)
    return target


def _json_lines(stream: IO[bytes], failed: Failed, target: IO[bytes]) -> None:
    rows = some_lines(LineBlocks(stream), failed.lines)
    _write(chain([_first(rows)], rows), target)


def _csv(stream: IO[bytes], failed: Failed, target: IO[bytes]) -> None:
    _table(stream, failed, target, "csv")


def _tsv(stream: IO[bytes], failed: Failed, target: IO[bytes]) -> None:
    _table(stream, failed, target, "tsv")


def _table(stream: IO[bytes], failed: Failed, target: IO[bytes], kind: str) -> None:
    blocks = LineBlocks(stream)
    head = head_of(blocks.first(), kind)
    lines = np.union1d(failed.lines, [head.line]) if head.has_header else failed.lines
    rows = some_rows(blocks, lines, head.delimiter)
    first = next(rows) if head.has_header else _first(rows)
    begin = [first]
    if head.has_header:
        begin.append(_first(rows))
    elif not is_first_record(first, head.delimiter):
        # A row of words would be taken as the header that the file never had, and be lost.
        names = [f"column_{number}" for number in range(1, head.columns + 1)]
        begin.insert(0, head.delimiter.join(names).encode())
    _write(chain(begin, rows), target)


def _request(_: IO[bytes], __: Failed, ___: IO[bytes]) -> None:
    raise InvalidInput(
        "an infer request is not taken apart: send the records that failed by yourself, as NPZ"
    )


def _first(rows: Iterator[bytes]) -> bytes:
    first = next(rows, None)
    if first is None:
        raise InvalidInput(
            "no record that failed can be read at all: their lines are too long, or open a quote "
            "that is not closed"
        )
    return first


def _write(rows: Iterator[bytes], target: IO[bytes]) -> None:
    target.writelines(row + b"\n" for row in rows)


_WRITERS: dict[FileFormat, Callable[[IO[bytes], Failed, IO[bytes]], None]] = {
    FileFormat.CSV: _csv,
    FileFormat.TSV: _tsv,
    FileFormat.JSON_LINES: _json_lines,
    FileFormat.NPY: failed_arrays.write_npy,
    FileFormat.NPZ: failed_arrays.write_npz,
    FileFormat.OPEN_INFERENCE: _request,
    FileFormat.PARQUET: failed_arrays.write_parquet,
}
