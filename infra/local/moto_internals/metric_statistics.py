"""Statistics of one metric, and of no other that has more dimensions.

What is relied on: `get_metric_statistics` chooses by `MetricDatumBase.filter`, and alone calls it
without the metrics that are already listed.
"""

from typing import Any

from moto.cloudwatch.models import MetricDatumBase


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
