"""One shard from end to end: records in, answers and reasons out, every record accounted for."""

from collections.abc import Callable, Iterable, Iterator

from headrace_runtime.batch.error_lines import row_errors
from headrace_runtime.batch.file_formats import Results
from headrace_runtime.batch.job import Counts
from headrace_runtime.batch.record_runs import RecordRuns
from headrace_runtime.codec.records import Records

Write = Callable[[bytes], None]


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
