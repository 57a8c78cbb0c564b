"""What failed comes again soon, and later the more often it came."""

from collections.abc import Callable

import boto3
import pytest

from headrace_runtime.aws.retries import Retries
from headrace_runtime.errors import Conflict, Unavailable


@pytest.fixture
def received(aws: None) -> tuple[str, str]:
    """A queue's URL, and the receipt of its one message."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "5400"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    return url, sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]


@pytest.fixture
def soon(received: tuple[str, str]) -> Callable[[Exception, int], int]:
    retries = Retries(received[0], sqs=boto3.client("sqs"))
    return lambda error, receives: retries.soon(error, received[1], receives)


def test_a_fault_is_tried_again_later_and_later(soon: Callable[[Exception, int], int]) -> None:
    delays = [soon(Unavailable("S3 broke off"), receives) for receives in range(1, 7)]

    assert delays == [20, 60, 180, 540, 900, 900]


def test_what_another_worker_has_comes_again_when_its_run_is_over(
    soon: Callable[[Exception, int], int],
) -> None:
    assert soon(Conflict("it belongs to another worker"), 1) == 900


def test_a_message_that_the_queue_knows_no_more_is_left_to_it(received: tuple[str, str]) -> None:
    retries = Retries(received[0], sqs=boto3.client("sqs"))

    assert retries.soon(Unavailable("S3 broke off"), "no receipt", 1) == 0
