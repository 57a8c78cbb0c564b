"""What metrics say of a stretch of time: totals, latencies and cost, by function and by version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The metrics that are totals, by the name that callers see.
TOTALS = {
    "requests": "Requests",
    "errors": "Errors",
    "faults": "Faults",
    "cold_starts": "ColdStart",
    "rows_in": "RowsIn",
    "rows_ok": "RowsOk",
    "rows_failed": "RowsFailed",
    "bytes_in": "BytesIn",
    "bytes_out": "BytesOut",
    "accepted": "Accepted",
    "refused": "Refused",
    "jobs_queued": "JobsQueued",
    "jobs_succeeded": "JobsSucceeded",
    "jobs_partial": "JobsPartial",
    "jobs_failed": "JobsFailed",
    "estimated_cost_usd": "EstimatedCostUsd",
}
# Those that are times in milliseconds.
TIMES = {
    "latency_ms": "LatencyMs",
    "route_ms": "RouteMs",
    "decode_ms": "DecodeMs",
    "infer_ms": "InferMs",
    "encode_ms": "EncodeMs",
    "queue_age_ms": "QueueAgeMs",
}
SHARES = {"average": "Average", "maximum": "Maximum", "p50": "p50", "p99": "p99"}


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one subject, in one statistic.

    Attributes:
        subject: the metric's dimensions: name and value of each, in order.
        metric: its name.
        statistic: as CloudWatch spells it: `Sum`, `Average`, `Maximum`, `p99`.
    """

    subject: tuple[tuple[str, str], ...]
    metric: str
    statistic: str


def wanted(subject: tuple[tuple[str, str], ...], metric: str) -> list[Series]:
    """Return what is to be known of one metric: its sum, or how its times are spread."""
    statistics = SHARES.values() if metric in TIMES.values() else ("Sum",)
    return [Series(subject, metric, statistic) for statistic in statistics]


def described(values: Mapping[Series, float]) -> list[dict[str, Any]]:
    """Return, for each subject, its dimensions and its figures by the names that callers see.

    What has no value is left out; a time of which only some statistics are known has null for the
    others.
    """
    subjects = dict.fromkeys(series.subject for series in values)
    return [{**dict(subject), **_figures(subject, values)} for subject in subjects]


def _figures(
    subject: tuple[tuple[str, str], ...], values: Mapping[Series, float]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, metric in TOTALS.items():
        value = values.get(Series(subject, metric, "Sum"))
        if value is not None:
            found[name] = value if metric == "EstimatedCostUsd" else int(value)
    for name, metric in TIMES.items():
        times = {
            share: values.get(Series(subject, metric, statistic))
            for share, statistic in SHARES.items()
        }
        if times["maximum"] is not None:
            found[name] = times
    return found
