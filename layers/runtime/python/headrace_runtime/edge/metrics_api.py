"""The metrics' route: of what time and which model a caller asks, and what they may see of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headrace_runtime.edge.http_api import Answer, Request, json_answer
from headrace_runtime.errors import UnfitInput
from headrace_runtime.model.names import model_name
from headrace_runtime.monitoring.figures import Series, described

_LEAST_S, _MOST_S = 60, 14 * 24 * 3600  # CloudWatch keeps single minutes for 15 days


@dataclass(frozen=True, slots=True)
class MetricsAsked:
    """What a caller wants to know.

    Attributes:
        since_s: seconds before now, 60 to 1,209,600 (14 days).
        model: the one model, or None for all.
    """

    since_s: int
    model: str | None


def metrics_asked(request: Request) -> MetricsAsked:
    """Return what `?model=&since_s=` asks for: of all models, and the last hour, if not said.

    Raises:
        InvalidName: the model's is none.
        UnfitInput: `since_s` is no whole number of 60 to 1,209,600.
    """
    text, model = request.query.get("since_s", "3600"), request.query.get("model")
    since_s = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not _LEAST_S <= since_s <= _MOST_S:
        raise UnfitInput(f"since_s must be a whole number of {_LEAST_S} to {_MOST_S} seconds")
    return MetricsAsked(since_s, None if model is None else model_name(model))


def visible(
    values: Mapping[Series, float], *, sees: Callable[[str], bool], everything: bool
) -> dict[Series, float]:
    """Return the values that a caller may see: of models that they see, and of whole functions.

    Args:
        values: all of them.
        sees: whether the caller may see a model.
        everything: whether the caller may see the totals over all models.
    """

    def shown(series: Series) -> bool:
        model = dict(series.subject).get("model")
        return everything if model is None else sees(model)

    return {series: value for series, value in values.items() if shown(series)}


def metrics_answer(asked: MetricsAsked, values: Mapping[Series, float], now: datetime) -> Answer:
    """Answer with the figures of functions, of versions, and of errors by code."""
    figures = described(values)
    return json_answer(
        {
            "since": (now - timedelta(seconds=asked.since_s)).astimezone(UTC).isoformat(),
            "until": now.astimezone(UTC).isoformat(),
            "functions": [f for f in figures if "model" not in f and "code" not in f],
            "versions": [f for f in figures if "model" in f and "code" not in f],
            "codes": [f for f in figures if "code" in f],
        }
    )
