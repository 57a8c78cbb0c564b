import json

import pytest
from click.testing import CliRunner

from headrace import ApiError, Key, Policy
from headrace.command_line import main

KEY = {"id": "aaaqeayeaudaocaj", "name": "shop", "created_at": "2026-11-23T09:00:00+00:00"}
LIMITED = KEY | {"id": "b", "expires_at": "2026-12-23", "rate_per_s": 5, "daily_quota": 1000}
REVOKED = KEY | {"id": "c", "revoked_at": "2026-11-24T09:00:00+00:00"}
POLICY = {"name": "shop", "subjects": ["key:a", "sub:x"], "actions": ["infer"], "models": ["i*"]}


@pytest.fixture
def headrace(service, monkeypatch):
    monkeypatch.setenv("HEADRACE_URL", service.url)
    monkeypatch.setenv("HEADRACE_API_KEY", "hr_a_b")

    def run(*words):
        ended = CliRunner().invoke(main, words)
        return ended.exit_code, ended.stdout, ended.stderr

    return run


def test_a_key_is_made_and_its_text_told_once(service, client):
    service.answers("POST /keys", KEY | {"key": "hr_a_b"}, status=201)

    made = client.keys.create("shop", rate_per_s=5)

    assert made == Key(
        key_id="aaaqeayeaudaocaj",
        name="shop",
        created_at="2026-11-23T09:00:00+00:00",
        expires_at=None,
        revoked_at=None,
        rate_per_s=None,
        daily_quota=None,
        text="hr_a_b",
    )
    assert service.calls[0].json == {"name": "shop", "rate_per_s": 5}
    assert "hr_a_b" not in repr(made)


def test_a_key_is_never_made_twice_by_itself(service, client):
    service.answers("POST /keys", {"error": "later"}, status=503)

    with pytest.raises(ApiError):
        client.keys.create("shop")

    assert len(service.calls) == 1


def test_keys_are_listed_and_revoked(service, client):
    service.answers("GET /keys", {"keys": [KEY, LIMITED]})
    service.answers("DELETE /keys/c", REVOKED)

    assert [key.rate_per_s for key in client.keys.list()] == [None, 5]
    assert client.keys.revoke("c").revoked_at == "2026-11-24T09:00:00+00:00"


def test_policies_are_put_got_listed_and_deleted(service, client):
    for route in ("PUT /policies/shop", "GET /policies/shop", "DELETE /policies/shop"):
        service.answers(route, POLICY)
    service.answers("GET /policies", {"policies": [POLICY]})
    policy = Policy("shop", ("key:a", "sub:x"), ("infer",), ("i*",))

    put = client.policies.put("shop", subjects=["key:a"], actions=["infer"], models=["i*"])

    assert put == policy
    assert client.policies.get("shop") == policy
    assert client.policies.list() == [policy]
    assert client.policies.delete("shop") == policy
    assert service.calls[0].json == {"subjects": ["key:a"], "actions": ["infer"], "models": ["i*"]}


def test_keys_create_prints_the_key_alone_and_says_what_to_do_next(headrace, service):
    service.answers("POST /keys", KEY | {"key": "hr_a_b"}, status=201)

    status, said, advice = headrace(
        "keys", "create", "shop", "--expires-in-days", "30", "--rate", "5", "--quota", "9"
    )

    assert (status, said) == (0, "hr_a_b\n")
    assert "headrace policies put" in advice
    assert service.calls[0].json == {
        "name": "shop",
        "expires_in_days": 30,
        "rate_per_s": 5,
        "daily_quota": 9,
    }
    assert service.calls[0].headers["authorization"] == "Bearer hr_a_b"


def test_keys_list_says_how_each_stands(headrace, service):
    service.answers("GET /keys", {"keys": [KEY, LIMITED, REVOKED]})

    assert headrace("keys", "list")[1].splitlines() == [
        "aaaqeayeaudaocaj\tshop\tgood until it is revoked",
        "b\tshop\tgood until 2026-12-23, 5 calls a second, 1,000 calls a day",
        "c\tshop\trevoked at 2026-11-24T09:00:00+00:00",
    ]
    assert json.loads(headrace("keys", "list", "--json")[1])[2]["key_id"] == "c"


def test_keys_revoke_says_what_was_revoked(headrace, service):
    service.answers("DELETE /keys/c", REVOKED)

    assert headrace("keys", "revoke", "c")[1] == (
        "c (shop) is revoked at 2026-11-24T09:00:00+00:00\n"
    )


def test_policies_are_put_listed_shown_and_deleted_by_commands(headrace, service):
    for route in ("PUT /policies/shop", "GET /policies/shop", "DELETE /policies/shop"):
        service.answers(route, POLICY)
    service.answers("GET /policies", {"policies": [POLICY]})
    told = "shop: key:a, sub:x may infer on i*\n"

    put = ["policies", "put", "shop", "--subject", "key:a", "--subject", "sub:x"]
    assert headrace(*put, "--action", "infer", "--model", "i*") == (0, told, "")
    assert headrace("policies", "list")[1] == told
    assert json.loads(headrace("policies", "list", "--json")[1]) == [POLICY]
    assert json.loads(headrace("policies", "show", "shop")[1]) == POLICY
    assert headrace("policies", "delete", "shop")[1] == f"removed: {told}"


def test_an_action_that_is_none_is_refused_before_it_is_sent(headrace, service):
    status, _, why = headrace(
        "policies", "put", "p", "--subject", "key:a", "--action", "delete", "--model", "*"
    )

    assert status == 2
    assert "'infer', 'explain', 'submit', 'publish', 'promote', 'read', 'admin'" in why
    assert service.calls == []


@pytest.mark.parametrize("group", ["keys", "policies"])
def test_every_command_and_every_option_of_a_group_has_help(group):
    for command in main.commands[group].commands.values():
        assert command.help
        assert all(p.help for p in command.params if p.param_type_name == "option")
