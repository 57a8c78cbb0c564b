"""Statistics of one metric, and of no other that has more dimensions.

What is relied on: `get_metric_statistics` chooses by `MetricDatumBase.filter`, and alone calls it
without the metrics that are already listed; `get_metric_data` gives values by query, None for a
statistic that moto cannot tell.
"""

from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase


def tell_metrics_apart_by_all_dimensions() -> None:
    """Let statistics of a metric be of exactly its dimensions, as in CloudWatch.

    moto counts every metric in that has these dimensions among others: a sum over a function
    would count again what is kept for each of its models.
    """
    chosen = MetricDatumBase.filter

    def exactly(
        datum: MetricDatumBase,
        namespace: str | None,
        name: str | None,
        dimensions: list[dict[str, str]],
        already_present_metrics: list[Any] | None = None,
    ) -> bool:
        if already_present_metrics is None and len(dimensions) != len(datum.dimensions):
            return False
        return chosen(datum, namespace, name, dimensions, already_present_metrics)

    MetricDatumBase.filter = exactly  # type: ignore[assignment,method-assign]


def let_unknown_statistics_have_no_values() -> None:
    """Let a query for a percentile, which moto does not know, have no values.

    It fails otherwise, and the other queries of its call with it.
    """
    answered = CloudWatchBackend.get_metric_data

    def known(backend: CloudWatchBackend, *asked: Any, **named: Any) -> list[dict[str, Any]]:
        results = answered(backend, *asked, **named)
        for result in results:
            pairs = zip(result["timestamps"], result["values"], strict=True)
            told = [(time, value) for time, value in pairs if value is not None]
            result["timestamps"] = [time for time, _ in told]
            result["values"] = [value for _, value in told]
        return results

    CloudWatchBackend.get_metric_data = known  # type: ignore[assignment,method-assign]
