"""One shard from end to end: records in, answers and reasons out, every record accounted for."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from headrace_runtime.batch.error_lines import row_errors
from headrace_runtime.batch.job import Counts
from headrace_runtime.batch.job_key import FileFormat
from headrace_runtime.batch.record_runs import Answers, RecordRuns
from headrace_runtime.batch.results_csv import CsvResults
from headrace_runtime.batch.results_json import JsonResults
from headrace_runtime.codec.csv_rows import read_csv
from headrace_runtime.codec.json_lines import read_json_lines
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.model.signature import Signature, TensorSpec

Write = Callable[[bytes], None]


class Results(Protocol):
    """A format in which results are written."""

    def encode(self, answers: Answers) -> bytes:
        """Return the lines of *answers*."""
        ...

    def end(self) -> bytes:
        """Return what is still missing when all is encoded."""
        ...


_READERS: dict[FileFormat, Callable[[ByteStream, Signature], Iterator[Records]]] = {
    FileFormat.CSV: read_csv,
    FileFormat.JSON_LINES: read_json_lines,
}

_RESULTS: dict[FileFormat, Callable[[tuple[TensorSpec, ...]], Results]] = {
    FileFormat.CSV: CsvResults,
    FileFormat.JSON_LINES: lambda _: JsonResults(),
}


def records_of(stream: ByteStream, form: FileFormat, signature: Signature) -> Iterator[Records]:
    """Yield the records of a file of that format for a model of this signature.

    Raises:
        InvalidInput: the file as a whole does not fit the model.
    """
    return _READERS[form](stream, signature)


def results_in(form: FileFormat, signature: Signature) -> Results:
    """Return what encodes the answers of a model of this signature in that format."""
    return _RESULTS[form](signature.outputs)


def run(
    records: Iterable[Records],
    runs: RecordRuns,
    results: Results,
    *,
    write_results: Write,
    write_errors: Write,
) -> Iterator[Counts]:
    """Write an answer or a reason for each record; yield what is behind after every run.

    Both files are in the records' order. Nothing is held but what is being worked on.

    Raises:
        InvalidInput, UnfitInput: the file or the model is unfit as a whole.
    """
    counts = Counts()
    for block in records:
        bad = list(block.bad)
        for answers in runs.answers(block):
            if len(answers.rows):
                write_results(results.encode(answers))
            bad += answers.bad
            counts = Counts(counts.rows_ok + len(answers.rows), counts.rows_failed)
            yield counts
        if bad:
            write_errors(row_errors(sorted(bad, key=lambda b: b.row)))
        counts = Counts(counts.rows_ok, counts.rows_failed + len(bad))
        yield counts
    write_results(results.end())
