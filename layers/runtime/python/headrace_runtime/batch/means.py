"""What a stage has for the records of a job: by this a job is placed, and its cost reckoned."""

from dataclasses import dataclass

from headrace_runtime.batch.gpu_prices import GpuInstance, gpu_instance
from headrace_runtime.settings import SubmitSettings
from headrace_runtime.work_settings import IntakeSettings

# What Python, the runtime and a batch take of a function's memory beside its models.
_BESIDE_MODELS_MB = 512


@dataclass(frozen=True, slots=True)
class GpuMeans:
    """What a stage has of GPUs.

    Attributes:
        instance: the stage's first choice.
        instances: that work at a time, at most. 1 to 100.
        cpu_limit_s: vCPU seconds of a model from which on a job goes to a GPU by itself.
        monthly_usd: what GPUs may cost in a month.
        spent_usd: what they have cost in this one.
    """

    instance: GpuInstance
    instances: int
    cpu_limit_s: float
    monthly_usd: float
    spent_usd: float


@dataclass(frozen=True, slots=True)
class Means:
    """What a stage has.

    Attributes:
        shard_bytes: of a file, uncompressed, that one shard holds, at most.
        max_concurrency: shards that are worked at a time.
        memory_mb: of the function that works them.
        usd_per_s: what a second of it costs.
        gpu: None where the stage has none.
    """

    shard_bytes: int
    max_concurrency: int
    memory_mb: int
    usd_per_s: float
    gpu: GpuMeans | None = None

    @property
    def models_bytes(self) -> int:
        """Memory that is there for models, in the function that works shards."""
        return (self.memory_mb - _BESIDE_MODELS_MB) << 20


def means_of(
    settings: SubmitSettings | IntakeSettings, *, usd_per_s: float, spent_usd: float
) -> Means:
    """Return what the stage has, by a function's settings.

    Args:
        settings: of `submit` or `intake`, which are told the same.
        usd_per_s: what a second of the function costs that works shards.
        spent_usd: what GPUs have cost this month; counts where the stage has some.
    """
    gpu = None
    if settings.gpu_instance_type:
        gpu = GpuMeans(
            gpu_instance(settings.gpu_instance_type),
            settings.gpu_max_instances,
            settings.gpu_cpu_limit_s,
            settings.gpu_monthly_usd,
            spent_usd,
        )
    return Means(
        settings.shard_bytes,
        settings.max_concurrency,
        settings.batch_memory_mb,
        usd_per_s,
        gpu,
    )
