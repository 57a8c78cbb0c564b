"""A range of records from end to end: answers and reasons out, every record accounted for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.error_lines import row_errors
from headrace_runtime.batch.file_formats import Results
from headrace_runtime.batch.record_runs import Runs
from headrace_runtime.codec.records import BadRow, Position, Records

Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Behind:
    """What a run has behind it.

    Attributes:
        origin: from where the records that come next can be read.
        next_row: the first of them; all before it are answered or listed.
    """

    counts: Counts
    origin: Position
    next_row: int


def run(
    records: Iterable[Records],
    runs: Runs,
    results: Results,
    *,
    write_results: Write,
    write_errors: Write,
) -> Iterator[Behind]:
    """Write an answer or a reason for each record; yield what is behind after every run.

    Both files are in the records' order, so that the work can be taken up behind any run. Nothing
    is held but what is being worked on.

    Raises:
        InvalidInput, UnfitInput: the file or the model is unfit as a whole.
    """
    counts = Counts()
    for block in records:
        waiting = list(block.bad)
        for answers in runs.answers(block):
            if len(answers.rows):
                write_results(results.encode(answers))
            last = max([*answers.rows[-1:].tolist(), *(bad.row for bad in answers.bad)])
            bad = [*answers.bad, *(one for one in waiting if one.row < last)]
            waiting = [one for one in waiting if one.row > last]
            _list(bad, write_errors)
            counts += Counts(len(answers.rows), len(bad))
            yield Behind(counts, block.origin, last + 1)
        if waiting:
            _list(waiting, write_errors)
            counts += Counts(0, len(waiting))
            yield Behind(counts, block.origin, max(one.row for one in waiting) + 1)


def _list(bad: list[BadRow], write_errors: Write) -> None:
    if bad:
        write_errors(row_errors(sorted(bad, key=lambda one: one.row)))
