"""What a job will take, said before it is begun: shards, seconds, cost."""

from collections.abc import Callable
from dataclasses import dataclass

from headrace_runtime.batch.plan import shard_size
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.manifest import Profile

WHOLE_CPU_MB = 1769  # of memory; a function with less has so much less of a vCPU

# Bytes that one second of a vCPU reads, answers with a small model and writes again, joined: rows
# a second times the bytes of a row of 20 numbers, docs/performance.md of 2026-11-23. Formats that
# are not measured there have the rate of the nearest slower one.
_BYTES_PER_CPU_S = {
    FileFormat.CSV: 148e6,
    FileFormat.TSV: 148e6,
    FileFormat.JSON_LINES: 85e6,
    FileFormat.PARQUET: 85e6,
    FileFormat.NPY: 487e6,
    FileFormat.NPZ: 148e6,
    FileFormat.OPEN_INFERENCE: 85e6,
}
# These are worked whole, whatever their size.
_ONE_SHARD = frozenset({FileFormat.NPZ, FileFormat.OPEN_INFERENCE})
_START_S = 3.0  # of each shard: a function that starts, and what it reads and writes of the job


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job will take.

    Attributes:
        concurrency: shards that are worked at a time.
        seconds: from the first shard's begin to the last one's end.
    """

    shards: int
    concurrency: int
    seconds: float
    cost_usd: float


def estimate(
    *,
    rows: int,
    size_bytes: int,
    file_format: FileFormat,
    profile: Profile,
    shard_bytes: int,
    max_concurrency: int,
    memory_mb: int,
    price: Callable[[int], float],
) -> Estimate:
    """Return what a job of a file will take: rather too much than too little.

    The model is reckoned by its run of one record, as it was on trial. Many records together cost
    less, for a small model by far, so with one the time is an upper bound.

    Args:
        rows: records of the file, at least 1.
        size_bytes: of the file, uncompressed, at least 1.
        file_format: what it is.
        profile: what the model's trial measured.
        shard_bytes: of a file that one shard holds.
        max_concurrency: shards that may be worked at a time.
        memory_mb: of the function that works them.
        price: says what so many nanoseconds of it cost, in USD.
    """
    shards = 1
    if file_format not in _ONE_SHARD:
        shards = -(-size_bytes // shard_size(size_bytes, shard_bytes))
    cpu_s = profile.load_ms / 1000
    cpu_s += size_bytes / shards / _BYTES_PER_CPU_S[file_format]
    cpu_s += rows / shards * profile.run_ms / 1000
    shard_s = _START_S + cpu_s / min(1.0, memory_mb / WHOLE_CPU_MB)
    concurrency = min(shards, max_concurrency)
    rounds = -(-shards // concurrency)
    return Estimate(
        shards, concurrency, round(rounds * shard_s, 1), shards * price(round(shard_s * 1e9))
    )
