"""How the service fared, as frozen values: figures of functions, of versions, and by code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

if TYPE_CHECKING:
    from headrace.connection import Connection

_SUBJECT = ("function", "model", "version", "code")


@dataclass(frozen=True, slots=True)
class Spread:
    """How times, in milliseconds, were spread; None where CloudWatch did not say.

    Attributes:
        p50, p99: half, and all but one of a hundred, were no longer.
    """

    average: float | None
    maximum: float | None
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one function, of one version, or of what ended with one code.

    Attributes:
        function: `predict`, `batch` and so on.
        model, version: None for a function's own figures.
        code: an error's code or a refusal's rule; None for all others.
        totals: `requests`, `errors`, `rows_in`, `estimated_cost_usd` and so on; what did not
            happen is left out.
        times: `latency_ms`, `infer_ms`, `queue_age_ms` and so on.
    """

    function: str
    model: str | None
    version: str | None
    code: str | None
    totals: Mapping[str, float]
    times: Mapping[str, Spread]

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read one of the entries that `GET /metrics` gives."""
        rest = {name: value for name, value in plain.items() if name not in _SUBJECT}
        return cls(
            function=plain["function"],
            model=plain.get("model"),
            version=plain.get("version"),
            code=plain.get("code"),
            totals={n: v for n, v in rest.items() if not isinstance(v, Mapping)},
            times={n: Spread(**v) for n, v in rest.items() if isinstance(v, Mapping)},
        )


@dataclass(frozen=True, slots=True)
class Metrics:
    """How the service fared for a while; only what the caller may see.

    Attributes:
        since, until: ISO 8601, UTC. The last minute or two may not be in it yet.
    """

    since: str
    until: str
    functions: tuple[Figures, ...]
    versions: tuple[Figures, ...]
    codes: tuple[Figures, ...]

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `GET /metrics` answers."""
        functions, versions, codes = (
            tuple(Figures.from_json(entry) for entry in plain[part])
            for part in ("functions", "versions", "codes")
        )
        return cls(plain["since"], plain["until"], functions, versions, codes)


def metrics(connection: "Connection", model: str | None, since_s: int) -> Metrics:
    """Return the figures of the last *since_s* seconds, of one model or of all."""
    query = {"since_s": str(since_s), **({} if model is None else {"model": model})}
    return Metrics.from_json(connection.get(f"/metrics?{urlencode(query)}"))
