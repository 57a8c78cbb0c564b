"""What can go wrong with work on GPUs, beside what can with any function and queue."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.aws.alarms import Alarms
from infra.aws.dashboard import NAMESPACE
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_door import HeavyDoor

# Of the month's budget, from where on somebody is told; at its end no job gets a GPU any more.
_TOLD_AT = 0.8


def watch_heavy(alarms: Alarms, heavy: HeavyDoor, *, failures: int) -> None:
    """Ring when SageMaker fails, an endpoint cannot be had, or GPUs near the month's budget.

    Endpoints come and go with versions, so alarms are on what our functions tell of them.

    Args:
        alarms: where the new ones go.
        heavy: what is watched.
        failures: bodies of shards that were not answered, in five minutes.
    """
    alarms.watch_clocked(heavy.provision, said="Endpoints do not follow the registry")
    alarms.add(
        "GpuFailures",
        _told_by(heavy.collect, "GpuFailures", statistic="Sum"),
        above=failures,
        said="SageMaker fails to answer shards, or lets them wait for too long.",
        page="gpu-failures",
    )
    alarms.add(
        "EndpointsFailed",
        _told_by(heavy.provision, "EndpointsFailed"),
        above=1,
        said="An endpoint that a version should have cannot be made.",
        page="endpoints-failed",
    )
    alarms.add(
        "EndpointsStuck",
        _told_by(heavy.provision, "EndpointsStuck"),
        above=1,
        said="An endpoint has been in the making for too long.",
        page="endpoints-stuck",
    )
    alarms.add(
        "EndpointsWithheld",
        _told_by(heavy.provision, "EndpointsWithheld"),
        above=1,
        said="Versions get no endpoint: the month's budget is spent, or there are too many.",
        page="endpoints-withheld",
    )
    alarms.add(
        "GpuBudget",
        _told_by(heavy.provision, "GpuSpentUsd"),
        above=_TOLD_AT * heavy.gpu.monthly_budget_usd,
        said="GPUs have cost four fifths of what they may in this month.",
        page="gpu-budget",
    )


def _told_by(
    function: HeadraceFunction, metric: str, *, statistic: str = "Maximum"
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric,
        dimensions_map={"function": function.source},
        statistic=statistic,
        period=Duration.minutes(5),
    )
