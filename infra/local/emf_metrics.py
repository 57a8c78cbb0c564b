"""Metrics that functions print in Embedded Metric Format, for CloudWatch's own calls."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

# CloudWatch's own limit of one call.
_MAX_METRICS = 1000
# What a line in the format has, so that others need not be parsed.
_MARK = '"_aws"'


@dataclass(frozen=True, slots=True)
class _Series:
    """What values belong together: one metric with its dimensions, within one second."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    second: int


@dataclass(slots=True)
class _Statistics:
    """A set of values, as CloudWatch takes it whole."""

    count: int = 0
    total: float = 0.0
    least: float = field(default=math.inf)
    most: float = field(default=-math.inf)

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)


class EmfMetrics:
    """Turns log lines into CloudWatch metrics, as CloudWatch Logs does on AWS.

    Values of one second become one statistic set: moto keeps each value that it is given for
    good, and knows no percentiles anyway.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._cloudwatch = session.client("cloudwatch")

    def send(self, lines: Iterable[str]) -> None:
        """Send the metrics of log lines; lines that are not in the format have none.

        Raises:
            BotoCoreError, ClientError: CloudWatch took not all of them.
        """
        for namespace, data in _by_namespace(_gathered(lines)).items():
            for start in range(0, len(data), _MAX_METRICS):
                self._cloudwatch.put_metric_data(
                    Namespace=namespace, MetricData=data[start : start + _MAX_METRICS]
                )


def _gathered(lines: Iterable[str]) -> dict[_Series, _Statistics]:
    gathered: dict[_Series, _Statistics] = {}
    for line in lines:
        if _MARK not in line:
            continue
        try:
            printed = json.loads(line)
            for series, values in list(_metrics(printed)):
                for value in values:
                    gathered.setdefault(series, _Statistics()).add(value)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # CloudWatch leaves it a log line too
    return gathered


def _metrics(printed: Mapping[str, Any]) -> Iterator[tuple[_Series, list[float]]]:
    second = int(printed["_aws"]["Timestamp"]) // 1000
    for directive in printed["_aws"]["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = tuple((name, str(printed[name])) for name in names)
            for metric in directive["Metrics"]:
                name, unit = metric["Name"], metric.get("Unit", "None")
                if name not in printed:
                    continue
                value = printed[name]
                values = value if isinstance(value, list) else [value]
                series = _Series(directive["Namespace"], name, unit, dimensions, second)
                yield series, [float(one) for one in values]


def _by_namespace(gathered: Mapping[_Series, _Statistics]) -> dict[str, list[dict[str, Any]]]:
    data: dict[str, list[dict[str, Any]]] = {}
    for series, values in gathered.items():
        data.setdefault(series.namespace, []).append(
            {
                "MetricName": series.name,
                "Unit": series.unit,
                "Timestamp": series.second,
                "Dimensions": [{"Name": name, "Value": text} for name, text in series.dimensions],
                "StatisticValues": {
                    "SampleCount": values.count,
                    "Sum": values.total,
                    "Minimum": values.least,
                    "Maximum": values.most,
                },
            }
        )
    return data
