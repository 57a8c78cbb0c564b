"""Which version answers."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.registration import Registration
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.routing import Routing
from headrace_runtime.errors import (
    AliasNotFound,
    ModelNotFound,
    ModelRefused,
    NoVersionAccepted,
    Unavailable,
    VersionNotFound,
)
from headrace_runtime.model.alias import Canary
from headrace_runtime.model.endpoint import Endpoint, Endpoints, EndpointState
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models

Publish = Callable[..., Manifest]


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Table:
    """DynamoDB that can be cut off, and counts what is read."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")
        self.cut_off = False
        self.reads = 0

    def get_item(self, **request: Any) -> Any:
        if self.cut_off:
            raise Unavailable("cut off")
        self.reads += 1
        return self.client.get_item(**request)

    def query(self, **request: Any) -> Any:
        return self.client.query(**request)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(aws: None) -> Table:
    return Table()


@pytest.fixture
def routing(table: Table, clock: Clock) -> Routing:
    return Routing(Registry("registry", dynamodb=table), alias_ttl_s=5.0, clock=clock)


@pytest.fixture
def two_versions(publish: Publish, registration: Registration) -> Registration:
    """`wine` with versions 1 and 2, `live` at 1."""
    publish("wine", onnx_models.linear(4), onnx_models.linear_signature(4))
    publish("wine", onnx_models.linear(5), onnx_models.linear_signature(5))
    return registration


def test_an_alias_is_read_again_only_when_its_time_is_over(
    two_versions: Registration, routing: Routing, clock: Clock
) -> None:
    assert routing.manifest("wine", "live", draw=0.5).version == 1
    live = two_versions.alias("wine", "live")
    two_versions.move("wine", live, live.moved(2))

    clock.now += 4.9
    assert routing.manifest("wine", "live", draw=0.5).version == 1
    clock.now += 0.2
    assert routing.manifest("wine", "live", draw=0.5).version == 2


def test_a_version_is_read_once(
    two_versions: Registration, routing: Routing, table: Table, clock: Clock
) -> None:
    routing.manifest("wine", 2, draw=0.5)
    clock.now += 1e9

    routing.manifest("wine", 2, draw=0.5)

    assert table.reads == 1


def test_a_canary_takes_its_share(two_versions: Registration, routing: Routing) -> None:
    live = two_versions.alias("wine", "live")
    two_versions.move("wine", live, live.moved(1, Canary(2, 0.1)))

    served = [routing.manifest("wine", "live", draw=d).version for d in (0.0, 0.0999, 0.1, 0.9)]

    assert served == [2, 2, 1, 1]


def test_a_canary_of_everything_never_shows_where_nothing_is_drawn(
    two_versions: Registration, routing: Routing
) -> None:
    live = two_versions.alias("wine", "live")
    two_versions.move("wine", live, live.moved(1, Canary(2, 1.0)))

    assert routing.manifest("wine", "live", draw=1.0).version == 1


def test_an_alias_stays_believed_while_the_registry_is_silent(
    two_versions: Registration, routing: Routing, table: Table, clock: Clock
) -> None:
    routing.manifest("wine", "live", draw=0.5)
    table.cut_off = True
    clock.now += 60

    assert routing.manifest("wine", "live", draw=0.5).version == 1


def test_what_was_never_read_is_unavailable_while_the_registry_is_silent(
    routing: Routing, table: Table
) -> None:
    table.cut_off = True

    with pytest.raises(Unavailable):
        routing.manifest("wine", "live", draw=0.5)


@pytest.mark.parametrize(
    ("model", "reference", "error"),
    [
        ("beer", "live", ModelNotFound),
        ("beer", 1, ModelNotFound),
        ("wine", 3, VersionNotFound),
        ("wine", "blue", AliasNotFound),
    ],
)
def test_what_is_not_there_is_named(
    model: str,
    reference: int | str,
    error: type[Exception],
    two_versions: Registration,
    routing: Routing,
) -> None:
    with pytest.raises(error):
        routing.manifest(model, reference, draw=0.5)


def test_a_model_that_was_only_refused_says_why(
    registration: Registration, routing: Routing
) -> None:
    refusal = ModelRefused("EXTERNAL_DATA", "weights lie outside the file: export it as one file")
    registration.refuse("wine", "d" * 64, refusal, origin="s3://b/k", refused_at="2026-11-23")

    with pytest.raises(NoVersionAccepted, match="weights lie outside the file"):
        routing.manifest("wine", "live", draw=0.5)


def has_endpoint(state: str) -> None:
    """Write down that SageMaker has an endpoint for version 1 of `wine`."""
    boto3.client("dynamodb").put_item(
        TableName="registry",
        Item={
            "pk": {"S": "MODEL#wine"},
            "sk": {"S": "ENDPOINT#000000001"},
            "sagemaker_model": {"S": "m"},
            "realtime": {"M": {"name": {"S": "m-rt"}, "state": {"S": state}, "reason": {"S": ""}}},
        },
    )


def test_what_sagemaker_has_is_read_again_only_when_its_time_is_over(
    routing: Routing, table: Table, clock: Clock
) -> None:
    assert routing.endpoints("wine", 1) is None
    has_endpoint("ready")

    clock.now += 4.9
    assert routing.endpoints("wine", 1) is None
    clock.now += 0.2
    ready = Endpoint("m-rt", EndpointState.READY)
    assert routing.endpoints("wine", 1) == Endpoints("m", None, ready)
    assert table.reads == 2


def test_an_endpoint_stays_believed_while_the_registry_is_silent(
    routing: Routing, table: Table, clock: Clock
) -> None:
    has_endpoint("creating")
    before = routing.endpoints("wine", 1)
    table.cut_off = True
    clock.now += 60

    assert routing.endpoints("wine", 1) is before
    with pytest.raises(Unavailable):
        routing.endpoints("wine", 2)
