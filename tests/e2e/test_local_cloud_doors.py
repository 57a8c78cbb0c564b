"""Who gets through to a function in the local cloud is decided as API Gateway decides it."""

import json
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Cloud

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/execute-api/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)
PAGE = "https://page.example"


def _get(probe: Cloud, path: str, **headers: str) -> httpx.Response:
    return httpx.get(probe.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_a_function_is_told_what_the_authoriser_said_of_the_caller(probe: Cloud) -> None:
    answer = _get(probe, "/guarded/a%20b?x=1", x_order="yes", cookie="a=1")

    event = answer.json()
    context = event["requestContext"]["authorizer"]["lambda"]
    asked = json.loads(context["event"])
    assert event["routeKey"] == "GET /guarded/{thing}"
    assert {name: asked[name] for name in set(asked) - {"headers", "requestContext"}} == {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:eu-west-1:123456789012:"
        f"{event['requestContext']['apiId']}/$default/GET/guarded/a b",
        "identitySource": None,
        "routeKey": "GET /guarded/{thing}",
        "rawPath": "/guarded/a b",
        "rawQueryString": "x=1",
        "cookies": ["a=1"],
        "queryStringParameters": {"x": "1"},
        "pathParameters": {"thing": "a b"},
    }
    assert asked["headers"] == event["headers"]
    assert asked["requestContext"]["requestId"] == event["requestContext"]["requestId"]
    assert "authorizer" not in asked["requestContext"]


@pytest.mark.parametrize(
    ("order", "status", "text"),
    [
        ("no", 403, "Forbidden"),
        ("fail", 500, "Internal Server Error"),
        ("sleep", 500, "Internal Server Error"),
        ("odd", 500, "Internal Server Error"),
    ],
)
def test_a_call_that_is_not_let_in_reaches_no_function(
    probe: Cloud, order: str, status: int, text: str
) -> None:
    answer = _get(probe, "/guarded/thing", x_order=order)

    assert (answer.status_code, answer.json()) == (status, {"message": text})


def test_a_decision_is_asked_for_each_time_unless_it_has_a_time_to_live(probe: Cloud) -> None:
    def call(path: str, who: str, order: str = "yes") -> Any:
        answer = _get(probe, path, x_order=order, x_who=who)
        return answer.json()["requestContext"]["authorizer"]["lambda"]["call"]

    assert call("/guarded/1", "ada") != call("/guarded/1", "ada")
    assert call("/remembered", "ada") == call("/remembered", "ada", order="no")
    assert call("/remembered", "ada") != call("/remembered", "bob")


def test_a_refusal_is_remembered_too(probe: Cloud) -> None:
    first = _get(probe, "/remembered", x_order="no", x_who="eve")
    second = _get(probe, "/remembered", x_order="yes", x_who="eve")

    assert (first.status_code, second.status_code) == (403, 403)


def test_a_call_without_what_tells_who_is_a_401(probe: Cloud) -> None:
    answer = _get(probe, "/remembered", x_order="yes")

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_a_signed_call_is_let_in_as_its_access_key(probe: Cloud) -> None:
    signed = _get(probe, "/signed", authorization=SIGNED)
    unsigned = _get(probe, "/signed", authorization="Bearer hello")

    caller = signed.json()["requestContext"]["authorizer"]["iam"]
    assert caller["accessKey"] == "AKIDEXAMPLE"
    assert caller["userArn"] == "arn:aws:iam::123456789012:user/AKIDEXAMPLE"
    assert (unsigned.status_code, unsigned.json()) == (403, {"message": "Forbidden"})


def test_an_integration_of_an_alias_calls_the_function(probe: Cloud) -> None:
    assert _get(probe, "/aliased").json()["routeKey"] == "GET /aliased"


def test_a_page_that_asks_beforehand_is_answered_by_the_gateway(probe: Cloud) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    answer = httpx.options(f"{probe.url}/things/a", headers=asked)
    foreign = httpx.options(
        f"{probe.url}/things/a", headers=asked | {"origin": "https://else.example"}
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-allow-headers"] == "authorization"
    assert answer.headers["access-control-max-age"] == "600"
    assert foreign.status_code == 204
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize(
    ("path", "status"), [("/shut/a", 403), ("/guarded/a", 204)], ids=["its own", "an open one"]
)
def test_a_page_that_asks_beforehand_is_guarded_as_the_route_of_its_question_is(
    probe: Cloud, path: str, status: int
) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "GET", "x-order": "no"}

    answer = httpx.options(probe.url + path, headers=asked)

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE


def test_the_gateway_says_which_pages_may_read_an_answer(probe: Cloud) -> None:
    own = {"statusCode": 200, "headers": {"access-control-allow-origin": "*"}, "body": "1"}
    order = {"do": "respond", "response": own}

    answer = httpx.post(f"{probe.url}/probe", json=order, headers={"origin": PAGE})
    refused = _get(probe, "/guarded/1", x_order="no", origin=PAGE)

    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-expose-headers"] == "x-count"
    assert refused.headers["access-control-allow-origin"] == PAGE
