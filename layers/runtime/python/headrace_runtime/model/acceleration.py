"""Acceleration: what whoever publishes a model chooses of GPUs, for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from headrace_runtime.errors import InvalidInput


class Accelerator(StrEnum):
    """Where a version may run."""

    AUTO = "auto"  # on the CPU, and on a GPU where a job is large enough to be worth it
    GPU = "gpu"  # on a GPU always
    NEVER = "never"  # on the CPU always


@dataclass(frozen=True, slots=True)
class Acceleration:
    """A version's choice of accelerator.

    Attributes:
        realtime: whether calls for a prediction are answered by an endpoint with GPUs, too, which
            costs money while nobody calls.
        tensorrt: whether TensorRT compiles the graph, which takes minutes when an instance
            starts.
    """

    accelerator: Accelerator = Accelerator.AUTO
    realtime: bool = False
    tensorrt: bool = False

    def __post_init__(self) -> None:
        if self.accelerator is Accelerator.NEVER and self.mark != "+never":
            raise InvalidInput("accelerator never goes neither with realtime nor with tensorrt")

    @property
    def mark(self) -> str:
        """What tells this choice from others in a version's identity: "", or `+gpu+realtime`.

        The same bytes with another choice are another version.
        """
        chosen = {
            self.accelerator: self.accelerator is not Accelerator.AUTO,
            "realtime": self.realtime,
            "tensorrt": self.tensorrt,
        }
        return "".join(f"+{name}" for name, is_so in chosen.items() if is_so)

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as plain JSON values."""
        return {
            "accelerator": str(self.accelerator),
            "realtime": self.realtime,
            "tensorrt": self.tensorrt,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote; without members it is the default."""
        accelerator = Accelerator(plain.get("accelerator", Accelerator.AUTO))
        return cls(accelerator, plain.get("realtime", False), plain.get("tensorrt", False))


UNCHOSEN = Acceleration()  # of whoever says nothing
