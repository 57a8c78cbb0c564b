"""One page that tells how the service is."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import Stack as Cloud
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction
from infra.aws.work_queue import WorkQueue

# What the functions themselves tell, by model and version and by function.
NAMESPACE = "Headrace"
_PERIOD = Duration.minutes(5)
# By model and version: title, then metrics with their statistic.
_BY_MODEL = (
    ("Requests by model", ("Requests", "Sum")),
    ("Errors by model", ("Errors", "Sum")),
    ("Decoding, slowest of 100, ms", ("DecodeMs", "p99")),
    ("Inference, slowest of 100, ms", ("InferMs", "p99")),
    ("Encoding, slowest of 100, ms", ("EncodeMs", "p99")),
    ("Rows answered", ("RowsOk", "Sum")),
    ("Rows that failed", ("RowsFailed", "Sum")),
    ("Cold starts by model", ("ColdStart", "Sum")),
)
_BY_FUNCTION = (
    ("Cold starts by function", ("ColdStart", "Sum")),
    ("Waited in a queue, longest, ms", ("QueueAgeMs", "Maximum")),
    ("Estimated cost, USD", ("EstimatedCostUsd", "Sum")),
)

# Of work on GPUs, by function: title, then metrics with their statistic.
_OF_GPUS = (
    ("Bodies given to SageMaker", ("GpuBodies", "Sum")),
    ("Bodies that SageMaker failed to answer", ("GpuFailures", "Sum")),
    ("Shards that went back to Lambda", ("GpuFallbacks", "Sum")),
    ("GPUs this month, USD", ("GpuSpentUsd", "Maximum")),
)
# What SageMaker tells of endpoints: title, namespace with dimensions, metric, statistic.
_BY_ENDPOINT = (
    ("Bodies that wait", "AWS/SageMaker,EndpointName", "ApproximateBacklogSize", "Maximum"),
    (
        "Instances busy, %",
        "/aws/sagemaker/Endpoints,EndpointName,VariantName",
        "GPUUtilization",
        "Average",
    ),
)


class HeadraceDashboard(Construct):
    """Requests, errors, latency, cold starts, queues, jobs, GPUs and cost.

    Args:
        gpu_of: the stage's name, where it has GPUs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.HttpApi,
        functions: Sequence[HeadraceFunction],
        queues: Mapping[str, WorkQueue],
        gpu_of: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=Cloud.of(self).stack_name,
            default_interval=Duration.hours(3),
        )
        dashboard.add_widgets(
            _graph("Calls", api.metric_count(period=_PERIOD, statistic="Sum")),
            _graph(
                "Answers 4xx and 5xx",
                api.metric_client_error(period=_PERIOD, statistic="Sum"),
                api.metric_server_error(period=_PERIOD, statistic="Sum"),
            ),
            _graph("Latency, slowest of 100, ms", api.metric_latency(statistic="p99")),
        )
        dashboard.add_widgets(
            _graph("Errors of functions", *(f.function.metric_errors() for f in functions)),
            _graph("Refused calls", *(f.function.metric_throttles() for f in functions)),
            _graph(
                "Duration, slowest of 100, ms",
                *(f.function.metric_duration(statistic="p99") for f in functions),
            ),
        )
        dashboard.add_widgets(
            *(_told("function,model,version", title, *m) for title, m in _BY_MODEL)
        )
        dashboard.add_widgets(*(_told("function", title, *m) for title, m in _BY_FUNCTION))
        if gpu_of is not None:
            dashboard.add_widgets(*(_of_endpoints(gpu_of, *told) for told in _BY_ENDPOINT))
            dashboard.add_widgets(*(_told("function", title, *m) for title, m in _OF_GPUS))
        dashboard.add_widgets(
            _graph(
                "Messages that wait",
                *(q.queue.metric_approximate_number_of_messages_visible() for q in queues.values()),
            ),
            _graph(
                "The oldest of them, s",
                *(q.queue.metric_approximate_age_of_oldest_message() for q in queues.values()),
            ),
            _graph(
                "Dead letters",
                *(
                    q.dead_letters.metric_approximate_number_of_messages_visible()
                    for q in queues.values()
                ),
            ),
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)


def _told(dimensions: str, title: str, metric: str, statistic: str) -> cloudwatch.GraphWidget:
    """Graph a metric of ours for every value of *dimensions* that there is."""
    schema = f"{{{NAMESPACE},{dimensions}}}"
    search = cloudwatch.SearchExpression(
        expression=f"SEARCH('{schema} MetricName=\"{metric}\"', '{statistic}', 300)"
    )
    return _graph(title, search)


def _of_endpoints(
    stage: str, title: str, schema: str, metric: str, statistic: str
) -> cloudwatch.GraphWidget:
    """Graph a metric of SageMaker's for every endpoint of *stage* that there is."""
    # Names are searched word by word: `hr-dev-digits-3-0a1b2c3d` has hr and dev among its own.
    found = f'{{{schema}}} MetricName="{metric}" hr {stage}'
    search = cloudwatch.SearchExpression(expression=f"SEARCH('{found}', '{statistic}', 300)")
    return _graph(title, search)
