"""Metrics read back from CloudWatch, which made them of the functions' log lines."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from headrace_runtime.monitoring.figures import TIMES, TOTALS, Series, wanted

_QUERIES = 500  # of one call of GetMetricData; CloudWatch takes no more
_MINUTE_S = 60

Dimensions = tuple[tuple[str, str], ...]


class Metrics:
    """Reads the metrics of one namespace.

    Args:
        cloudwatch: boto3's client.
    """

    def __init__(self, namespace: str, *, cloudwatch: Any) -> None:
        self._namespace = namespace
        self._cloudwatch = cloudwatch

    def read(self, since_s: int, now: datetime, *, model: str | None = None) -> dict[Series, float]:
        """Return the values of the last *since_s* seconds, rounded up to minutes.

        Args:
            since_s: 60 or more.
            now: the end of that time; metrics of the last minute or two may not be there yet.
            model: the one model of whose versions alone they are wanted.
        """
        period_s = -(-since_s // _MINUTE_S) * _MINUTE_S
        begin = now - timedelta(seconds=period_s)
        found: dict[Series, float] = {}
        series = [
            one
            for one in dict.fromkeys(self._there_is())
            if model in (None, dict(one.subject).get("model"))
        ]
        for start in range(0, len(series), _QUERIES):
            part = series[start : start + _QUERIES]
            found |= self._values(part, begin, now, period_s)
        return found

    def _there_is(self) -> Iterator[Series]:
        """Give all that is to be known of the metrics that exist, dimensions in their own order."""
        known = {*TOTALS.values(), *TIMES.values()}
        for page in self._cloudwatch.get_paginator("list_metrics").paginate(
            Namespace=self._namespace
        ):
            for metric in page["Metrics"]:
                named = {d["Name"]: d["Value"] for d in metric["Dimensions"]}
                order = ("function", "model", "version", "code")
                subject = tuple((name, named[name]) for name in order if name in named)
                if metric["MetricName"] in known:
                    yield from wanted(subject, metric["MetricName"])

    def _values(
        self, series: Sequence[Series], begin: datetime, end: datetime, period_s: int
    ) -> dict[Series, float]:
        queries = [
            {
                "Id": f"q{index}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": self._namespace,
                        "MetricName": one.metric,
                        "Dimensions": [{"Name": n, "Value": v} for n, v in one.subject],
                    },
                    "Period": period_s,
                    "Stat": one.statistic,
                },
            }
            for index, one in enumerate(series)
        ]
        found: dict[Series, list[float]] = {}
        for page in self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=begin, EndTime=end
        ):
            for result in page["MetricDataResults"]:
                found.setdefault(series[int(result["Id"][1:])], []).extend(result["Values"])
        # One period is the whole time, yet CloudWatch may round its ends to whole minutes.
        return {
            one: sum(values) if one.statistic == "Sum" else max(values)
            for one, values in found.items()
            if values
        }
