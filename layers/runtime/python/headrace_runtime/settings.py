"""What each function reads from its environment: written by CDK, read back by the handler."""

from collections.abc import Mapping
from typing import Self, dataclass_transform

Value = str | int | float


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Settings:
    """Values that travel as environment variables, `models_bucket` as HEADRACE_MODELS_BUCKET.

    To a type checker these are frozen dataclasses. Making ten of them would take a third of
    the time in which `authorise` starts, so this class does the little that is needed.
    """

    def __init__(self, **values: Value) -> None:
        if values.keys() != self._kinds().keys():
            raise TypeError(f"{type(self).__name__} takes {', '.join(self._kinds())}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of settings cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings back.

        Raises:
            KeyError: a variable is missing; its name is the argument.
            ValueError: a number is not one.
        """
        return cls(**{name: kind(environ[_variable(name)]) for name, kind in cls._kinds().items()})

    def to_env(self) -> dict[str, str]:
        """Return the environment variables that `from_env` reads."""
        return {_variable(name): str(value) for name, value in self.__dict__.items()}

    @classmethod
    def _kinds(cls) -> Mapping[str, type[Value]]:
        return cls.__annotations__


def _variable(name: str) -> str:
    return f"HEADRACE_{name.upper()}"


class PredictSettings(Settings):
    """What `predict` needs to answer.

    Attributes:
        alias_ttl_s: for how long an alias that was read is believed, in seconds.
        models_memory_mb: memory that loaded models may take together.
        threads: threads of one run; the vCPUs that the function really owns (1 a 1,769 MB).
        policies_ttl_s: for how long policies that were read are believed, in seconds.
        warm_models: what a snapshot holds: `digits,spam@3`; read only where Lambda takes one.
        auth: who says who calls: `keys` (the function `authorise`) or `iam` (API Gateway itself).
        gpu: 1 where the stage has GPUs; 0 where every version is answered here, whatever it asks.
    """

    models_bucket: str
    registry_table: str
    alias_ttl_s: float
    models_memory_mb: int
    threads: int
    access_table: str
    policies_ttl_s: float
    auth: str
    warm_models: str
    gpu: int


class ManageSettings(Settings):
    """What `manage` needs.

    Attributes:
        max_model_bytes: the largest model that a presigned upload takes.
        policies_ttl_s, auth: as for `PredictSettings`.
    """

    models_bucket: str
    registry_table: str
    max_model_bytes: int
    access_table: str
    policies_ttl_s: float
    auth: str


class SubmitSettings(Settings):
    """What `submit` needs to take files in and to tell of their jobs.

    Attributes:
        shard_bytes, max_concurrency, batch_memory_mb: what `intake` and `batch` work with, by
            which a job is planned beforehand.
        collect_queue_url: where a job on GPUs is ended early; empty where the stage has none.
        gpu_instance_type, gpu_max_instances, gpu_cpu_limit_s, gpu_monthly_usd: as for `intake`.
        policies_ttl_s, auth: as for `PredictSettings`.
    """

    inbox_bucket: str
    results_bucket: str
    registry_table: str
    jobs_table: str
    shards_queue_url: str
    parquet_queue_url: str
    collect_queue_url: str
    shard_bytes: int
    max_concurrency: int
    batch_memory_mb: int
    gpu_instance_type: str
    gpu_max_instances: int
    gpu_cpu_limit_s: float
    gpu_monthly_usd: float
    access_table: str
    policies_ttl_s: float
    auth: str


class RedriveSettings(Settings):
    """What `redrive` needs to send dead letters back.

    Attributes:
        queues: `<name>=<URL>,<URL of its dead letters>` for each queue, joined by spaces.
        policies_ttl_s, auth: as for `PredictSettings`.
    """

    queues: str
    access_table: str
    policies_ttl_s: float
    auth: str


class AuthoriseSettings(Settings):
    """What `authorise` needs to tell who calls.

    Attributes:
        jwt_issuer: URL of whom tokens are believed, exactly as their `iss` spells it; empty where
            only API keys are.
        jwt_audience: what a token's `aud` must name.
    """

    access_table: str
    jwt_issuer: str
    jwt_audience: str


class GrantSettings(Settings):
    """What `grant` needs; `auth` is as for `PredictSettings`."""

    access_table: str
    auth: str


class ObserveSettings(Settings):
    """What `observe` needs; both of the last are as for `PredictSettings`."""

    access_table: str
    policies_ttl_s: float
    auth: str
