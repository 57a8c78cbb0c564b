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
        dead: URLs of the dead letters of all queues.
        environment: of the functions, by name.
        parquet, hand_off, collect: more queues' URLs, where there are any.
    """

    files: str
    shards: str
    ended: str
    dead: tuple[str, ...]
    environment: dict[str, dict[str, str]]
    parquet: str = ""
    hand_off: str = ""
    collect: str = ""

    @property
    def work(self) -> list[str]:
        """URLs of the queues that feed functions."""
        urls = (self.files, self.shards, self.parquet, self.hand_off, self.collect)
        return [url for url in urls if url]


@contextmanager
def cloud(patch: Any, *, patience_s: int) -> Iterator[Cloud]:
    """Give a cloud with the model `linear`; this process's clients are of it.

    Args:
        patch: sets this process's environment.
        patience_s: the sweeper's.
    """
    with served(patch) as environment:
        yield _furnished(environment, patience_s)


@contextmanager
def served(patch: Any) -> Iterator[dict[str, str]]:
    """Give the environment by which clients are of an empty AWS; it is this process's, too.

    Args:
        patch: sets this process's environment.
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
        environment = CREDENTIALS | {"AWS_ENDPOINT_URL": url}
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment
    finally:
        server.stdin.close()
        server.wait(timeout=30)
        server.stdout.close()


def _furnished(environment: dict[str, str], patience_s: int) -> Cloud:
    worlds.make()
    worlds.publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    files, dead_files = work_queue("files", receives=2 * TRIES)
    shards, dead_shards = work_queue("shards", receives=2 * TRIES)
    queues = {"shards_queue_url": shards, "files_queue_url": files, "queue_url": shards}
    changed = queues | {
        "shard_bytes": _SHARD_BYTES,
        "batch_rows": _ROWS_AT_ONCE,
        "patience_s": patience_s,
    }
    return Cloud(
        files,
        shards,
        told_of_ends(),
        (dead_files, dead_shards),
        {name: settings_of(name, changed) | environment for name in ("intake", "batch", "sweep")},
    )


def settings_of(function: str, changed: dict[str, Any]) -> dict[str, str]:
    """Return a function's environment; *changed* are settings of any."""
    values = dict(SETTINGS[function].to_env())
    named = {f"HEADRACE_{name.upper()}": str(value) for name, value in changed.items()}
    return (
        values
        | {name: value for name, value in named.items() if name in values}
        | {"AWS_LAMBDA_FUNCTION_NAME": function, "POWERTOOLS_SERVICE_NAME": function}
    )


def work_queue(name: str, *, receives: int) -> tuple[str, str]:
    """Return the URLs of a queue and of its dead letters.

    Args:
        name: of the queue.
        receives: how often a message may be. More often than on AWS, where one is to come to its
            end without the sweeper: a kill costs it a receive, and so does each look at a shard
            that a killed worker has yet.
    """
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    redrive = {
        "deadLetterTargetArn": arn["Attributes"]["QueueArn"],
        "maxReceiveCount": receives,
    }
    attributes = {"VisibilityTimeout": str(VISIBILITY_S), "RedrivePolicy": json.dumps(redrive)}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], dead


def told_of_ends(name: str = "ended", detail: dict[str, Any] | None = None) -> str:
    """Return the URL of a queue that a rule feeds with our events, as `notify`'s is.

    Args:
        name: of the queue, which may be there.
        detail: a pattern of what those events say that it is told of.
    """
    sqs, events = boto3.client("sqs"), boto3.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    pattern = {"source": ["headrace"], "detail-type": ["Job Ended"]}
    pattern |= {"detail": detail} if detail else {}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}])
    return url
