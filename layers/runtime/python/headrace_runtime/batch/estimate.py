"""What a job will take, said before it is begun: shards, seconds, cost; on Lambda and on GPUs."""

from dataclasses import dataclass

from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.means import GpuMeans, Means
from headrace_runtime.batch.plan import lambda_shard_rows, shard_size
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

# An endpoint that sleeps: an alarm sees that work waits after 2 or 3 minutes, and an instance is
# up and has the model after 3 to 5 more. A transform job's instances take as long.
WAKE_S = 480.0
# It sleeps again once an alarm has seen for so long that nothing waits; and is paid until then.
IDLE_S = 900.0
# Triton took 100 MB of tensors a second on one core, over HTTP; the answers are held to be few.
_TENSOR_BYTES_PER_S = 100e6
# A body and its output: two writes and three reads of S3, a notice, a message, a short run.
_USD_PER_BODY = 0.000013
# Who hands a shard over reads it, and who collects the answers reads it again and writes.
_PASSES = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job will take.

    Attributes:
        concurrency: shards that are worked at a time; on GPUs, instances.
        seconds: from the first shard's begin to the last one's end.
    """

    shards: int
    concurrency: int
    seconds: float
    cost_usd: float


def shards_of(extent: Extent, shard_bytes: int, shard_rows: int = 0) -> int:
    """Return into how many shards a file is cut: of so many bytes each, or so many records.

    Args:
        extent: of the file.
        shard_bytes: as the stage wishes.
        shard_rows: 0 where records do not count.
    """
    if extent.file_format in _ONE_SHARD:
        return 1
    by_bytes = -(-extent.size_bytes // shard_size(extent.size_bytes, shard_bytes))
    return max(by_bytes, -(-extent.rows // shard_rows) if shard_rows else 1)


def on_lambda(extent: Extent, profile: Profile, means: Means) -> Estimate:
    """Return what a job takes on Lambda: rather too much than too little."""
    shards = shards_of(extent, means.shard_bytes, lambda_shard_rows(extent, profile))
    model_s = profile.load_ms / 1000 + extent.rows / shards * profile.ms_per_row / 1000
    shard_s = _START_S + (_reading_s(extent, shards) + model_s) / _cpus(means)
    concurrency = min(shards, means.max_concurrency)
    rounds = -(-shards // concurrency)
    return Estimate(
        shards, concurrency, round(rounds * shard_s, 1), shards * shard_s * means.usd_per_s
    )


def on_gpu(
    extent: Extent, profile: Profile, means: Means, gpu: GpuMeans, *, rows_at_once: int
) -> Estimate:
    """Return what a job takes on an endpoint that sleeps when it comes.

    One instance wakes at first, and where the work lasts as long as waking, another one, and so
    on. All of them are paid from when they are called until they sleep again.

    Args:
        extent: of the file.
        profile: what the model's trial measured, on a CPU.
        means: the stage's.
        gpu: the stage's.
        rows_at_once: records of one body at most.
    """
    work_s = _work_s(extent, profile, gpu)
    busy_s = _busy_s(work_s, gpu.instances)
    woken = min(gpu.instances, 1 + busy_s / WAKE_S)
    paid_s = work_s + woken * (WAKE_S + IDLE_S)
    rest = _beside_gpu(extent, means, rows_at_once)
    return Estimate(
        rest.shards,
        int(woken),
        round(WAKE_S + busy_s + rest.seconds, 1),
        paid_s * gpu.instance.usd_per_s + rest.cost_usd,
    )


def by_transform(
    extent: Extent, profile: Profile, means: Means, gpu: GpuMeans, *, rows_at_once: int
) -> Estimate:
    """Return what a job takes as one batch transform job, of all instances that there may be.

    They are paid from the job's begin to its end. Arguments are those of `on_gpu`.
    """
    work_s = _work_s(extent, profile, gpu)
    rest = _beside_gpu(extent, means, rows_at_once)
    return Estimate(
        rest.shards,
        gpu.instances,
        round(WAKE_S + work_s / gpu.instances + rest.seconds, 1),
        (work_s + gpu.instances * WAKE_S) * gpu.instance.usd_per_s + rest.cost_usd,
    )


def _beside_gpu(extent: Extent, means: Means, rows_at_once: int) -> Estimate:
    """Return what it takes, beside GPUs, to hand shards over and to write their answers."""
    shards = shards_of(extent, means.shard_bytes)
    shard_s = _START_S + _reading_s(extent, shards) / _cpus(means)
    concurrency = min(shards, means.max_concurrency)
    rounds = _PASSES * -(-shards // concurrency)
    cost_usd = _PASSES * shards * shard_s * means.usd_per_s
    cost_usd += extent.rows / rows_at_once * _USD_PER_BODY
    return Estimate(shards, concurrency, rounds * shard_s, cost_usd)


def _reading_s(extent: Extent, shards: int) -> float:
    return extent.size_bytes / shards / _BYTES_PER_CPU_S[extent.file_format]


def _cpus(means: Means) -> float:
    return min(1.0, means.memory_mb / WHOLE_CPU_MB)


def _work_s(extent: Extent, profile: Profile, gpu: GpuMeans) -> float:
    """Return for how long one instance works."""
    model_s = extent.rows * profile.ms_per_row / 1000 / gpu.instance.speed
    return model_s + extent.tensor_bytes / _TENSOR_BYTES_PER_S


def _busy_s(work_s: float, instances: int) -> float:
    """Return how long instances work that wake one after the other, from the first one on."""
    left_s, working = work_s, 1
    while working < instances and left_s > working * WAKE_S:
        left_s -= working * WAKE_S
        working += 1
    return (working - 1) * WAKE_S + left_s / working
