"""The metrics' route, through the handler, over metrics as functions' lines make them."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import orjson
import pytest
from moto.cloudwatch.models import CloudWatchBackend

from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.monitoring.invocation import Invocation, Watch
from infra.local.moto_internals.metric_statistics import let_unknown_statistics_have_no_values


def published(line: bytes) -> None:
    """Make a line's metrics, as CloudWatch does."""
    told = json.loads(line)
    at = datetime.fromtimestamp(told["_aws"]["Timestamp"] / 1000, UTC)
    for directive in told["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                value = told[metric["Name"]]
                boto3.client("cloudwatch").put_metric_data(
                    Namespace=directive["Namespace"],
                    MetricData=[
                        {
                            "MetricName": metric["Name"],
                            "Dimensions": [{"Name": n, "Value": told[n]} for n in names],
                            "Timestamp": at,
                            "Values": value if isinstance(value, list) else [value],
                        }
                    ],
                )


def happened(
    function: str, does: Callable[[Invocation], None], *, took_ms: float, minutes_ago: float = 5
) -> None:
    """Let a function have done something once."""
    times = iter([0, int(took_ms * 1e6)])
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    watch = Watch(
        function,
        {"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"},
        clock_ns=lambda: next(times),
        now_ms=lambda: int(at.timestamp() * 1000),
        write=published,
        to_json=orjson.dumps,
    )
    with watch.begin("lambda-1") as invocation:
        does(invocation)


def answered(model: str) -> Callable[[Invocation], None]:
    def does(invocation: Invocation) -> None:
        invocation.routed(model, 2)
        invocation.count("Requests")
        invocation.count("RowsIn", 3)

    return does


def refused(invocation: Invocation) -> None:
    invocation.count("Requests")
    invocation.refused("Errors", "MODEL_NOT_FOUND")


@pytest.fixture(autouse=True, scope="module")
def no_percentiles() -> Iterator[None]:
    """moto as the local cloud has it: what it does not know has no value."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CloudWatchBackend, "get_metric_data", CloudWatchBackend.get_metric_data)
        let_unknown_statistics_have_no_values()
        yield


@pytest.fixture
def two_hours(aws: None) -> None:
    """Two answers for `wine`, one for `iris`, one error; one more for `wine` long ago."""
    happened("predict", answered("wine"), took_ms=10)
    happened("predict", answered("wine"), took_ms=30)
    happened("predict", answered("iris"), took_ms=5)
    happened("predict", refused, took_ms=1)
    happened("predict", answered("wine"), took_ms=500, minutes_ago=90)


@pytest.fixture
def call(function, event, context) -> Callable[..., tuple[int, Any]]:
    """Ask with a query; give status and body."""

    def called(**query: str) -> tuple[int, Any]:
        asked = event("observe.metrics", queryStringParameters=query)
        answer = function("observe").lambda_handler(asked, context)
        return answer["statusCode"], json.loads(answer["body"])

    return called


def test_functions_and_versions_have_totals_and_latencies(two_hours, call):
    status, body = call(since_s="3600")

    assert status == 200
    (predict,) = body["functions"]
    assert (predict["requests"], predict["errors"], predict["rows_in"]) == (4, 1, 9)
    versions = {entry["model"]: entry for entry in body["versions"]}
    assert (versions["wine"]["version"], versions["wine"]["requests"]) == ("2", 2)
    assert versions["wine"]["latency_ms"]["average"] == 20
    assert versions["wine"]["latency_ms"]["maximum"] == 30
    assert versions["wine"]["latency_ms"]["p99"] is None  # CloudWatch tells it, moto does not
    assert versions["wine"]["estimated_cost_usd"] == pytest.approx(4.8332e-07)
    assert "errors" not in versions["wine"]


def test_errors_are_told_by_their_code(two_hours, call):
    _, body = call()

    assert body["codes"] == [{"function": "predict", "code": "MODEL_NOT_FOUND", "errors": 1}]


def test_a_longer_time_holds_what_was_before(two_hours, call):
    _, body = call(since_s="7200", model="wine")

    (wine,) = body["versions"]
    assert (wine["requests"], wine["latency_ms"]["maximum"]) == (3, 500)
    assert body["functions"] == []


def test_nothing_has_happened(call):
    status, body = call()

    assert (status, body["functions"], body["versions"], body["codes"]) == (200, [], [], [])


@pytest.mark.parametrize("since_s", ["59", "1209601", "1_000", "-60", "an hour", "²"])
def test_a_time_that_is_none_is_the_callers_mistake(since_s, call):
    status, body = call(since_s=since_s)

    assert (status, body["code"]) == (422, "UNFIT_INPUT")


@pytest.fixture
def only_wine(two_hours, event):
    """A caller who may call `wine`, and nothing else."""
    PolicyBook("access", dynamodb=boto3.client("dynamodb")).put(
        Policy("wine", ("key:drinker",), frozenset({Action.INFER}), ("wine",))
    )
    authorizer = {"lambda": {"principal": "key:drinker", "subjects": '["key:drinker"]'}}
    return {**event("observe.metrics")["requestContext"], "authorizer": authorizer}


def test_who_sees_one_model_sees_its_metrics_alone(only_wine, function, event, context):
    asked = event("observe.metrics", requestContext=only_wine)

    body = json.loads(function("observe").lambda_handler(asked, context)["body"])

    assert [version["model"] for version in body["versions"]] == ["wine"]
    assert (body["functions"], body["codes"]) == ([], [])


def test_the_metrics_of_a_model_that_one_may_not_see_are_those_of_none(
    only_wine, function, event, context
):
    asked = event(
        "observe.metrics", requestContext=only_wine, queryStringParameters={"model": "iris"}
    )

    answer = function("observe").lambda_handler(asked, context)

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "MODEL_NOT_FOUND")
