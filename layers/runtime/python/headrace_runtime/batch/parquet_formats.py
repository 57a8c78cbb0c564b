"""Parquet, which is read at random: its records, its results, its shards, its parts as one file."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.file_formats import Opened, Wanted
from headrace_runtime.batch.parquet_join import JoinedFooter
from headrace_runtime.batch.plan import MOST_BY_TIME, shard_size
from headrace_runtime.batch.results_parquet import ParquetResults
from headrace_runtime.batch.shard import Part, Range
from headrace_runtime.codec.parquet_facts import parquet_facts, shard_starts
from headrace_runtime.codec.parquet_rows import open_parquet
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.codec.records import Position
from headrace_runtime.codec.shard_limit import ShardLimit

# Each shard of rows that take long is a row group of the results, whose footer is put together in
# memory: 600,000 columns of row groups took 41 s of CPU and 340 MB.
_MOST_CHUNKS = 1_000_000


def opened_parquet(file: RandomFile, wanted: Wanted, of: Range) -> Opened:
    """Return the records of a part of a file, in order, and what writes their results.

    Raises:
        InvalidInput, UnfitInput: the file is damaged, or unfit for the model.
    """
    signature = wanted.signature
    columns, records = open_parquet(file, signature, of.next_row - 1, of.stop, joined=wanted.joined)
    return records, ParquetResults(signature.outputs, columns if wanted.joined else None)


def parquet_ends(
    file: RandomFile, start: Position, limit: ShardLimit
) -> Iterator[tuple[Position, bool]]:
    """Yield where each shard from *start* on ends, and whether the file ends there, too.

    Args:
        file: the file.
        start: where the first of them begins.
        limit: of each; row groups are cut only where rows count, so take long.

    Raises:
        InvalidInput: it is no Parquet file, or one that cannot be read.
    """
    facts = parquet_facts(file)
    plain_bytes = max(1, facts.plain_bytes)
    size = shard_size(plain_bytes, limit.size_bytes)
    shard_rows = max(1, facts.rows * size // plain_bytes)
    if limit.rows:
        most = max(1, min(MOST_BY_TIME, _MOST_CHUNKS // max(1, facts.columns)))
        shard_rows = min(shard_rows, max(limit.rows, -(-facts.rows // most)))
    starts = shard_starts(facts, shard_rows, within_groups=limit.rows > 0)
    for row in (row for row in starts if row > start.offset):
        yield Position(row, row + 1, row + 1), False
    yield Position(facts.rows, facts.rows + 1, facts.rows + 1), True


def assembled(parts: Sequence[Part], files: Sequence[RandomFile]) -> list[Part]:
    """Return the parts that make one file: those with rows, and a footer for all of them.

    Args:
        parts: of the job's shards, in order.
        files: their results.

    Raises:
        ModelUnfit: the parts have not the same columns.
    """
    if len(parts) <= 1:
        return list(parts)
    footer = JoinedFooter()
    for file in files:
        footer.add(file)
    end = footer.end()
    digest = sha256(end).hexdigest()
    last = Part(Counts(), results_bytes=len(end), sha256=digest, layout=end.decode("latin-1"))
    return [*parts, last]
