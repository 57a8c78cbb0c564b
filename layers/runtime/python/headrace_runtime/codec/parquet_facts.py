"""What a Parquet file's footer says of its rows, and whether it can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headrace_runtime.codec.decompression import MAX_BYTES, MAX_RATIO, RATIO_COUNTS_FROM_BYTES
from headrace_runtime.codec.parquet_file import ParquetSource, opened, reading
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.errors import InvalidInput

_MAX_COLUMNS = 4096
# Runs of one value take next to nothing: a column that is 1 in a thousand rows shrinks 2,000 times.
_MAX_VALUES_RATIO = 10_000
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4}  # bytes of a value that is read; of others 8


@dataclass(frozen=True, slots=True)
class ParquetFacts:
    """How many rows a file has.

    Attributes:
        row_groups: rows of each row group, in order.
    """

    rows: int
    row_groups: tuple[int, ...]


def parquet_facts(file: RandomFile) -> ParquetFacts:
    """Return how many rows a file has.

    Raises:
        InvalidInput: it is no Parquet file, or one that cannot be read.
    """
    source = ParquetSource(file)
    metadata = opened(source, file).metadata
    with reading(source, "the footer"):
        check(metadata, range(metadata.num_row_groups), file.size_bytes)
        return facts_of(metadata)


def facts_of(metadata: Any) -> ParquetFacts:
    """Return how many rows a footer says.

    Raises:
        InvalidInput: it contradicts itself.
    """
    groups = tuple(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
    if metadata.num_rows != sum(groups) or min(groups, default=0) < 0:
        raise InvalidInput(
            f"the footer of the Parquet file says {metadata.num_rows:,} rows, and {sum(groups):,} "
            "in its row groups: it is damaged"
        )
    return ParquetFacts(metadata.num_rows, groups)


def shard_starts(facts: ParquetFacts, shard_rows: int) -> list[int]:
    """Return the first row of each shard, counted from 0: where row groups begin, one at least.

    A shard has at most *shard_rows* rows, or one row group.
    """
    starts, row = [0], 0
    for rows in facts.row_groups:
        if row > starts[-1] and row + rows - starts[-1] > shard_rows:
            starts.append(row)
        row += rows
    return starts


def check(metadata: Any, groups: Sequence[int], size_bytes: int) -> None:
    """Let row groups pass whose values can be in the file, and unfold to what may be read.

    Args:
        metadata: the footer.
        groups: which row groups.
        size_bytes: of the file.

    Raises:
        InvalidInput: sizes are negative, overlap, or are those of a bomb; columns are too many.
    """
    if metadata.num_columns > _MAX_COLUMNS:
        raise InvalidInput(
            f"the Parquet file has {metadata.num_columns:,} columns, at most {_MAX_COLUMNS:,} are "
            "read: write one list column"
        )
    sizes = [_sizes(metadata.row_group(index), index) for index in groups]
    stored, plain, values = (sum(column) for column in zip(*sizes, (0, 0, 0), strict=True))
    if stored > size_bytes:
        raise InvalidInput(
            f"the footer of the Parquet file says {stored:,} bytes of columns, and the file has "
            f"{size_bytes:,}: it is damaged"
        )
    for unfolded, ratio in ((plain, MAX_RATIO), (values, _MAX_VALUES_RATIO)):
        bomb = unfolded > ratio * stored and unfolded > RATIO_COUNTS_FROM_BYTES
        if bomb or unfolded > MAX_BYTES:
            raise InvalidInput(
                f"the Parquet file is refused as a bomb: {stored:,} bytes of columns become "
                f"{unfolded:,}"
            )


def _sizes(group: Any, index: int) -> tuple[int, int, int]:
    """Return what a row group's columns take: in the file, as plain pages, as values."""
    stored = plain = values = 0
    for position in range(group.num_columns):
        chunk = group.column(position)
        sizes = (chunk.total_compressed_size, chunk.total_uncompressed_size, chunk.num_values)
        if min(sizes) < 0:
            raise InvalidInput(f"row group {index} of the Parquet file has negative sizes")
        stored += sizes[0]
        plain += sizes[1]
        values += sizes[2] * _WIDTHS.get(chunk.physical_type, 8)
    return stored, plain, values
