"""Where jobs run, as the service tells it, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Engine = Literal["lambda", "lambda-shards", "sagemaker-async", "sagemaker-transform"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a job runs, and why.

    Attributes:
        engine: `lambda` of one shard, `lambda-shards` side by side, `sagemaker-async` or
            `sagemaker-transform` on GPUs.
        reason: one sentence, with the figures that decided.
        inputs: all that was known as it was decided, by name.
    """

    engine: Engine
    reason: str
    inputs: Mapping[str, str | int | float]

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read the placement of a job as every route of the service writes it."""
        return cls(plain["engine"], plain["reason"], plain["inputs"])


@dataclass(frozen=True, slots=True)
class Considered:
    """What a job would take in one of the places where it might run."""

    placement: Engine
    seconds: float
    estimated_cost_usd: float

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read one of `considered` of a plan."""
        return cls(plain["placement"], plain["seconds"], plain["estimated_cost_usd"])
