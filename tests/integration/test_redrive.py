"""Dead letters, counted and sent back to their queues."""

import json

import boto3
import pytest
from botocore.client import BaseClient

from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws.policy_book import PolicyBook
from tests.conftest import CALLER_OF_ALL

BODY = '{"job_id": "j", "shard": 0}'
WHY = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": "the function was throttled"}}


@pytest.fixture
def sqs(aws):
    """Queues `files` and `shards`, each with its dead letters, `<name>-dead`."""
    client = boto3.client("sqs")
    for name in ("files", "files-dead", "shards", "shards-dead"):
        client.create_queue(QueueName=name)
    return client


@pytest.fixture
def url(sqs):
    return lambda name: sqs.get_queue_url(QueueName=name)["QueueUrl"]


@pytest.fixture
def redrive(function, url, event, context):
    """The handler; give status and body."""
    pairs = " ".join(f"{name}={url(name)},{url(f'{name}-dead')}" for name in ("files", "shards"))
    handler = function("redrive", queues=pairs)

    def call(case="redrive.send_back", lambda_context=context, **members):
        answer = handler.lambda_handler(event(case, **members), lambda_context)
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.fixture
def put(sqs, url):
    def to(queue, times=1, attributes=WHY):
        for _ in range(times):
            sqs.send_message(QueueUrl=url(queue), MessageBody=BODY, MessageAttributes=attributes)

    return to


@pytest.fixture
def taken(sqs, url):
    """Take all messages out of a queue."""

    def out_of(queue):
        found = []
        while got := sqs.receive_message(
            QueueUrl=url(queue), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += got
        return found

    return out_of


def test_dead_letters_are_counted_by_queue(redrive, put):
    put("files-dead", 3)

    assert redrive("redrive.dead_letters") == (
        200,
        {"queues": [{"name": "files", "waiting": 3}, {"name": "shards", "waiting": 0}]},
    )


@pytest.mark.fault("F14")
def test_dead_letters_go_back_as_they_are_with_the_reason_of_their_failure(redrive, put, taken):
    put("files-dead", 12)

    assert redrive() == (200, {"queue": "files", "moved": 12, "left": 0})
    messages = taken("files")
    assert [message["Body"] for message in messages] == [BODY] * 12
    attributes = messages[0]["MessageAttributes"]
    assert attributes["ERROR_MESSAGE"]["StringValue"] == "the function was throttled"
    assert attributes["redriven"]["StringValue"] == "1"
    assert taken("files-dead") == []


def test_no_more_are_sent_back_than_were_asked_for(redrive, put, taken):
    put("files-dead", 12)

    assert redrive(body='{"max": 11}') == (200, {"queue": "files", "moved": 11, "left": 1})
    assert len(taken("files")) == 11


def test_a_message_that_dies_again_and_again_says_how_often(redrive, put, taken):
    again = {"DataType": "Number", "StringValue": "4"}
    put("files-dead", attributes={**WHY, "redriven": again})
    redrive()

    assert taken("files")[0]["MessageAttributes"]["redriven"]["StringValue"] == "5"


def test_a_message_with_all_the_attributes_it_can_have_goes_back_without_a_mark(
    redrive, put, taken
):
    full = {f"A{n}": {"DataType": "String", "StringValue": "x"} for n in range(10)}
    put("files-dead", attributes=full)

    assert redrive()[1]["moved"] == 1
    assert set(taken("files")[0]["MessageAttributes"]) == set(full)


def test_nothing_is_begun_that_there_is_no_time_for(redrive, put, context):
    put("files-dead", 3)
    context.get_remaining_time_in_millis = lambda: 4_000

    assert redrive() == (200, {"queue": "files", "moved": 0, "left": 3})


@pytest.mark.fault("F14")
def test_a_message_sent_back_and_not_deleted_is_there_twice_and_never_lost(
    redrive, put, taken, monkeypatch
):
    """F14: what takes messages takes the second for the first."""
    put("files-dead")
    with monkeypatch.context() as broken:
        broken.setattr(BaseClient, "_make_api_call", _without("DeleteMessage"))
        assert redrive()[0] == 500

    assert [message["Body"] for message in taken("files")] == [BODY]


def test_a_queue_that_is_none_is_not_found(redrive):
    status, error = redrive(pathParameters={"queue": "mail"})

    assert (status, error["error"]) == (404, "there is no queue 'mail': there are files, shards")


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ('{"max": 0}', 422, "a whole number from 1 to 1000"),
        ('{"max": 1001}', 422, "a whole number from 1 to 1000"),
        ('{"max": true}', 422, "a whole number from 1 to 1000"),
        ('{"max": "5"}', 422, "a whole number from 1 to 1000"),
        ('{"most": 5}', 422, "the body must be"),
        ("[]", 422, "the body must be"),
        ("{", 400, ""),
    ],
)
def test_a_body_is_read_strictly(redrive, put, body, status, why):
    put("files-dead")

    answered, error = redrive(body=body)

    assert answered == status
    assert why in error["error"]
    assert redrive("redrive.dead_letters")[1]["queues"][0]["waiting"] == 1


def test_without_a_body_a_hundred_are_sent_back(redrive, put):
    put("files-dead", 2)

    assert redrive(body="")[1]["moved"] == 2


@pytest.mark.parametrize("case", ["redrive.dead_letters", "redrive.send_back"])
@pytest.mark.parametrize(("models", "status"), [(("*",), 200), (("digits",), 403), (("**",), 403)])
def test_dead_letters_are_for_admins_of_everything(redrive, put, case, models, status):
    put("files-dead")
    policy = Policy("ops", ("key:ops",), frozenset({Action.ADMIN, Action.SUBMIT}), models)
    PolicyBook("access", dynamodb=boto3.client("dynamodb")).put(policy)

    assert redrive(case, subject="key:ops")[0] == status
    waiting = redrive("redrive.dead_letters", subject=CALLER_OF_ALL)[1]["queues"][0]["waiting"]
    assert waiting == (0 if (case, status) == ("redrive.send_back", 200) else 1)


def _without(operation):
    """Return botocore's way to a call, but that *operation* breaks off."""
    real = BaseClient._make_api_call

    def call(client, name, arguments):
        if name == operation:
            raise ConnectionError
        return real(client, name, arguments)

    return call
