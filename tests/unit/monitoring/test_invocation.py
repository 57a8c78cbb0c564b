"""One invocation, one line of CloudWatch's Embedded Metric Format."""

import json
from typing import Any

import orjson
import pytest

from headrace_runtime.monitoring.invocation import Watch

LAMBDA = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}


class World:
    """A clock that a test moves, and what was printed."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.lines: list[bytes] = []

    def watch(self, **environ: str) -> Watch:
        return Watch(
            "predict",
            LAMBDA | environ,
            clock_ns=lambda: self.now_ns,
            now_ms=lambda: 1_795_426_373_954,
            write=self.lines.append,
            to_json=orjson.dumps,
        )

    def pass_ms(self, ms: float) -> None:
        self.now_ns += int(ms * 1e6)

    @property
    def line(self) -> dict[str, Any]:
        (line,) = self.lines
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        return json.loads(line)


@pytest.fixture
def world() -> World:
    return World()


def published(line: dict[str, Any]) -> set[tuple[str, tuple[str, ...]]]:
    """Every metric of a line with the names of one set of its dimensions."""
    return {
        (metric["Name"], tuple(dimensions))
        for directive in line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }


def test_a_line_is_what_cloudwatch_unpacks(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        world.pass_ms(3.5)
        invocation.count("Requests")

    assert world.line == {
        "_aws": {
            "Timestamp": 1_795_426_373_954,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Headrace",
                    "Dimensions": [["function"]],
                    "Metrics": [
                        {"Name": "Requests"},
                        {"Name": "LatencyMs"},
                        {"Name": "EstimatedCostUsd"},
                        {"Name": "ColdStart"},
                    ],
                }
            ],
        },
        "function": "predict",
        "Requests": 1,
        "LatencyMs": 3.5,
        "EstimatedCostUsd": 3.15168e-07,  # 0.2 µUSD, and 4 ms at 0.028792 µUSD
        "ColdStart": 1,
        "function_request_id": "lambda-1",
    }


def test_every_dimension_and_every_metric_is_a_member_of_the_line(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        invocation.routed("wine", 3)
        invocation.refused("Errors", "SHAPE_MISMATCH")
        invocation.queued(0)

    for metric, dimensions in published(world.line):
        assert isinstance(world.line[metric], int | float | list)
        assert all(isinstance(world.line[name], str) for name in dimensions)


def test_parts_of_the_time_are_laps(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        world.pass_ms(1)
        invocation.lap("RouteMs")
        world.pass_ms(0.25)
        invocation.lap("DecodeMs")
        world.pass_ms(2)

    line = world.line
    assert (line["RouteMs"], line["DecodeMs"], line["LatencyMs"]) == (1.0, 0.25, 3.25)


def test_a_version_has_metrics_of_its_own(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        invocation.routed("wine", 3)

    assert (world.line["model"], world.line["version"]) == ("wine", "3")
    assert ("LatencyMs", ("function", "model", "version")) in published(world.line)


def test_an_error_is_counted_by_its_code_and_nothing_else_is(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        invocation.refused("Errors", "SHAPE_MISMATCH")

    assert world.line["code"] == "SHAPE_MISMATCH"
    assert ("Errors", ("function",)) in published(world.line)
    by_code = {name for name, dimensions in published(world.line) if "code" in dimensions}
    assert by_code == {"Errors"}


def test_messages_that_failed_in_several_ways_have_no_one_code(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        invocation.refused("Errors", "Conflict")
        invocation.refused("Errors", "Unavailable")

    assert (world.line["Errors"], world.line["code"]) == (2, "MIXED")


def test_each_message_has_its_age(world: World) -> None:
    with world.watch().begin("lambda-1") as invocation:
        invocation.queued(1_795_426_373_000)
        invocation.queued(1_795_426_379_000)  # the clocks of two machines

    assert world.line["QueueAgeMs"] == [954, 0]


def test_only_the_first_invocation_of_a_process_is_cold(world: World) -> None:
    watch = world.watch()
    for _ in range(2):
        with watch.begin("lambda-1"):
            pass

    assert [b"ColdStart" in line for line in world.lines] == [True, False]


def test_nobody_waits_for_a_start_ahead_of_time(world: World) -> None:
    with world.watch(AWS_LAMBDA_INITIALIZATION_TYPE="provisioned-concurrency").begin("lambda-1"):
        pass

    assert "ColdStart" not in world.line


def test_an_invocation_that_breaks_off_is_printed_as_well(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.watch().begin("lambda-1"):
        _ = 1 / 0

    assert world.line["function"] == "predict"


def test_stages_of_one_account_may_be_told_apart(world: World) -> None:
    with world.watch(POWERTOOLS_METRICS_NAMESPACE="Headrace/prod").begin("lambda-1"):
        pass

    assert world.line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Headrace/prod"


def test_no_id_can_forge_a_line(world: World) -> None:
    forged = 'x"}\n{"level":"ERROR"}\x1b[31m\u2028'
    with world.watch().begin(forged):
        pass

    assert world.line["function_request_id"] == forged
    assert b"\x1b" not in world.lines[0]
