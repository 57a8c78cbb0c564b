"""The cloud that the chaos is let loose on: buckets, tables, queues with their dead letters."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from tests import onnx_models, worlds
from tests.chaos.worker import TRIES
from tests.conftest import CREDENTIALS, ROOT, SETTINGS

VISIBILITY_S = 6  # less than an invocation may take: some work is delivered while it is worked
_SHARD_BYTES, _ROWS_AT_ONCE = 16 << 10, 256


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where things are.

    Attributes:
        files, shards: queues' URLs.
        ended: URL of a queue that is told of jobs' ends.
        dead: URLs of the dead letters of both.
        environment: of the functions, by name.
    """

    files: str
    shards: str
    ended: str
    dead: tuple[str, str]
    environment: dict[str, dict[str, str]]


@contextmanager
def cloud(patch: Any, *, patience_s: int) -> Iterator[Cloud]:
    """Give a cloud with the model `linear`; this process's clients are of it.

    Args:
        patch: sets this process's environment.
        patience_s: the sweeper's.
    """
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.aws_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = server.stdout.readline().strip()
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": url}).items():
            patch.setenv(name, value)
        yield _furnished(CREDENTIALS | {"AWS_ENDPOINT_URL": url}, patience_s)
    finally:
        server.stdin.close()
        server.wait(timeout=30)
        server.stdout.close()


def _furnished(environment: dict[str, str], patience_s: int) -> Cloud:
    worlds.make()
    worlds.publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    files, dead_files = _work_queue("files")
    shards, dead_shards = _work_queue("shards")
    queues = {"shards_queue_url": shards, "files_queue_url": files, "queue_url": shards}
    changed = queues | {
        "shard_bytes": _SHARD_BYTES,
        "batch_rows": _ROWS_AT_ONCE,
        "patience_s": patience_s,
    }
    return Cloud(
        files,
        shards,
        _told_of_ends(),
        (dead_files, dead_shards),
        {name: _settings(name, changed) | environment for name in ("intake", "batch", "sweep")},
    )


def _settings(function: str, changed: dict[str, Any]) -> dict[str, str]:
    values = dict(SETTINGS[function].to_env())
    named = {f"HEADRACE_{name.upper()}": str(value) for name, value in changed.items()}
    return (
        values
        | {name: value for name, value in named.items() if name in values}
        | {"AWS_LAMBDA_FUNCTION_NAME": function, "POWERTOOLS_SERVICE_NAME": function}
    )


def _work_queue(name: str) -> tuple[str, str]:
    """Return the URLs of a queue and of its dead letters.

    A message may be received more often than on AWS, as often as a shard may be begun and as much
    again: a kill costs it a receive, and so does each look at a shard that a killed worker has yet.
    """
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    redrive = {
        "deadLetterTargetArn": arn["Attributes"]["QueueArn"],
        "maxReceiveCount": 2 * TRIES,
    }
    attributes = {"VisibilityTimeout": str(VISIBILITY_S), "RedrivePolicy": json.dumps(redrive)}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], dead


def _told_of_ends() -> str:
    """Return the URL of a queue that a rule feeds with our events, as `notify`'s is."""
    sqs, events = boto3.client("sqs"), boto3.client("events")
    url = sqs.create_queue(QueueName="ended")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    pattern = {"source": ["headrace"], "detail-type": ["Job Ended"]}
    events.put_rule(Name="ended", EventPattern=json.dumps(pattern))
    events.put_targets(
        Rule="ended", Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}]
    )
    return url
