"""Who calls, as the gateway's event says it."""

import json

import pytest

from headrace_runtime.access.denials import QuotaExceeded, RateExceeded, Unauthenticated
from headrace_runtime.edge.authoriser import known, turned_away
from headrace_runtime.edge.caller import Caller, caller_of
from headrace_runtime.edge.http_api import json_answer, respond
from headrace_runtime.errors import Unavailable
from headrace_runtime.monitoring.stdout import watch


def said_by(**authorizer):
    return {"requestContext": {"authorizer": authorizer}}


def test_whom_the_authoriser_knows_is_the_caller():
    event = said_by(**{"lambda": known("sub:ada", ["sub:ada", "claim:team=ml"])["context"]})

    assert caller_of(event, "keys") == Caller("sub:ada", ("sub:ada", "claim:team=ml"))


@pytest.mark.parametrize(
    ("arn", "subjects"),
    [
        ("arn:aws:iam::123456789012:user/ada", ("iam:arn:aws:iam::123456789012:user/ada",)),
        (
            "arn:aws:sts::123456789012:assumed-role/Shop/session-1",
            (
                "iam:arn:aws:sts::123456789012:assumed-role/Shop/session-1",
                "iam:arn:aws:sts::123456789012:assumed-role/Shop",
            ),
        ),
    ],
)
def test_whose_signature_the_gateway_checked_is_the_caller(arn, subjects):
    assert caller_of(said_by(iam={"userArn": arn}), "iam") == Caller(f"iam:{arn}", subjects)


@pytest.mark.parametrize(
    ("event", "auth"),
    [
        ({}, "keys"),
        ({}, "iam"),
        (said_by(), "keys"),
        (said_by(iam={"userArn": "arn:aws:iam::123456789012:user/ada"}), "keys"),
        (said_by(**{"lambda": known("key:a", ["key:a"])["context"]}), "iam"),
        (said_by(**{"lambda": None}), "keys"),
        (said_by(iam=None), "iam"),
        (said_by(**{"lambda": turned_away("UNAUTHENTICATED")["context"]}), "keys"),
    ],
)
def test_nobody_is_let_in(event, auth):
    with pytest.raises(Unauthenticated):
        caller_of(event, auth)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("RATE_EXCEEDED", RateExceeded),
        ("QUOTA_EXCEEDED", QuotaExceeded),
        ("UNAVAILABLE", Unavailable),
    ],
)
def test_whom_the_authoriser_turns_away_is_told_why(code, error):
    with pytest.raises(error):
        caller_of(said_by(**{"lambda": turned_away(code, "key:a", 7)["context"]}), "keys")


def test_a_stage_of_another_kind_lets_nobody_in():
    with pytest.raises(KeyError):
        caller_of({}, "none")


@pytest.fixture
def call(event):
    """Answer a sample call, of whom the authoriser said this, with a route that answers all."""

    def answer(context, **options):
        sent = event("predict.server")
        sent["requestContext"]["authorizer"] = {"lambda": context}
        routes = {"GET /v2": lambda _: json_answer({})}
        with watch("test", {}).begin("r") as invocation:
            return respond(sent, routes, invocation, on_failure=print, **options)

    return answer


@pytest.mark.parametrize(
    ("code", "status", "wait"),
    [("RATE_EXCEEDED", 429, "7"), ("QUOTA_EXCEEDED", 429, "7"), ("UNAVAILABLE", 503, "1")],
)
def test_a_caller_who_is_to_wait_is_told_how_long(call, code, status, wait):
    answer = call(turned_away(code, "key:a", 7)["context"])

    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (status, wait)
    assert json.loads(answer["body"])["code"] == code


def test_no_route_answers_nobody_unless_it_is_open(call):
    assert call({})["statusCode"] == 401
    assert call({}, open_routes=["GET /v2/health/live"])["statusCode"] == 401
    assert call({}, open_routes=["GET /v2"])["statusCode"] == 200


def test_whoever_sends_options_without_asking_as_a_page_does_is_nobody(event):
    sent = event("predict.no_route", routeKey="OPTIONS /{proxy+}")
    sent["requestContext"]["authorizer"] = {}
    with watch("test", {}).begin("r") as invocation:
        answer = respond(sent, {}, invocation, on_failure=print)

    assert json.loads(answer["body"])["code"] == "UNAUTHENTICATED"


def test_a_refusal_that_is_not_known_is_a_refusal(call):
    assert call(known("key:a", ["key:a"])["context"] | {"refused": "WHY_NOT"})["statusCode"] == 500
