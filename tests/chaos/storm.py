"""Files dropped while workers are killed, requests fail, events are doubled, shuffled and lost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import boto3

from headrace_runtime.aws.job_items import job_of
from headrace_runtime.batch.job import Job
from tests.chaos.cloud import Cloud, cloud
from tests.chaos.crew import Crew, crew_of
from tests.chaos.files import File, files
from tests.chaos.gauges import Gauge
from tests.chaos.reader import Reader
from tests.chaos.worker import SWEEP_BUDGET_S, Function, Post
from tests.conftest import ROOT

WORKERS = 3
_MOST_WAITING = 24  # messages; more files are dropped once there are fewer
_SHUFFLED = 30  # places by which an event may be late
_LOST = 0.04  # of files: none of their events is ever sent
_PATIENCE_S = 8  # the sweeper's
_STEP_S = 0.1
_TOLD_BY = (1, 1, 1, 2, 3)  # events


@dataclass(frozen=True, slots=True)
class Size:
    """How large a storm is.

    Attributes:
        kills: of workers at work, at least.
        sweep_every_s: between two looks of the sweeper.
        limit_s: after which what has not ended has not ended.
    """

    files: int
    kills: int
    sweep_every_s: float
    limit_s: float
    seed: int = 20261126


@dataclass
class Storm:
    """What a storm left behind.

    Attributes:
        dropped: files by key and version.
        told_by: how many events told of each of them.
        told: what the events of each job's end told, by the job.
        wrong: what the reader found wrong.
        bodies: what it saw of the results, by key.
        letters: bodies of dead letters.
        jobs: as they stand in the end.
        unfinished: how many are in the index of those that have not ended, or were not told of.
        figures: what is worth a line.
    """

    dropped: dict[tuple[str, str], File] = field(default_factory=dict)
    told_by: dict[tuple[str, str], int] = field(default_factory=dict)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    letters: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    unfinished: int = 0
    figures: dict[str, float] = field(default_factory=dict)


def storm(size: Size, patch: Any, logs: Path) -> Iterator[Storm]:
    """Yield what a storm left, its cloud still there; then take it away.

    Args:
        size: of the storm.
        patch: sets this process's environment.
        logs: a folder for what workers print.
    """
    with cloud(patch, patience_s=_PATIENCE_S) as at:
        began = monotonic()
        with crew_of(_posts(size, at, logs), Random(size.seed)) as crew, Reader() as reader:
            weather = Weather(size, at, crew)
            weather.rage()
            left = weather.left
        reader.look()
        left.wrong, left.bodies = reader.wrong, reader.bodies
        left.figures |= {
            "seconds": round(monotonic() - began),
            "files": len(left.dropped),
            "lost": sum(not told_by for told_by in left.told_by.values()),
            "deliveries": crew.count(Gauge.DELIVERIES),
            "kills": crew.kills,
            "out of time": crew.ran_out,
            "faults before": crew.count(Gauge.BEFORE),
            "faults after": crew.count(Gauge.AFTER),
            "requests": crew.count(Gauge.REQUESTS),
            "raised": crew.count(Gauge.RAISED),
            "sweeps": crew.count(Gauge.SWEEPS),
            "found": crew.count(Gauge.FOUND),
            "found files": crew.count(Gauge.FOUND_FILES),
            "looks": reader.looks,
            "dead letters": len(left.letters),
        }
        yield left


def _posts(size: Size, at: Cloud, logs: Path) -> list[Post]:
    workers = (Function("intake", at.files, batch_size=10), Function("batch", at.shards))
    sweeper = (Function("sweep", every_s=size.sweep_every_s, budget_s=SWEEP_BUDGET_S),)
    crew = [workers] * WORKERS + [sweeper]
    return [
        Post(functions, at.environment, logs / f"{number}.log", seed=0)
        for number, functions in enumerate(crew)
    ]


class Weather:
    """Drops files and sends their events, hears of jobs' ends, kills workers in between."""

    def __init__(self, size: Size, at: Cloud, crew: Crew) -> None:
        self._size = size
        self._at = at
        self._crew = crew
        self._draw = Random(size.seed)
        self._s3, self._sqs = boto3.client("s3"), boto3.client("sqs")
        self._dynamodb = boto3.client("dynamodb")
        self._drops = self._dropping()
        self.left = Storm()

    def rage(self) -> None:
        """Go on until all jobs have ended and no message is left, or until it takes too long."""
        until = monotonic() + self._size.limit_s
        while monotonic() < until and (next(self._drops, None) or self._restless()):
            sleep(_STEP_S)
            self._crew.look_after()
            self._hear()
            if self._crew.kills < self._size.kills * self._calm:
                self._crew.kill_one()
        self.left.letters = [body for url in self._at.dead for body in self._taken(url)]
        pages = self._dynamodb.get_paginator("scan").paginate(TableName="jobs")
        items = [item for page in pages for item in page["Items"]]
        self.left.jobs = [job_of(item) for item in items if item["sk"]["S"] == "JOB"]
        self.left.unfinished = self._unfinished()

    @property
    def _calm(self) -> float:
        """How much of it is over: a little more than the share of jobs that have ended."""
        return (len(self.left.told) + 2) / self._size.files

    def _restless(self) -> bool:
        """Whether anything may move yet."""
        if len(self.left.told) < self._size.files or self._crew.kills < self._size.kills:
            return True
        return self._unfinished() > 0 or self._messages(hidden=True) > 0

    def _files(self) -> Iterator[File]:
        return files(self._size.files, self._draw)

    def _dropping(self) -> Iterator[str]:
        """Drop files, a few each time, and send their events, early or late."""
        late: list[tuple[int, int, str]] = []
        for place, file in enumerate(self._files()):
            put = self._s3.put_object(Bucket="inbox", Key=file.key, Body=file.body)
            told_by = 0 if self._draw.random() < _LOST else self._draw.choice(_TOLD_BY)
            self.left.dropped[file.key, put["VersionId"]] = file
            self.left.told_by[file.key, put["VersionId"]] = told_by
            for _ in range(told_by):
                at = place + self._draw.randrange(_SHUFFLED)
                heappush(late, (at, self._draw.getrandbits(32), _event(file, put)))
            self._send_until(place, late)
            if place % 8 == 0:
                yield "dropped"
                while self._messages() > _MOST_WAITING:
                    yield "enough wait"
        self._send_until(self._size.files + _SHUFFLED, late)

    def _send_until(self, place: int, late: list[tuple[int, int, str]]) -> None:
        while late and late[0][0] <= place:
            self._sqs.send_message(QueueUrl=self._at.files, MessageBody=heappop(late)[-1])

    def _messages(self, *, hidden: bool = False) -> int:
        """Return how many wait; with those that are hidden, or without."""
        names = ["ApproximateNumberOfMessages"] + ["ApproximateNumberOfMessagesNotVisible"] * hidden
        return sum(
            int(number)
            for url in self._at.work
            for number in self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)[
                "Attributes"
            ].values()
        )

    def _unfinished(self) -> int:
        return self._dynamodb.query(
            TableName="jobs",
            IndexName="unfinished",
            KeyConditionExpression="unfinished = :yes",
            ExpressionAttributeValues={":yes": {"S": "1"}},
            Select="COUNT",
        )["Count"]

    def _hear(self) -> None:
        for body in self._taken(self._at.ended):
            detail = json.loads(body)["detail"]
            self.left.told.setdefault(detail["job_id"], []).append(detail)

    def _taken(self, url: str) -> Iterator[str]:
        """Take all messages out of a queue."""
        while True:
            answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]
            if len(answer.get("Messages", [])) < 10:
                return


def _event(file: File, put: dict[str, Any]) -> str:
    """Return the message that tells of a file, as EventBridge makes it."""
    sample = json.loads((ROOT / "events/intake.csv.json").read_text())
    message: dict[str, Any] = json.loads(sample["Records"][0]["body"])
    message["detail"]["object"] |= {
        "key": file.key,
        "size": len(file.body),
        "version-id": put["VersionId"],
        "etag": put["ETag"].strip('"'),
    }
    return json.dumps(message)
