"""Where a job runs, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from headrace_runtime.batch.estimate import Estimate, by_transform, shards_of
from headrace_runtime.batch.means import GpuMeans
from headrace_runtime.batch.placement_rules import Case, barred, verdict

Fact = str | int | float

# One batch transform job is better than so much in an endpoint's queue, which keeps nothing for
# longer than six hours, and answers each body by a notice.
_MAX_TENSOR_BYTES, _MAX_SHARDS = 10 * 10**9, 200


class Engine(StrEnum):
    """What answers the records of a job."""

    LAMBDA = "lambda"  # one shard, one function
    LAMBDA_SHARDS = "lambda-shards"
    ASYNC = "sagemaker-async"  # an endpoint that sleeps until there is work
    TRANSFORM = "sagemaker-transform"  # one batch transform job, for what is huge

    @property
    def on_gpu(self) -> bool:
        """Whether it is SageMaker's."""
        return self in (Engine.ASYNC, Engine.TRANSFORM)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a job runs, and why.

    Attributes:
        reason: one sentence, with the figures that decided.
        may_use_gpu: whether it could have gone, or may go yet, to a GPU: the version may, the
            stage has one and its budget lasted as the job was made.
        gpu_row_ms: of one record on the stage's GPU, reckoned; 0 where there is none.
        inputs: all that was known as it was decided: names and values, in order.
        fell_back: one sentence on what of it went back to Lambda first, and why; "" if nothing.
        shard_rows: records that one shard holds, at most; 0 where its bytes alone count.
    """

    engine: Engine
    reason: str
    may_use_gpu: bool = False
    gpu_row_ms: float = 0.0
    inputs: tuple[tuple[str, Fact], ...] = ()
    fell_back: str = ""
    shard_rows: int = 0

    def rerouted(self, reason: str) -> Self:
        """Return the placement of a job that goes on at the async endpoint, with the new reason."""
        return replace(self, engine=Engine.ASYNC, reason=reason, shard_rows=0)

    def fallen_back(self, why: str) -> Self:
        """Return the placement of a job of which something went back; the first reason counts."""
        return self if self.fell_back else replace(self, fell_back=why)

    def to_dict(self) -> dict[str, Any]:
        """Return the placement as plain JSON values."""
        return {
            "engine": str(self.engine),
            "reason": self.reason,
            "may_use_gpu": self.may_use_gpu,
            "gpu_row_ms": self.gpu_row_ms,
            "inputs": dict(self.inputs),
            "fell_back": self.fell_back,
            "shard_rows": self.shard_rows,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote; members that are not known are left out."""
        return cls(
            Engine(plain["engine"]),
            plain["reason"],
            plain["may_use_gpu"],
            plain["gpu_row_ms"],
            tuple(plain["inputs"].items()),
            plain.get("fell_back", ""),
            plain.get("shard_rows", 0),
        )


def place(case: Case) -> Placement:
    """Return where a job runs: on Lambda, unless a GPU is asked for, needed, faster or cheaper."""
    on_gpu, reason = verdict(case)
    gpu = case.means.gpu
    row_ms = case.manifest.profile.ms_per_row
    return Placement(
        _on_sagemaker(case) if on_gpu else _on_lambda(case),
        reason,
        may_use_gpu=not barred(case),
        gpu_row_ms=0.0 if gpu is None else row_ms / gpu.instance.speed,
        inputs=tuple(_facts(case).items()),
        shard_rows=0 if on_gpu else case.lambda_shard_rows,
    )


def considered(case: Case) -> dict[Engine, Estimate]:
    """Return what a job takes on each engine that it may run on, Lambda first."""
    estimates = {_on_lambda(case): case.on_lambda()}
    gpu = case.means.gpu
    if gpu is not None and not barred(case):
        engine = _on_sagemaker(case)
        estimates[engine] = case.on_gpu(gpu) if engine is Engine.ASYNC else _transform(case, gpu)
    return estimates


def _on_lambda(case: Case) -> Engine:
    return Engine.LAMBDA if case.on_lambda().shards == 1 else Engine.LAMBDA_SHARDS


def _on_sagemaker(case: Case) -> Engine:
    huge = case.extent.tensor_bytes > _MAX_TENSOR_BYTES
    huge = huge or shards_of(case.extent, case.means.shard_bytes) > _MAX_SHARDS
    gpu = case.means.gpu
    takes = gpu is not None and gpu.instance.family.transforms
    return Engine.TRANSFORM if huge and takes else Engine.ASYNC


def _transform(case: Case, gpu: GpuMeans) -> Estimate:
    return by_transform(
        case.extent, case.manifest.profile, case.means, gpu, rows_at_once=case.rows_at_once
    )


def _facts(case: Case) -> dict[str, Fact]:
    """Return all that a placement is decided by."""
    extent, manifest, means = case.extent, case.manifest, case.means
    here = case.on_lambda()
    facts: dict[str, Fact] = {
        "rows": extent.rows,
        "rows_are": "exact" if extent.exact else "estimated",
        "size_bytes": extent.size_bytes,
        "tensor_bytes": extent.tensor_bytes,
        "format": str(extent.file_format),
        "accelerator": str(manifest.acceleration.accelerator),
        "model_bytes": manifest.size_bytes,
        "peak_memory_bytes": manifest.profile.peak_memory_bytes,
        "load_ms": manifest.profile.load_ms,
        "row_ms": manifest.profile.ms_per_row,
        "model_s": round(case.model_s, 1),
        "shards": here.shards,
        "max_concurrency": means.max_concurrency,
        "memory_mb": means.memory_mb,
        "lambda_s": here.seconds,
        "lambda_usd": round(here.cost_usd, 6),
    }
    if case.deadline_s is not None:
        facts["deadline_s"] = case.deadline_s
    return facts | (_gpu_facts(case, means.gpu) if means.gpu is not None else {})


def _gpu_facts(case: Case, gpu: GpuMeans) -> dict[str, Fact]:
    there = case.on_gpu(gpu)
    return {
        "rows_at_once": case.rows_at_once,
        "gpu_instance": gpu.instance.name,
        "gpu_instances": gpu.instances,
        "gpu_speed": gpu.instance.speed,
        "gpu_usd_per_hour": gpu.instance.usd_per_hour,
        "gpu_priced": gpu.instance.priced,
        "gpu_cpu_limit_s": gpu.cpu_limit_s,
        "gpu_monthly_usd": gpu.monthly_usd,
        "gpu_spent_usd": round(gpu.spent_usd, 2),
        "gpu_s": there.seconds,
        "gpu_usd": round(there.cost_usd, 6),
    }
