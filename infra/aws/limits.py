"""What a function's memory and disk leave for models."""

from infra.aws.stage import Stage

# What Python, the runtime and one request take of a function's memory beside its models.
BESIDE_MODELS_MB = 512
# Of a file, uncompressed, that one shard holds: at the rates of docs/performance.md minutes, so
# that a run that is lost costs little, and parts that S3 itself joins (5 MiB and more).
SHARD_BYTES = 64 << 20
# A model is loaded by path: its files lie in /tmp, the largest beside what was loaded before.
MODELS_DISK_MB = 2048


def models_memory_mb(memory_mb: int, *, disk_mb: int, stage: Stage) -> int:
    """Return what loaded models may take together, in MB.

    Weights are mapped from the disk, which must hold the next model beside them.
    """
    return min(memory_mb - BESIDE_MODELS_MB, disk_mb - stage.max_model_mb)


def whole_cpus(memory_mb: int) -> int:
    """Return how many vCPUs a function owns alone, at least 1: what threads are worth having."""
    return max(1, memory_mb // 1769)
