"""Jobs and shards as items: what a table's item may hold, whatever the file and the model."""

import json
import zlib
from dataclasses import replace

import pytest

from headrace_runtime.aws.job_items import job_of, new_job_item, shard_item, shard_of
from headrace_runtime.aws.shard_writing import MAX_LAYOUT_BYTES
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.handed import MAX_BODIES, Handed
from headrace_runtime.batch.job import Cut, Job
from headrace_runtime.batch.placement import Engine, Placement
from headrace_runtime.batch.shard import Part, Range, Shard
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.stop import Stop
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.records import Position

ITEM_BYTES = 400_000  # DynamoDB's limit is 400 KiB

JOB = "ab" * 16
SOURCE = Source("inbox", "m/rows.csv", "v1", "e", 10)
NEW_OF_JOBS, NEW_OF_SHARDS = {"placement", "deadline_s"}, {"handed", "on_cpu"}


def part(number: int, layout: str) -> Part:
    return Part(
        Counts(987_654, 321),
        results=f"_parts/{JOB}/00004999.{number}.results",
        results_bytes=123_456_789 + number,
        sha256=f"{number * 2654435761**7 % 2**256:064x}",
        errors=f"_parts/{JOB}/00004999.{number}.errors",
        errors_bytes=98_765 + number,
        layout=layout,
    )


def size_bytes(item: dict[str, dict]) -> int:
    return sum(
        len(name) + len(value if isinstance(value, bytes) else str(value).encode())
        for name, typed in item.items()
        for value in typed.values()
    )


@pytest.mark.fault("F16")
def test_a_shard_of_a_thousand_parts_is_one_item() -> None:
    layout = ",".join(f"column_{i}" for i in range(1000)) + "\n"
    parts = tuple(part(number, layout) for number in range(1000))
    rest = Range(Position(2**40, 10**9, 10**9), 2**40 + 2**26, 10**9)
    shard = Shard(JOB, 4999, rest, attempt=2000, parts=parts, cost_usd=123.456)

    item = shard_item(shard)

    assert size_bytes(item) < ITEM_BYTES / 2
    assert shard_of(item) == shard


@pytest.mark.fault("F16")
@pytest.mark.parametrize("names", ["distinct", "alike"])
def test_the_longest_header_is_held_once_for_all_parts(names: str) -> None:
    texts = (f"{i * 2654435761 % 2**32:08x}" if names == "distinct" else "ÿ" for i in range(2**18))
    layout = ",".join(texts)[:MAX_LAYOUT_BYTES]
    parts = tuple(part(number, layout) for number in range(100))

    item = shard_item(Shard(JOB, 0, parts=parts))

    assert size_bytes(item) < ITEM_BYTES
    assert shard_of(item).parts == parts


@pytest.mark.fault("F16")
def test_the_item_of_a_job_does_not_grow_with_its_shards() -> None:
    job = Job(
        JOB,
        Source("b" * 63, "linear/" + "é" * 508, "v" * 1024, "e" * 40, 2**40),
        Target("b" * 63, "é" * 512),
        "2026-11-26T00:00:00.000000+00:00",
        model="m" * 63,
        version=999_999_999,
        digest="d" * 64,
        content=Content(FileFormat.CSV),
        stop=Stop("INVALID_INPUT", "why " * 500),
        webhook=Webhook("https://" + "h" * 2000, "whsec_" + "s" * 32),
    )
    large = replace(job, cut=Cut(5000, Position(2**40, 10**10, 10**10), complete=True))

    item = new_job_item(large)

    assert size_bytes(item) - size_bytes(new_job_item(job)) < 100
    assert size_bytes(item) < ITEM_BYTES / 10
    assert job_of(item) == large


def test_a_shard_with_sagemaker_is_one_item_however_many_bodies_it_has() -> None:
    sizes = tuple(1 + number * 7919 % 65_536 for number in range(MAX_BODIES))
    handed = Handed(7, sizes, 12, "2026-11-26T09:00:00+00:00", round=3, sent=9, done=4)
    shard = Shard(JOB, 4999, attempt=8, handed=handed, on_cpu=False)

    item = shard_item(shard)

    assert size_bytes(item) < ITEM_BYTES
    assert shard_of(item) == shard


def test_a_placed_job_is_read_back_as_it_was_written() -> None:
    placement = Placement(
        Engine.TRANSFORM, "it is huge", True, 0.5, (("rows", 3), ("format", "csv")), "shard 3: …"
    )
    job = Job(JOB, SOURCE, Target("results", "m/"), "2026-11-26T09:00:00+00:00")
    placed = replace(job, placement=placement, deadline_s=600)

    assert job_of(new_job_item(placed)) == placed


def test_what_was_written_before_there_were_gpus_is_read_on() -> None:
    job = Job(JOB, SOURCE, Target("results", "m/"), "2026-11-26T09:00:00+00:00")
    job_item, item = new_job_item(job), shard_item(Shard(JOB, 0))
    plain = json.loads(job_item["job"]["S"])
    job_item["job"] = {"S": json.dumps({n: v for n, v in plain.items() if n not in NEW_OF_JOBS})}
    plain = json.loads(zlib.decompress(item["shard"]["B"]))
    text = json.dumps({n: v for n, v in plain.items() if n not in NEW_OF_SHARDS})
    item["shard"] = {"B": zlib.compress(text.encode())}

    assert job_of(job_item) == job
    assert shard_of(item) == Shard(JOB, 0)
