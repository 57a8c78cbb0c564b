"""Formats of files: what reads the records of each, and what writes their results."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.batch.results_arrays import NpyResults, NpzResults, ResponseResults
from headrace_runtime.batch.results_csv import CsvResults, Table
from headrace_runtime.batch.results_json import JsonResults
from headrace_runtime.batch.shard import Range
from headrace_runtime.codec.csv_head import COMMAS, TABS
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.json_lines import read_json_lines
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.codec.npy_array import open_npy
from headrace_runtime.codec.npz_arrays import open_npz
from headrace_runtime.codec.plain_file import ending_at, plain_file
from headrace_runtime.codec.records import PlainFile, Records
from headrace_runtime.codec.request_file import open_request
from headrace_runtime.model.signature import Signature


class Results(Protocol):
    """A format in which results are written: parts, one behind the other, make the file."""

    def encode(self, answers: Answers) -> bytes:
        """Return the bytes of *answers*."""
        ...

    def end(self, next_row: int) -> bytes:
        """Return what of the part is missing once all records before *next_row* are behind."""
        ...

    def layout(self) -> str:
        """Return what stands before the first part, each character a byte: all parts' is one."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a file.

    Attributes:
        model, version, signature: of what answers it.
        joined: whether results repeat each record before its outputs, where the format has text.
        values: False where all records wanted are known to be plain (`Records.plain`), and nothing
            is wanted of them but what results repeat.
    """

    model: str
    version: int
    signature: Signature
    joined: bool = True
    values: bool = True


Opened = tuple[Iterator[Records], Results]
WHOLE = Range()


def opened(stored: PlainFile, content: Content, wanted: Wanted, of: Range = WHOLE) -> Opened:
    """Return the records of a part of a file, in order, and what writes their results.

    Args:
        stored: opens the file as it is stored.
        content: what it is.
        wanted: of it.
        of: the range; records before its `next_row` are left out.

    Raises:
        InvalidInput, UnfitInput, TooLarge: the file as a whole is damaged, or unfit for the model.
    """
    plain = plain_file(stored, content.compression)
    records, results = _OPENERS[content.format](ending_at(plain, of.stop), wanted, of)
    if of.next_row == of.start.row:
        return records, results
    later = (block.since(of.next_row) for block in records)
    return (block for block in later if block.count), results


def _csv(
    file: PlainFile, wanted: Wanted, of: Range, delimiters: tuple[str, ...] = COMMAS
) -> Opened:
    layout, records = open_csv(file, wanted.signature, delimiters, of.start, values=wanted.values)
    table = Table(layout.delimiter, layout.header, layout.names, wanted.joined)
    return records, CsvResults(wanted.signature.outputs, table)


def _tsv(file: PlainFile, wanted: Wanted, of: Range) -> Opened:
    return _csv(file, wanted, of, TABS)


def _json_lines(file: PlainFile, wanted: Wanted, of: Range) -> Opened:
    blocks = LineBlocks(file(of.start.offset), of.start.offset)
    records = read_json_lines(blocks, wanted.signature, of.start)
    return records, JsonResults(joined=wanted.joined)


def _npy(file: PlainFile, wanted: Wanted, of: Range) -> Opened:
    header, records = open_npy(file, wanted.signature, of.start, of.stop, values=wanted.values)
    return records, NpyResults(wanted.signature.outputs, header.shape[0], of.next_row)


def _npz(file: PlainFile, wanted: Wanted, _: Range) -> Opened:
    return open_npz(file(0), wanted.signature), NpzResults()


def _request(file: PlainFile, wanted: Wanted, _: Range) -> Opened:
    results = ResponseResults(wanted.model, wanted.version)
    return open_request(file(0), wanted.signature), results


_OPENERS: dict[FileFormat, Callable[[PlainFile, Wanted, Range], Opened]] = {
    FileFormat.CSV: _csv,
    FileFormat.TSV: _tsv,
    FileFormat.JSON_LINES: _json_lines,
    FileFormat.NPY: _npy,
    FileFormat.NPZ: _npz,
    FileFormat.OPEN_INFERENCE: _request,
}

# Their results are one piece: they cannot be put together from parts.
UNDIVIDED = frozenset({FileFormat.NPZ, FileFormat.OPEN_INFERENCE})
