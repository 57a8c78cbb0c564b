"""Files of every format, opened where they lie, and their results put together again."""

from collections.abc import Sequence
from functools import partial

from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.part_files import PartFile
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch.file_formats import Opened, Wanted, opened
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.parquet_formats import assembled, opened_parquet
from headrace_runtime.batch.parts import one_file
from headrace_runtime.batch.shard import Part, Range
from headrace_runtime.codec.file_format import FileFormat


class AnyFormat:
    """Opens jobs' files, and says which parts make their results; Parquet needs pyarrow."""

    def __init__(self, inbox: Inbox, results: ResultsBucket) -> None:
        self._inbox = inbox
        self._results = results

    def open(self, job: Job, wanted: Wanted, of: Range) -> Opened:
        """Open a range of a job's file.

        Raises:
            InvalidInput, UnfitInput, TooLarge: it is damaged, or unfit for the model.
        """
        if _is_parquet(job):
            return opened_parquet(self._inbox.at_random(job.source), wanted, of)
        return opened(partial(self._inbox.open, job.source), job.known_content, wanted, of)

    def assemble(self, job: Job, parts: Sequence[Part]) -> list[Part]:
        """Return the parts that make the file of results, in order.

        Raises:
            ModelUnfit: the outputs of some records have other shapes than those of others.
        """
        if not _is_parquet(job):
            return one_file(parts)
        filled = [part for part in parts if part.results_bytes]
        return assembled(filled, [PartFile(self._results, part) for part in filled])


def _is_parquet(job: Job) -> bool:
    return job.known_content.format is FileFormat.PARQUET
