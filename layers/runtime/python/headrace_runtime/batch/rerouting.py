"""Work that turns out to be too heavy for a function, and goes on at a GPU."""

from headrace_runtime.batch.shard import Range
from headrace_runtime.errors import HeadraceError, OutOfTime
from headrace_runtime.inference.process_failures import ModelTooLarge

# A run that did less than this of what it began with will not be the last but one.
_LEAST_DONE = 0.5


def too_slow(was: Range, rest: Range, end: int) -> str:
    """Return why the rest of a shard is better done elsewhere, "" where it is not.

    Args:
        was: what one run, with all of its time, began with.
        rest: what it left.
        end: of the file, where *was* reaches to there: bytes, or rows of Parquet.
    """
    done = rest.start.offset - was.start.offset
    whole = (end if was.stop is None else was.stop) - was.start.offset
    if done >= _LEAST_DONE * whole:
        return ""
    rows = rest.next_row - was.next_row
    return (
        f"it was to run on Lambda, where one run of a shard answered {rows:,} records, "
        f"{done / max(1, whole):.0%} of what it began with"
    )


def too_heavy(error: HeadraceError) -> str:
    """Return why a shard that failed on Lambda may succeed elsewhere, "" where it would not."""
    if not isinstance(error, (OutOfTime, ModelTooLarge)):
        return ""
    return f"it was to run on Lambda, where {error.sentence}"
