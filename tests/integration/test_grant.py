"""Keys and policies, through the handler, on moto."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import CALLER_OF_ALL


@pytest.fixture
def call(function, event, context) -> Callable[..., tuple[int, Any]]:
    """Send a sample event, members replaced; give status and body."""
    handler = function("grant")

    def called(case: str, body: Any = None, **members: Any) -> tuple[int, Any]:
        if body is not None:
            members["body"] = body if isinstance(body, str) else json.dumps(body)
        answer = handler.lambda_handler(event(f"grant.{case}", **members), context)
        return answer["statusCode"], json.loads(answer["body"])

    return called


EVERY_CASE = ["create_key", "keys", "revoke_key"]
EVERY_CASE += ["policies", "policy", "put_policy", "delete_policy"]
CALLERS = {
    "name": "callers",
    "subjects": ["key:aaaqeayeaudaocaj"],
    "actions": ["infer"],
    "models": ["iris*"],
}


def test_a_key_is_shown_once_and_listed_without_its_secret(call):
    status, made = call("create_key")

    assert status == 201
    assert made["key"].startswith(f"hr_{made['id']}_")
    assert len(made["key"]) == 63
    listed = call("keys")[1]["keys"]
    assert listed == [{name: made[name] for name in made if name != "key"}]
    assert (made["name"], made["rate_per_s"], made["daily_quota"]) == ("shop", 5, 1000)
    assert set(made) == {
        *("id", "key", "name", "created_at", "expires_at", "rate_per_s", "daily_quota"),
    }


def test_a_key_with_a_name_alone_never_expires_and_has_no_limits(call):
    assert set(call("create_key", {"name": "n"})[1]) == {"id", "key", "name", "created_at"}


def test_no_two_keys_are_alike(call):
    assert len({call("create_key")[1]["key"] for _ in range(5)}) == 5


def test_a_revoked_key_stays_listed_and_keeps_its_moment(call):
    key_id = call("create_key")[1]["id"]

    first = call("revoke_key", pathParameters={"key": key_id})
    again = call("revoke_key", pathParameters={"key": key_id})

    assert first == again
    assert first[0] == 200
    assert first[1]["revoked_at"]
    assert call("keys")[1]["keys"] == [first[1]]


@pytest.mark.parametrize("case", ["revoke_key", "policy", "delete_policy"])
def test_what_is_not_there_is_not_found(call, case):
    status, body = call(case)

    assert (status, body["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("{", 400, "not JSON"),
        ([], 422, "the body must be a JSON object"),
        ({}, 422, "name of the body must be text: what people call the key"),
        ({"name": ""}, 422, "name of a key must be 1-100 printable characters"),
        ({"name": "n", "expires_in_days": 0}, 422, "expires_in_days of the body must be a whole"),
        ({"name": "n", "expires_in_days": True}, 422, "a whole number from 1 to 3650"),
        ({"name": "n", "rate_per_s": 1.5}, 422, "rate_per_s of the body must be a whole number"),
        ({"name": "n", "daily_quota": "9"}, 422, "daily_quota of the body must be a whole number"),
        ({"name": "n", "admin": True}, 422, "the body has no member 'admin': it takes name, "),
    ],
)
def test_a_key_that_is_asked_for_wrongly_is_not_made(call, body, status, error):
    answered, answer = call("create_key", body)

    assert answered == status
    assert error in answer["error"]
    assert call("keys")[1]["keys"] == []


def test_a_policy_is_put_shown_listed_and_deleted(call):
    assert call("put_policy") == (200, CALLERS)
    assert call("policy") == (200, CALLERS)
    assert [policy["name"] for policy in call("policies")[1]["policies"]] == ["all", "callers"]
    assert call("delete_policy") == (200, CALLERS)
    assert [policy["name"] for policy in call("policies")[1]["policies"]] == ["all"]


def test_a_policy_that_is_put_again_is_replaced_whole(call):
    call("put_policy")
    other = {"subjects": ["sub:x"], "actions": ["read", "admin"], "models": ["w*"]}

    call("put_policy", other)

    assert call("policy")[1] == {"name": "callers"} | other | {"actions": ["admin", "read"]}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"subjects": "key:a"}, "subjects of the body must be a list of texts"),
        ({"subjects": []}, "subjects of a policy must be 1 to 200 texts, got 0"),
        ({"subjects": ["*"]}, "'*' is no subject"),
        ({"actions": ["infers"]}, "there is no action 'infers'"),
        ({"actions": []}, "actions of a policy must name at least one of"),
        ({"models": ["IRIS"]}, "'IRIS' names no models"),
        ({"model": ["iris"]}, "the body has no member 'model': it takes subjects, actions, models"),
    ],
)
def test_a_policy_that_makes_no_sense_is_not_put(call, changed, error):
    good = {"subjects": ["key:a"], "actions": ["infer"], "models": ["iris"]}

    status, answer = call("put_policy", good | changed)

    assert status == 422
    assert error in answer["error"]
    assert call("policy")[0] == 404


@pytest.mark.parametrize("case", EVERY_CASE)
def test_nothing_of_it_is_for_who_is_no_admin(call, case):
    call("put_policy", {"subjects": ["key:a"], "actions": ["admin"], "models": ["iris*"]})

    for subject in ("key:a", "key:nobody"):
        status, answer = call(case, subject=subject)

        assert (status, answer["code"]) == (403, "FORBIDDEN")
        assert answer["error"] == "no policy gives you the right 'admin' on every model"


@pytest.mark.parametrize("case", EVERY_CASE)
def test_nothing_of_it_is_for_nobody(call, case):
    http = {"requestContext": {"requestId": "r", "http": {"method": "GET", "path": "/"}}}
    http["requestContext"]["authorizer"] = {}

    status, answer = call(case, **http)

    assert (status, answer["code"]) == (401, "UNAUTHENTICATED")


def test_who_is_an_admin_no_more_is_refused_from_the_next_call_on(call):
    admins = {"subjects": ["key:a"], "actions": ["admin"], "models": ["*"]}
    call("put_policy", admins)
    assert call("keys", subject="key:a")[0] == 200

    call("put_policy", admins | {"subjects": [CALLER_OF_ALL]})

    assert call("keys", subject="key:a")[0] == 403
