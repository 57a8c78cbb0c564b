"""What was lost is found, and what stands in the way of one thing keeps no other from it."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError

from headrace_runtime.aws import sweeping
from headrace_runtime.aws.dropped import dropped_file


@pytest.fixture
def sweep(function: Callable[..., ModuleType]) -> ModuleType:
    """The handler, which misses whatever did not move this very moment."""
    url = boto3.client("sqs").create_queue(QueueName="files")["QueueUrl"]
    urls = dict.fromkeys(("files_queue_url", "shards_queue_url", "parquet_queue_url"), url)
    return function("sweep", **urls, patience_s=-1)


def drop(*names: str) -> None:
    for name in names:
        boto3.client("s3").put_object(Bucket="inbox", Key=f"linear/{name}.csv", Body=b"1")


def queued() -> list[str]:
    """Return the keys of files that `intake` is told of."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="files")["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    files = [dropped_file(message["Body"]) for message in answer.get("Messages", [])]
    return [file.key for file in files if file]


def test_a_file_that_no_event_told_of_is_found(sweep: ModuleType, context: Any) -> None:
    """F24."""
    drop("a")

    assert sweep.lambda_handler({}, context) == {"file": 1}
    assert queued() == ["linear/a.csv"]


def test_many_files_are_looked_up_together(sweep: ModuleType, context: Any) -> None:
    drop(*map(str, range(201)))
    requests: list[str] = []
    sweep.sweeping.dynamodb.meta.events.register(
        "before-call.dynamodb.*", lambda model, **_: requests.append(model.name)
    )

    assert sweep.lambda_handler({}, context) == {"file": 201}
    assert requests.count("BatchGetItem") == 3
    assert "GetItem" not in requests


def test_a_fault_about_some_files_keeps_no_others_from_being_found(
    sweep: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_AT_ONCE", 1)
    drop("a", "b", "c")
    faults = iter([ConnectionClosedError(endpoint_url="dynamodb")])

    def break_once(**_: Any) -> None:
        if fault := next(faults, None):
            raise fault

    sweep.sweeping.dynamodb.meta.events.register("before-call.dynamodb.BatchGetItem", break_once)

    assert sweep.lambda_handler({}, context) == {"file": 2}
    assert queued() == ["linear/b.csv", "linear/c.csv"]


def test_a_sweep_ends_before_its_time_does(
    sweep: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_AT_ONCE", 1)
    drop("a", "b", "c")
    left = iter(range(60_000, 0, -10_000))
    monkeypatch.setattr(type(context), "get_remaining_time_in_millis", lambda _: next(left))

    assert sweep.lambda_handler({}, context) == {"file": 1}
