"""Acceleration: what whoever publishes a model chooses of GPUs, for good."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
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
        if self.accelerator is Accelerator.NEVER and (self.realtime or self.tensorrt):
            raise InvalidInput("accelerator never goes with neither realtime nor tensorrt")

    @property
    def demands_gpu(self) -> bool:
        """Whether something was chosen that a model without a GPU cannot have."""
        return self.accelerator is Accelerator.GPU or self.realtime or self.tensorrt

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

    @classmethod
    def of_mark(cls, mark: str) -> Self | None:
        """Return the choice with that mark; None where no choice has it."""
        names = mark.split("+")[1:]
        unsaid = Accelerator.AUTO
        accelerator = next((each for each in Accelerator if each in names), unsaid)
        try:
            made = cls(accelerator, "realtime" in names, "tensorrt" in names)
        except InvalidInput:
            return None
        return made if made.mark == mark else None

    def to_text(self) -> dict[str, str]:
        """Return what was chosen as the metadata of a dropped object; {} where nothing was."""
        switches = {"realtime": self.realtime, "tensorrt": self.tensorrt}
        text = {name: "true" for name, is_on in switches.items() if is_on}
        if self.accelerator is not Accelerator.AUTO:
            text["accelerator"] = str(self.accelerator)
        return text

    @classmethod
    def from_text(cls, metadata: Mapping[str, str]) -> Self:
        """Return the choice in an object's metadata; other metadata are others' business.

        Raises:
            InvalidInput: a value is none of those that are known.
        """
        accelerator = metadata.get("accelerator", Accelerator.AUTO)
        if accelerator not in list(Accelerator):
            known = ", ".join(Accelerator)
            raise InvalidInput(f"accelerator must be one of {known}, not {accelerator[:40]!a}")
        for name in ("realtime", "tensorrt"):
            if metadata.get(name, "true") not in ("true", "false"):
                raise InvalidInput(f"{name} must be true or false, not {metadata[name][:40]!a}")
        switches = (metadata.get(name) == "true" for name in ("realtime", "tensorrt"))
        return cls(Accelerator(accelerator), *switches)

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


def unknown_mark(metadata: Mapping[str, str]) -> str:
    """Return what tells metadata that `from_text` refuses from others; no choice has that mark."""
    values = [metadata.get(name) for name in ("accelerator", "realtime", "tensorrt")]
    return f"+unknown-{sha256(json.dumps(values).encode()).hexdigest()[:8]}"


UNCHOSEN = Acceleration()  # of whoever says nothing
