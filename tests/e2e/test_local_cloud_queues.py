"""Messages reach functions in the local cloud as Lambda's own poller brings them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cloud, eventually

Records = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def delivered(probe: Cloud, probe_sources: Path) -> Records:
    """What the function `consumer` got since the test began."""
    folder = probe_sources / "delivered"
    for old in folder.iterdir():
        old.unlink()
    url = probe.sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    while messages := probe.sqs.receive_message(QueueUrl=url).get("Messages"):
        probe.sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    return lambda: [json.loads(path.read_text()) for path in folder.glob("*.json")]


def _send(probe: Cloud, *bodies: str) -> None:
    url = probe.sqs.get_queue_url(QueueName="work")["QueueUrl"]
    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)]
    probe.sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _waiting(probe: Cloud, queue: str) -> int:
    url = probe.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = probe.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, attributes.values()))


@pytest.mark.fault("F8")
def test_a_batch_loses_only_what_failed_and_that_ends_in_the_dead_letters(
    probe: Cloud, delivered: Records
) -> None:
    _send(probe, "good", "poison", "fine")

    eventually(lambda: _waiting(probe, "dead") == 1, within_s=15, what="the poison is set aside")

    bodies = sorted(record["body"] for record in delivered())
    assert bodies == ["fine", "good", "poison", "poison"]
    assert _waiting(probe, "work") == 0
    receives = [
        record["attributes"]["ApproximateReceiveCount"]
        for record in delivered()
        if record["body"] == "poison"
    ]
    assert sorted(receives) == ["1", "2"]


def test_a_call_that_fails_brings_its_whole_batch_again(probe: Cloud, delivered: Records) -> None:
    _send(probe, "raise")

    eventually(lambda: _waiting(probe, "dead") == 1, within_s=15, what="the message is set aside")

    assert [record["body"] for record in delivered()] == ["raise", "raise"]


def test_what_a_topic_is_told_reaches_a_function_as_it_was_told(
    probe: Cloud, delivered: Records
) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:notices"
    probe.client("sns").publish(TopicArn=topic, Message='{"invocationStatus":"Completed"}')

    records = eventually(delivered, within_s=10, what="the notice is delivered")

    assert [record["body"] for record in records] == ['{"invocationStatus":"Completed"}']


def test_an_object_in_a_bucket_reaches_a_function(probe: Cloud, delivered: Records) -> None:
    probe.s3.put_object(Bucket="watched", Key="out/a.csv", Body=b"1")
    made = probe.s3.put_object(Bucket="watched", Key="in/é +1.csv", Body=b"12")

    records = eventually(delivered, within_s=10, what="the object's event is delivered")

    assert len(records) == 1
    record, event = records[0], json.loads(records[0]["body"])
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:eu-west-1:123456789012:work"
    assert set(record["attributes"]) >= {"ApproximateReceiveCount", "SentTimestamp", "SenderId"}
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["object"]["key"] == "in/é +1.csv"
    assert event["detail"]["object"]["size"] == 2
    assert event["detail"]["object"]["version-id"] == made["VersionId"]
    assert event["detail"]["object"]["etag"] == made["ETag"].strip('"')
    assert event["detail"]["reason"] == "PutObject"
