"""What the service tells of models, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from headrace_runtime.tensor import Datatype

Accelerator = Literal["auto", "gpu", "never"]


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What one input or output of a model looks like.

    Attributes:
        shape: lengths of the dimensions, -1 for any length, () for a scalar.
        labels: the classes that a classifier's columns stand for; empty for all others.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read a tensor's metadata as the Open Inference Protocol writes it."""
        labels = plain.get("parameters", {}).get("labels", ())
        return cls(plain["name"], Datatype(plain["datatype"]), tuple(plain["shape"]), tuple(labels))


@dataclass(frozen=True, slots=True)
class Acceleration:
    """What a version's publisher chose of GPUs.

    Attributes:
        accelerator: `gpu` and `never` run it on GPUs alone and on CPUs alone; with `auto` each job
            runs where it costs less.
        realtime: whether calls for a prediction are answered by GPUs, too.
        tensorrt: whether TensorRT compiles the model.
    """

    accelerator: Accelerator = "auto"
    realtime: bool = False
    tensorrt: bool = False

    @property
    def json(self) -> dict[str, Any]:
        """What differs from the default, as the service takes it."""
        chosen = {"realtime": self.realtime, "tensorrt": self.tensorrt}
        accelerator = {} if self.accelerator == "auto" else {"accelerator": self.accelerator}
        return accelerator | {name: True for name, is_on in chosen.items() if is_on}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read it as the service writes it."""
        return cls(plain["accelerator"], plain["realtime"], plain["tensorrt"])


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model, which never changes.

    Attributes:
        digest: sha256 of the file that was published, hex.
        origin: where that file was dropped.
        registered_at: ISO 8601, UTC.
        acceleration: what was chosen as it was published.
        unfit_for_gpu: why no GPU can run it, None where one can.
        rows_at_once: records of a request to a GPU at most; None where it may use none.
    """

    model: str
    version: int
    digest: str
    size_bytes: int
    origin: str
    registered_at: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    acceleration: Acceleration
    unfit_for_gpu: str | None
    rows_at_once: int | None

    @classmethod
    def from_json(cls, model: str, plain: Mapping[str, Any]) -> Self:
        """Read one of the versions that `GET /models/{model}` lists."""
        inputs, outputs = (
            tuple(TensorInfo.from_json(tensor) for tensor in plain["signature"][side])
            for side in ("inputs", "outputs")
        )
        facts = (
            *("version", "digest", "size_bytes", "origin", "registered_at"),
            *("unfit_for_gpu", "rows_at_once"),
        )
        return cls(
            model=model,
            inputs=inputs,
            outputs=outputs,
            acceleration=Acceleration.from_json(plain["acceleration"]),
            **{fact: plain[fact] for fact in facts},
        )


@dataclass(frozen=True, slots=True)
class Canary:
    """A version on trial and its weight: the share of requests it serves, in (0, 1]."""

    version: int
    weight: float


@dataclass(frozen=True, slots=True)
class Alias:
    """Where a movable name of a model points.

    Attributes:
        version: serves every request that the canary does not.
        revision: how often the alias was written; name it in a move to replace just that one.
        canary: the version on trial, or None.
    """

    model: str
    name: str
    version: int
    revision: int
    canary: Canary | None

    @classmethod
    def from_json(cls, model: str, plain: Mapping[str, Any]) -> Self:
        """Read an alias as every route of the service writes it."""
        canary = plain.get("canary")
        trial = Canary(canary["version"], canary["weight"]) if canary else None
        return cls(model, plain["name"], plain["version"], plain["revision"], trial)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that did not become a version.

    Attributes:
        digest: sha256 of the file, hex.
        rule: the stable name of the rule that it breaks.
        error: what is wrong and what to change.
        acceleration: what was chosen with it; None where that was no choice.
    """

    digest: str
    rule: str
    error: str
    origin: str
    refused_at: str
    acceleration: Acceleration | None

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read one of the refusals that `GET /models/{model}` lists."""
        facts = ("digest", "rule", "error", "origin", "refused_at")
        chosen = plain["acceleration"]
        acceleration = None if chosen is None else Acceleration.from_json(chosen)
        return cls(**{fact: plain[fact] for fact in facts}, acceleration=acceleration)


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model's name and its highest version, 0 where none was accepted so far."""

    name: str
    latest: int


@dataclass(frozen=True, slots=True)
class Model:
    """All that the registry knows of a model: versions oldest first, aliases by name."""

    name: str
    latest: int
    versions: tuple[Version, ...]
    aliases: tuple[Alias, ...]
    refusals: tuple[Refusal, ...]

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read the answer of `GET /models/{model}`."""
        name = plain["name"]
        return cls(
            name,
            plain["latest"],
            tuple(Version.from_json(name, version) for version in plain["versions"]),
            tuple(Alias.from_json(name, alias) for alias in plain["aliases"]),
            tuple(Refusal.from_json(refusal) for refusal in plain["refusals"]),
        )
