"""Events of the HTTP API and their answers."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from headrace_runtime.aws.endpoint_failures import (
    ContainerFailed,
    EndpointBusy,
    EndpointFailed,
    EndpointNotReady,
    EndpointTooSlow,
    GpuOnly,
)
from headrace_runtime.edge.http_api import Answer, Request, json_answer, respond
from headrace_runtime.errors import DigestMismatch, HeadraceError, ShapeMismatch, Unavailable
from headrace_runtime.monitoring.invocation import Watch

Respond = Callable[..., dict[str, Any]]


def raiser(error: Exception) -> Callable[[Request], Answer]:
    def route(request: Request) -> Answer:
        raise error

    return route


@pytest.fixture
def failures() -> list[Exception]:
    return []


@pytest.fixture
def lines() -> list[bytes]:
    """What is printed."""
    return []


@pytest.fixture
def call(
    event: Callable[..., dict[str, Any]], failures: list[Exception], lines: list[bytes]
) -> Respond:
    """Answer the sample call of the server's metadata with the test's route."""
    watch = Watch(
        "predict",
        {},
        clock_ns=lambda: 0,
        now_ms=lambda: 0,
        write=lines.append,
        to_json=orjson.dumps,
    )

    def answer(route: Callable[[Request], Answer], **members: Any) -> dict[str, Any]:
        called = event("predict.server", **members)
        with watch.begin("lambda-1") as invocation:
            return respond(called, {"GET /v2": route}, invocation, on_failure=failures.append)

    return answer


@pytest.mark.parametrize(
    ("body", "base64", "raw"),
    [("é", False, "é".encode()), ("w6k=", True, "é".encode()), ("", False, b""), (None, True, b"")],
)
def test_a_body_is_the_bytes_that_were_sent(
    body: str | None, base64: bool, raw: bytes, call: Respond
) -> None:
    seen: list[Request] = []

    call(lambda r: seen.append(r) or json_answer({}), body=body, isBase64Encoded=base64)

    assert seen[0].body == raw


def test_a_body_that_is_neither_is_the_callers_mistake(call: Respond) -> None:
    answer = call(raiser(AssertionError()), body="a", isBase64Encoded=True)

    assert answer["statusCode"] == 400


def test_an_error_is_its_sentence_its_code_and_its_facts(
    call: Respond, failures: list[Exception]
) -> None:
    answer = call(raiser(ShapeMismatch("x", [-1, 4], [1, 3])))

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"]) == {
        "error": "input 'x' takes shape [-1, 4] (-1 is any length), got [1, 3]",
        "code": "SHAPE_MISMATCH",
        "input": "x",
        "expected": [-1, 4],
        "got": [1, 3],
        "request_id": "JKJaXmPLvHcESHA=",
    }
    assert failures == []


@pytest.mark.parametrize(
    "error",
    [KeyError("secret"), DigestMismatch("secret", expected="a", got="b"), HeadraceError("secret")],
    ids=["bug", "digest", "unlisted"],
)
def test_our_fault_is_told_to_us_and_not_to_the_caller(
    error: Exception, call: Respond, failures: list[Exception]
) -> None:
    answer = call(raiser(error))

    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {
        "error": "Headrace failed to answer; the fault is not yours",
        "code": "INTERNAL",
        "request_id": "JKJaXmPLvHcESHA=",
    }
    assert failures == [error]


def test_what_does_not_answer_may_be_tried_again(call: Respond, failures: list[Exception]) -> None:
    answer = call(raiser(Unavailable("dynamodb did not answer")))

    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["code"] == "UNAVAILABLE"
    assert len(failures) == 1


@pytest.mark.parametrize(
    ("error", "status", "retry_after", "told"),
    [
        (EndpointNotReady("wine", 1, retry_after_s=60), 503, "60", False),
        (EndpointFailed("wine", 1, "ResourceLimitExceeded"), 503, "300", True),
        (EndpointTooSlow(26.0), 503, "30", True),
        (EndpointBusy(), 429, "2", False),
        (ContainerFailed(500), 424, None, True),
        (GpuOnly("wine", 1), 422, None, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_an_endpoint_fails_with_has_a_status_and_is_told_to_us_if_it_is_a_fault(
    error: HeadraceError,
    status: int,
    retry_after: str | None,
    told: bool,
    call: Respond,
    failures: list[Exception],
) -> None:
    answer = call(raiser(error))

    assert (answer["statusCode"], answer["headers"].get("retry-after")) == (status, retry_after)
    assert failures == ([error] if told else [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" + b"1," * 3_100_000 + b"1]", 200),
        (b"[" + b"1," * 3_200_000 + b"1]", 413),
        (b'["' + b'\\"' * 2_000_000 + b'"]', 413),  # within the limit until it is escaped again
    ],
    ids=["fits", "too-long", "too-long-escaped"],
)
def test_an_answer_that_lambda_would_cut_is_refused(
    body: bytes, status: int, call: Respond
) -> None:
    answer = call(lambda _: Answer(body))

    assert answer["statusCode"] == status


def test_a_route_can_ask_how_long_it_may_take(call: Respond) -> None:
    seen: list[int] = []

    call(lambda request: seen.append(request.left_ms()) or json_answer({}))

    assert seen == [3_600_000]  # an hour, where nobody has said


def test_raw_bytes_leave_as_base64(call: Respond) -> None:
    answer = call(lambda _: Answer(b"\xff", headers={"content-type": "application/octet-stream"}))

    assert (answer["body"], answer["isBase64Encoded"]) == ("/w==", True)
