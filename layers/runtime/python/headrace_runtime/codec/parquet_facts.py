"""How many rows a Parquet file has, and whether what its footer says can be believed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from headrace_runtime.codec.decompression import MAX_BYTES, MAX_RATIO, RATIO_COUNTS_FROM_BYTES
from headrace_runtime.codec.parquet_footer import RowGroup, row_groups
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.errors import InvalidInput

_MAX_COLUMNS = 4096
# Runs of one value take next to nothing: a column that is 1 in a thousand rows shrinks 2,000 times.
_MAX_VALUES_RATIO = 10_000


@dataclass(frozen=True, slots=True)
class ParquetFacts:
    """How many rows a file has.

    Attributes:
        row_groups: rows of each row group, in order.
        plain_bytes: of all of them together, undone.
        columns: of each.
    """

    rows: int
    row_groups: tuple[int, ...]
    plain_bytes: int
    columns: int


def parquet_facts(file: RandomFile) -> ParquetFacts:
    """Return how many rows a file has; no Parquet library is asked.

    Raises:
        InvalidInput: it is no Parquet file, or one that cannot be read.
    """
    groups = row_groups(file)
    check(groups, file.size_bytes)
    rows = tuple(group.rows for group in groups)
    return ParquetFacts(
        sum(rows),
        rows,
        sum(group.plain_bytes for group in groups),
        max((group.columns for group in groups), default=0),
    )


def shard_starts(facts: ParquetFacts, shard_rows: int, *, within_groups: bool) -> list[int]:
    """Return the first row of each shard, counted from 0, one at least.

    Args:
        facts: of the file.
        shard_rows: of a shard, at most; or it is one row group.
        within_groups: whether a longer row group is cut, too: who reads a later part of it undoes
            it from its beginning, which is little where each row takes long.
    """
    starts, row = [0], 0
    for rows in _pieces(facts, shard_rows) if within_groups else facts.row_groups:
        if row > starts[-1] and row + rows - starts[-1] > shard_rows:
            starts.append(row)
        row += rows
    return starts


def _pieces(facts: ParquetFacts, most: int) -> Iterator[int]:
    """Yield the rows of each row group, and of parts of equal length of those with more."""
    for rows in facts.row_groups:
        count = max(1, -(-rows // most))
        ends = [rows * end // count for end in range(count + 1)]
        yield from (stop - start for start, stop in pairwise(ends))


def check(groups: Sequence[RowGroup], size_bytes: int) -> None:
    """Let row groups pass that can be in a file of so many bytes, and unfold to what may be read.

    Raises:
        InvalidInput: columns are too many, or overlap, or are those of a bomb.
    """
    columns = max((group.columns for group in groups), default=0)
    if columns > _MAX_COLUMNS:
        raise InvalidInput(
            f"the Parquet file has {columns:,} columns, at most {_MAX_COLUMNS:,} are read: write "
            "one list column"
        )
    stored = sum(group.stored_bytes for group in groups)
    if stored > size_bytes:
        raise InvalidInput(
            f"the footer of the Parquet file says {stored:,} bytes of columns, and the file has "
            f"{size_bytes:,}: it is damaged"
        )
    plain = sum(group.plain_bytes for group in groups)
    values = sum(group.value_bytes for group in groups)
    for unfolded, ratio in ((plain, MAX_RATIO), (values, _MAX_VALUES_RATIO)):
        bomb = unfolded > ratio * stored and unfolded > RATIO_COUNTS_FROM_BYTES
        if bomb or unfolded > MAX_BYTES:
            raise InvalidInput(
                f"the Parquet file is refused as a bomb: {stored:,} bytes of columns become "
                f"{unfolded:,}"
            )
