"""A storm over jobs that SageMaker answers, or should have."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import boto3

from headrace_runtime.aws.job_items import shard_of
from headrace_runtime.batch.shard import Shard
from tests.chaos.cloud import Cloud
from tests.chaos.crew import Crew, crew_of
from tests.chaos.files import File
from tests.chaos.gauges import Gauge
from tests.chaos.gpu_cloud import gpu_cloud, open_the_endpoint
from tests.chaos.gpu_fates import OVERDUE_S
from tests.chaos.gpu_files import gpu_files
from tests.chaos.gpu_sagemaker import SageMaker
from tests.chaos.reader import Reader
from tests.chaos.storm import WORKERS, Size, Storm, Weather
from tests.chaos.worker import SWEEP_BUDGET_S, Function, Post

_PATIENCE_S = 4  # the sweeper's
_MADE_S = 3.0  # the endpoint, from the first file on
_GONE_EVERY_S, _GONE_S = 15.0, 1.5
_REST_S = 0.4  # a queue's, that was empty: looking at queues takes AWS's time, too
_LOOK_EVERY_S = 1.0
_FAULTY = ("dynamodb", "s3", "sqs", "sagemaker", "sagemaker-runtime")
_SHORTENED = {
    "AsyncEndpoint.longest_s": OVERDUE_S,
    "_TRANSFORM_S": 20.0,
    "_SENDING_S": 0.5,
    "_ENDING_S": 0.5,
    "_MAX_SHARDS": 3,  # a larger file is a transform job's
    "_SOONEST_S": 1,
    "_LATEST_S": 2,
    "BLOCK_BYTES": 1 << 10,
}


@dataclass
class GpuStorm(Storm):
    """What a storm left behind.

    Attributes:
        shards: as they stand in the end, by job.
        taken: how often each body was sent, by its inference id.
        transforms: how each transform job stands, by its name.
    """

    shards: dict[str, list[Shard]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    transforms: dict[str, str] = field(default_factory=dict)


def gpu_storm(size: Size, patch: Any, logs: Path) -> Iterator[GpuStorm]:
    """Yield what a storm left, its cloud still there; then take it away.

    Args:
        size: of the storm.
        patch: sets this process's environment.
        logs: a folder for what workers print.
    """
    with gpu_cloud(patch, patience_s=_PATIENCE_S, seed=size.seed) as (at, sagemaker):
        began = monotonic()
        with crew_of(_posts(size, at, logs), Random(size.seed)) as crew, Reader() as reader:
            weather = GpuWeather(size, at, crew, sagemaker)
            weather.rage()
            left = weather.left
        reader.look()
        left.wrong, left.bodies = reader.wrong, reader.bodies
        left.shards = _shards()
        left.taken, left.transforms = sagemaker.taken, sagemaker.transforms
        left.figures = {"seconds": round(monotonic() - began)} | _figures(left, sagemaker, crew)
        yield left


def _figures(left: GpuStorm, sagemaker: SageMaker, crew: Crew) -> dict[str, int]:
    shards = [shard for shards in left.shards.values() for shard in shards]
    rounds = Counter(int(name.rpartition(".")[2]) for name in left.taken)
    return {
        "jobs": len(left.jobs),
        "shards": len(shards),
        "bodies": len({name.rpartition(".")[0] for name in left.taken}),
        **{f"round {round_}": number for round_, number in sorted(rounds.items())},
        "sent once more": left.taken.total() - len(left.taken),
        "fallbacks": sum(shard.on_cpu for shard in shards),
        **{f"notices {name}": number for name, number in sorted(sagemaker.figures.items())},
        "events lost": sum(not told_by for told_by in left.told_by.values()),
        "deliveries": crew.count(Gauge.DELIVERIES),
        "kills": crew.kills,
        "out of time": crew.ran_out,
        "faults before": crew.count(Gauge.BEFORE),
        "faults after": crew.count(Gauge.AFTER),
        "requests": crew.count(Gauge.REQUESTS),
        "raised": crew.count(Gauge.RAISED),
        "sweeps": crew.count(Gauge.SWEEPS),
        "found": crew.count(Gauge.FOUND),
        "dead letters": len(left.letters),
    }


def _posts(size: Size, at: Cloud, logs: Path) -> list[Post]:
    workers = (
        Function("intake", at.files, batch_size=10),
        Function("batch", at.shards),
        Function("batch_parquet", at.parquet),
        Function("hand_off", at.hand_off),
        Function("collect", at.collect, batch_size=5),
    )
    sweeper = (Function("sweep", every_s=size.sweep_every_s, budget_s=SWEEP_BUDGET_S),)
    posts = [Post(workers, at.environment, logs, 0, _FAULTY, _SHORTENED, _REST_S)] * WORKERS
    posts += [Post(sweeper, at.environment, logs, 0, _FAULTY)]
    return [replace(post, log=logs / f"{number}.log") for number, post in enumerate(posts)]


class GpuWeather(Weather):
    """Weather in which SageMaker works, or does not."""

    def __init__(self, size: Size, at: Cloud, crew: Crew, sagemaker: SageMaker) -> None:
        super().__init__(size, at, crew)
        self.left = GpuStorm()
        self._sagemaker = sagemaker
        self._began = self._gone_at = monotonic()
        self._making = True
        self._looked_at = self._heard_at = 0.0
        self._waiting = 0

    def _files(self) -> Iterator[File]:
        return gpu_files(self._size.files, self._draw)

    def _hear(self) -> None:
        now = monotonic()
        if now > self._heard_at + _LOOK_EVERY_S:
            self._heard_at = now
            super()._hear()
        if self._making and now > self._began + _MADE_S:
            self._making = False
            open_the_endpoint()
        if now > self._gone_at + _GONE_EVERY_S:
            self._gone_at, self._sagemaker.gone_until = now, now + _GONE_S
        self._sagemaker.step()

    def _messages(self, *, hidden: bool = False) -> int:
        now = monotonic()
        if hidden or now > self._looked_at + _LOOK_EVERY_S:
            self._looked_at = now
            self._waiting = super()._messages(hidden=hidden)
        return self._waiting

    def _restless(self) -> bool:
        return self._sagemaker.busy or super()._restless()


def _shards() -> dict[str, list[Shard]]:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="jobs")
    found: dict[str, list[Shard]] = {}
    for page in pages:
        for item in page["Items"]:
            if item["sk"]["S"].startswith("SHARD#"):
                shard = shard_of(item)
                found.setdefault(shard.job_id, []).append(shard)
    return {job_id: sorted(some, key=lambda one: one.number) for job_id, some in found.items()}
