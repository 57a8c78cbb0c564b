"""Where a job runs, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

Fact = str | int | float


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
    """

    engine: Engine
    reason: str
    may_use_gpu: bool = False
    gpu_row_ms: float = 0.0
    inputs: tuple[tuple[str, Fact], ...] = ()

    def rerouted(self, reason: str) -> Self:
        """Return the placement of a job that goes on at the async endpoint, with the new reason."""
        return replace(self, engine=Engine.ASYNC, reason=reason)

    def to_dict(self) -> dict[str, Any]:
        """Return the placement as plain JSON values."""
        return {
            "engine": str(self.engine),
            "reason": self.reason,
            "may_use_gpu": self.may_use_gpu,
            "gpu_row_ms": self.gpu_row_ms,
            "inputs": dict(self.inputs),
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
        )
