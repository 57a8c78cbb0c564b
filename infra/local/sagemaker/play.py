"""How SageMaker is played on this machine: what would take minutes, and what goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.sagemaker.faults import Faults

_CHECKS = {"load": True, "archive": False}


@dataclass(frozen=True, slots=True)
class Play:
    """The pace of instances and limits; the variables of the environment are HEADRACE_GPU_*.

    Attributes:
        wake_s: WAKE_S, from the wish for an instance until it begins to load the model, in seconds.
        idle_s: IDLE_S, without a request, after which an endpoint has its least count of instances.
        second_s: SECOND_S, how long a second of SageMaker's own limits lasts: a request's time to
            live, time-outs of invocations.
        loads_first: CHECK, `load` or `archive`: whether a new asynchronous endpoint loads its
            model before it is in service, as on AWS, or starts at no instance once its archive is
            seen, which costs nothing.
        faults: FAULTS, what goes wrong, as in `infra.local.sagemaker.faults`.
    """

    wake_s: float = 1.0
    idle_s: float = 60.0
    second_s: float = 1.0
    loads_first: bool = True
    faults: Faults = field(default_factory=Faults)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Play":
        """Read the variables; what is left out has its default.

        Raises:
            ValueError: a variable is none of what it may be; the argument says which.
        """
        given = {
            name.removeprefix("HEADRACE_GPU_"): value
            for name, value in environment.items()
            if name.startswith("HEADRACE_GPU_")
        }
        default = cls()
        check = given.get("CHECK", "load")
        if check not in _CHECKS:
            raise ValueError("HEADRACE_GPU_CHECK must be load or archive.")
        return cls(
            wake_s=_seconds(given, "WAKE_S", default.wake_s),
            idle_s=_seconds(given, "IDLE_S", default.idle_s),
            second_s=_seconds(given, "SECOND_S", default.second_s),
            loads_first=_CHECKS[check],
            faults=Faults.parse(given.get("FAULTS", "")),
        )


def _seconds(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(given.get(name, default))
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e6:
        raise ValueError(f"HEADRACE_GPU_{name} must be a number of seconds.")
    return value
