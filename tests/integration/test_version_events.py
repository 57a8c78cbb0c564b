"""Whoever waits for versions to move is told; nobody waits for whoever tells."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from headrace_runtime.aws.version_events import VersionEvents
from tests import onnx_models


@pytest.fixture
def told(aws: None) -> Any:
    """Return what the default bus was told, each event's detail."""
    sqs, events = boto3.client("sqs"), boto3.client("events")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {"source": ["headrace"], "detail-type": ["Versions Moved"]}
    events.put_rule(Name="moved", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="moved", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])

    def told() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(one["Body"])["detail"] for one in answer.get("Messages", [])]

    return told


def test_an_alias_that_moves_is_told_of(told, function, event, context, publish):
    for features in (4, 5):
        publish("digits", onnx_models.linear(features), onnx_models.linear_signature(features))
    moved = event("manage.move_alias", body=json.dumps({"version": 2}))

    answer = function("manage").lambda_handler(moved, context)

    assert answer["statusCode"] == 200
    assert told() == [{"model": "digits"}]


def test_a_bus_that_is_out_of_reach_fails_nobody(aws):
    events = boto3.client("events")

    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    events.meta.events.register("before-send.events.PutEvents", unreachable)

    VersionEvents(events=events).moved("digits")
