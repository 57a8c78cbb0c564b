"""Who calls: API keys, through the handler, on moto."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from headrace_runtime.access.api_key import DRAW_BYTES, NewKey
from headrace_runtime.access.key_facts import KeyFacts, moment
from headrace_runtime.aws.keys import KeyBook

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NEW = NewKey.drawn(bytes(range(DRAW_BYTES)))
REFUSED = {"principal": "", "subjects": "[]", "refused": "UNAUTHENTICATED", "retry_after_s": ""}


@pytest.fixture
def book(aws):
    return KeyBook("access", dynamodb=boto3.client("dynamodb"))


@pytest.fixture
def key(book):
    """Put the key `NEW` into the table, with more facts by keyword."""

    def put(**facts):
        book.add(KeyFacts(NEW.key_id, "test", NEW.kept, moment(NOW), **facts))
        return NEW.text

    return put


@pytest.fixture
def authorise(function):
    return function("authorise")


@pytest.fixture
def ask(authorise, event):
    """Ask who calls with these headers at this moment; give the context."""

    def asked(now=NOW, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = authorise.caller(event("authorise.call", headers=named), now)
        assert answer["isAuthorized"] is True
        return answer["context"]

    return asked


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {NEW.text}"},
        {"authorization": f"bearer  {NEW.text} "},
        {"x_api_key": NEW.text},
    ],
)
def test_a_good_key_says_who_calls(ask, key, headers):
    key(expires_at=moment(NOW + timedelta(seconds=1)))

    assert ask(**headers) == {
        "principal": f"key:{NEW.key_id}",
        "subjects": f'["key:{NEW.key_id}"]',
        "refused": "",
        "retry_after_s": "",
    }


WRONG = NEW.text[:-1] + ("A" if NEW.text[-1] != "A" else "B")


@pytest.mark.parametrize(
    ("facts", "headers"),
    [
        ({}, {}),
        ({}, {"authorization": ""}),
        ({}, {"authorization": "Bearer"}),
        ({}, {"authorization": f"Basic {NEW.text}"}),
        ({}, {"authorization": "Basic x", "x_api_key": NEW.text}),
        ({}, {"authorization": f"Bearer {WRONG}"}),
        ({}, {"authorization": f"Bearer hr_{'a' * 16}_{'a' * 43}"}),
        ({}, {"authorization": "Bearer é\ud800"}),
        ({}, {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."}),
        ({"expires_at": moment(NOW)}, {"authorization": f"Bearer {NEW.text}"}),
        ({"revoked_at": moment(NOW)}, {"authorization": f"Bearer {NEW.text}"}),
    ],
    ids=[
        "none",
        "empty",
        "no-key",
        "basic",
        "basic-first",
        "wrong",
        "unknown",
        "odd",
        "token",
        "expired",
        "revoked",
    ],
)
def test_whatever_is_wrong_with_a_credential_nobody_is_told(ask, key, facts, headers):
    key(**facts)

    assert ask(**headers) == REFUSED


def test_a_revoked_key_is_refused_from_the_next_call_on(ask, key, book):
    text = key()
    assert ask(authorization=f"Bearer {text}")["refused"] == ""

    book.revoke(NEW.key_id, revoked_at=moment(NOW))

    assert ask(authorization=f"Bearer {text}") == REFUSED


def test_a_second_takes_as_many_calls_as_the_key_has_and_the_next_second_as_many_again(ask, key):
    text = key(rate_per_s=2)

    codes = [ask(x_api_key=text)["refused"] for _ in range(3)]
    third = ask(x_api_key=text)
    later = ask(NOW + timedelta(seconds=1), x_api_key=text)

    assert codes == ["", "", "RATE_EXCEEDED"]
    assert (third["refused"], third["retry_after_s"]) == ("RATE_EXCEEDED", "1")
    assert later["refused"] == ""


def test_a_day_takes_as_many_calls_as_the_key_has_until_midnight(ask, key):
    text = key(daily_quota=2)

    codes = [ask(NOW + timedelta(seconds=n), x_api_key=text)["refused"] for n in range(2)]
    third = ask(NOW + timedelta(hours=11), x_api_key=text)
    tomorrow = ask(NOW + timedelta(hours=12), x_api_key=text)

    assert codes == ["", ""]
    assert (third["refused"], third["retry_after_s"]) == ("QUOTA_EXCEEDED", "3600")
    assert third["subjects"] == "[]"
    assert tomorrow["refused"] == ""


def test_a_call_that_its_second_refuses_costs_no_quota(ask, key):
    text = key(rate_per_s=1, daily_quota=2)

    for _ in range(5):
        ask(x_api_key=text)

    assert ask(NOW + timedelta(seconds=1), x_api_key=text)["refused"] == ""
    assert ask(NOW + timedelta(seconds=2), x_api_key=text)["refused"] == "QUOTA_EXCEEDED"


def test_a_wrong_secret_uses_up_nothing(ask, key):
    text = key(daily_quota=1)

    ask(x_api_key=WRONG)

    assert ask(x_api_key=text)["refused"] == ""


def test_counters_may_be_removed_once_nobody_needs_them(ask, key):
    ask(x_api_key=key(rate_per_s=1))

    counter = {"pk": {"S": f"COUNT#{NEW.key_id}"}, "sk": {"S": f"S#{int(NOW.timestamp())}"}}
    item = boto3.client("dynamodb").get_item(TableName="access", Key=counter)["Item"]

    assert item["calls"] == {"N": "1"}
    assert item["expires_at_s"] == {"N": str(int(NOW.timestamp()) + 3601)}


def test_while_the_table_does_not_answer_nobody_is_let_in(function, event, context, capfd):
    handler = function("authorise", access_table="missing")

    answer = handler.lambda_handler(
        event("authorise.call", headers={"x-api-key": NEW.text}), context
    )

    assert answer["context"] == REFUSED | {"refused": "UNAVAILABLE"}
    assert NEW.text not in "".join(capfd.readouterr())


def test_every_call_is_counted_and_what_was_refused_by_its_reason(
    authorise, event, context, key, capfd
):
    for text in (key(daily_quota=1), NEW.text, WRONG):
        authorise.lambda_handler(event("authorise.call", headers={"x-api-key": text}), context)

    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["Requests"] for line in lines] == [1, 1, 1]
    assert [line.get("ColdStart") for line in lines] == [1, None, None]
    assert [line.get("code") for line in lines] == [None, "QUOTA_EXCEEDED", "UNAUTHENTICATED"]
    assert {line["request_id"] for line in lines} == {"JKJaXmPLvHcESHA="}
    assert lines[2]["_aws"]["CloudWatchMetrics"][1] == {
        "Namespace": "Headrace",
        "Dimensions": [["function", "code"]],
        "Metrics": [{"Name": "Errors"}],
    }


def test_where_it_fails_the_log_holds_nothing_of_the_call(function, event, context, capfd):
    handler = function("authorise", access_table="missing")
    planted = {
        "headers": {"x-api-key": NEW.text, "user-agent": "canary-1", "canary-2": "canary-3"},
        "cookies": ["canary-4=canary-5"],
        "rawPath": "/canary-6",
        "rawQueryString": "canary-7=canary-8",
        "queryStringParameters": {"canary-7": "canary-8"},
        "pathParameters": {"model": "canary-9"},
        "routeArn": "canary-10",
    }

    handler.lambda_handler(event("authorise.call", **planted), context)

    failure, metrics = map(json.loads, capfd.readouterr().out.splitlines())
    assert (failure["level"], failure["error"]) == ("ERROR", "Unavailable")
    assert failure["request_id"] == metrics["request_id"] == "JKJaXmPLvHcESHA="
    assert (metrics["Faults"], metrics["code"]) == (1, "UNAVAILABLE")
    assert not re.search(rf"canary|{NEW.text[3:]}", json.dumps([failure, metrics]))


def test_no_key_is_ever_in_a_log(authorise, event, context, key, capfd, caplog):
    caplog.set_level(logging.DEBUG)

    for text in (key(), WRONG):
        authorise.lambda_handler(event("authorise.call", headers={"x-api-key": text}), context)

    out, err = capfd.readouterr()
    said = out + err + caplog.text
    assert NEW.text[20:] not in said
    assert WRONG[20:] not in said


def test_nothing_that_is_kept_of_a_key_is_its_secret(key, book):
    text = key()

    items = boto3.client("dynamodb").scan(TableName="access")["Items"]

    assert text.rpartition("_")[2] not in json.dumps(items)
