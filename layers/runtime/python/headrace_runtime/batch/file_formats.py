"""Formats of files: what reads the records of each, and what writes their results."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.batch.results_arrays import NpyResults, NpzResults, ResponseResults
from headrace_runtime.batch.results_csv import CsvResults, Table
from headrace_runtime.batch.results_json import JsonResults
from headrace_runtime.codec.csv_head import COMMAS, TABS
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.decompression import decompressed
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.json_lines import read_json_lines
from headrace_runtime.codec.npy_array import open_npy
from headrace_runtime.codec.npz_arrays import open_npz
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.codec.request_file import open_request
from headrace_runtime.model.signature import Signature


class Results(Protocol):
    """A format in which results are written."""

    def encode(self, answers: Answers) -> bytes:
        """Return the bytes of *answers*."""
        ...

    def end(self) -> bytes:
        """Return what is still missing when all is encoded."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a file.

    Attributes:
        model, version, signature: of what answers it.
        joined: whether results repeat each record before its outputs, where the format has text.
    """

    model: str
    version: int
    signature: Signature
    joined: bool = True


Opened = tuple[Iterator[Records], Results]


def opened(stream: ByteStream, content: Content, wanted: Wanted) -> Opened:
    """Return the records of a file, in order, and what writes their results in its format.

    Raises:
        InvalidInput, UnfitInput, TooLarge: the file as a whole is damaged, or unfit for the model.
    """
    plain = decompressed(stream, content.compression)
    return _OPENERS[content.format](plain, wanted)


def _csv(stream: ByteStream, wanted: Wanted, delimiters: tuple[str, ...] = COMMAS) -> Opened:
    layout, records = open_csv(stream, wanted.signature, delimiters)
    table = Table(layout.delimiter, layout.header, layout.names, wanted.joined)
    return records, CsvResults(wanted.signature.outputs, table)


def _tsv(stream: ByteStream, wanted: Wanted) -> Opened:
    return _csv(stream, wanted, TABS)


def _json_lines(stream: ByteStream, wanted: Wanted) -> Opened:
    return read_json_lines(stream, wanted.signature), JsonResults(joined=wanted.joined)


def _npy(stream: ByteStream, wanted: Wanted) -> Opened:
    header, records = open_npy(stream, wanted.signature)
    return records, NpyResults(wanted.signature.outputs, header.shape[0])


def _npz(stream: ByteStream, wanted: Wanted) -> Opened:
    return open_npz(stream, wanted.signature), NpzResults()


def _request(stream: ByteStream, wanted: Wanted) -> Opened:
    results = ResponseResults(wanted.model, wanted.version)
    return open_request(stream, wanted.signature), results


_OPENERS: dict[FileFormat, Callable[[ByteStream, Wanted], Opened]] = {
    FileFormat.CSV: _csv,
    FileFormat.TSV: _tsv,
    FileFormat.JSON_LINES: _json_lines,
    FileFormat.NPY: _npy,
    FileFormat.NPZ: _npz,
    FileFormat.OPEN_INFERENCE: _request,
}
