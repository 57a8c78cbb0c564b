"""Work that turns out to be too heavy for a function, and goes on at a GPU."""

from headrace_runtime.batch.job import Job
from headrace_runtime.batch.shard import Range
from headrace_runtime.codec.file_format import Compression, FileFormat
from headrace_runtime.errors import HeadraceError, OutOfTime
from headrace_runtime.inference.process_failures import ModelTooLarge

# A run that did less than this of what it began with will not be the last but one.
_LEAST_DONE = 0.5


def too_slow(was: Range, rest: Range, end: int, *, in_rows: bool = False) -> str:
    """Return why the rest of a shard is better done elsewhere, "" where it is not.

    Args:
        was: what one run, with all of its time, began with.
        rest: what it left.
        end: of the file, where *was* reaches to there: bytes, or rows of Parquet; 0 where it is
            not known, and so nothing can be said.
        in_rows: whether places are counted in rows, as in Parquet.
    """
    # Reading Parquet begins where a row group does, wherever the shard does.
    began = was.next_row - 1 if in_rows else was.start.offset
    done = (rest.next_row - 1 if in_rows else rest.start.offset) - began
    whole = (end if was.stop is None else was.stop) - began
    if whole <= 0 or done >= _LEAST_DONE * whole:
        return ""
    rows = rest.next_row - was.next_row
    return (
        f"it was to run on Lambda, where one run of a shard answered {rows:,} records, "
        f"{done / whole:.0%} of what it began with"
    )


def end_of(job: Job) -> int:
    """Return where a job's file ends, as places in it are counted; 0 where it is not known.

    A file that is one shard is not looked through for its end.
    """
    plain = job.known_content.compression is Compression.NONE and not in_rows(job)
    return job.cut.end.offset or (job.source.size_bytes if plain else 0)


def in_rows(job: Job) -> bool:
    """Return whether places in a job's file are counted in rows, not in bytes."""
    return job.known_content.format is FileFormat.PARQUET


def too_heavy(error: HeadraceError) -> str:
    """Return why a shard that failed on Lambda may succeed elsewhere, "" where it would not."""
    if not isinstance(error, (OutOfTime, ModelTooLarge)):
        return ""
    return f"it was to run on Lambda, where {error.sentence}"
