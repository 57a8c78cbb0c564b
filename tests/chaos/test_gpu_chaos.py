"""One storm over SageMaker, and what must hold behind it: jobs end true, nothing is answered twice.

100 files in `make test`, 1,000 in `make test-long`, by the same code. As in `test_chaos.py` workers
are killed at work, and requests to AWS fail before or after their effect; beside that SageMaker
fails, forgets, answers late, twice, too short, and tells of it never, once, or three times, in any
order (`gpu_fates.py`); its endpoint is not there at first, and is gone now and then; messages are
received five times, as on AWS, and then are dead letters, and the sweeper has to find their work.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import PARTS
from headrace_runtime.batch.shard import ShardState
from tests.chaos.files import Expected
from tests.chaos.gpu_files import plain_results
from tests.chaos.gpu_storm import GpuStorm, gpu_storm
from tests.chaos.storm import Size

SIZES = {
    "100": Size(files=100, kills=10, sweep_every_s=2.5, limit_s=400.0),
    "1000": Size(files=1000, kills=60, sweep_every_s=10.0, limit_s=2400.0),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("100", marks=pytest.mark.timeout(500)),  # a minute, where nobody else works
        pytest.param("1000", marks=[pytest.mark.long, pytest.mark.timeout(3000)]),
    ],
)
def after(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GpuStorm]:
    """What a storm left."""
    with pytest.MonkeyPatch.context() as patch:
        for left in gpu_storm(SIZES[request.param], patch, tmp_path_factory.mktemp("gpu")):
            line = ", ".join(f"{name} {number}" for name, number in left.figures.items())
            with request.config.pluginmanager.get_plugin(
                "capturemanager"
            ).global_and_fixture_disabled():
                request.config.get_terminal_writer().line(f"\nchaos on GPUs: {line}")
            yield left


def test_the_storm_was_one(after: GpuStorm, request: pytest.FixtureRequest) -> None:
    size, figures = SIZES[request.node.callspec.params["after"]], after.figures
    engines = Counter(job.placement.engine for job in after.jobs if job.placement)

    assert figures["kills"] >= size.kills
    assert engines["sagemaker-async"] > size.files / 2
    assert engines["sagemaker-transform"] > size.files / 20
    wanted = ("failed", "expired", "doubled", "dropped", "bad transforms")
    assert min(figures[f"notices {name}"] for name in wanted) > 0, figures
    assert min(figures[f"round {round_}"] for round_ in (1, 2, 3)) > 0, figures
    assert figures["fallbacks"] > 0
    assert min(figures["faults before"], figures["faults after"]) > 0.015 * figures["requests"]


@pytest.mark.fault("F33", "F34", "F35")
def test_every_job_ended_as_its_file_has_it(after: GpuStorm) -> None:
    jobs = Counter((job.source.key, job.source.version_id) for job in after.jobs)
    assert jobs == Counter(dict.fromkeys(after.dropped, 1))

    for job in after.jobs:
        expected = expected_of(job, after)
        counts = job.counts.rows_ok, job.counts.rows_failed
        assert (job.state, *counts) == (expected.state, expected.answered, len(expected.listed)), (
            f"{job.source.key}: {job.error}"
        )
    assert after.unfinished == 0


@pytest.mark.fault("F33", "F34", "F35")
def test_every_record_has_the_answer_that_it_has_on_lambda(after: GpuStorm) -> None:
    for job in after.jobs:
        expected, files = expected_of(job, after), files_of(job, after)
        listed = [json.loads(line) for line in files.pop("errors.jsonl").splitlines()]
        manifest = json.loads(files.pop("manifest.json"))

        assert manifest["state"] == job.state
        if expected.results is None:
            assert [(line["row"], line["code"]) for line in listed] == [(None, expected.code)]
            assert files == {}
        else:
            assert tuple((line["row"], line["line"]) for line in listed) == expected.listed
            plain = [(name, plain_results(name, body)) for name, body in files.items()]
            assert plain == [expected.results], job.source.key


def test_parquet_is_byte_for_byte_what_lambda_writes(after: GpuStorm) -> None:
    twins = defaultdict(list)
    for job in after.jobs:
        if job.source.key.endswith(".parquet"):
            number = job.source.key.rpartition("/")[2]
            parts = [len(shard.parts) for shard in after.shards[job.job_id]]
            twins[number, tuple(parts)].append(files_of(job, after)["results.parquet"])

    assert any(len(some) == 2 for some in twins.values())
    assert all(len(set(some)) == 1 for some in twins.values())


@pytest.mark.fault("F33", "F35")
def test_no_shard_was_answered_twice(after: GpuStorm) -> None:
    for job in after.jobs:
        shards = after.shards.get(job.job_id, [])
        parts = [part for shard in shards for part in shard.parts]

        if job.state in ("succeeded", "partial"):
            assert {shard.state for shard in shards} == {ShardState.DONE}
            assert job.shards_done == job.cut.shards == len(shards)
            assert sum(part.counts.rows_in for part in parts) == job.counts.rows_in


def test_no_object_was_ever_written_twice(after: GpuStorm) -> None:
    pages = boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket="results")
    results = Counter(
        version["Key"]
        for page in pages
        for version in page["Versions"]
        if not version["Key"].startswith(PARTS)
    )

    assert set(results.values()) == {1}
    assert after.wrong == []


def test_nothing_runs_on(after: GpuStorm) -> None:
    shards = [shard for shards in after.shards.values() for shard in shards]
    assert ShardState.RUNNING not in {shard.state for shard in shards}
    assert "InProgress" not in after.transforms.values()


def test_what_is_left_of_bodies_is_what_somebody_died_over(after: GpuStorm) -> None:
    """All of it goes by the bucket's rule; but it is the rule's to tidy up after deaths alone."""
    pages = (
        boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket="staging", Prefix="in/")
    )
    left = {
        one["Key"].removeprefix("in/").rpartition("/")[0]
        for page in pages
        for one in page.get("Contents", [])
    }
    collected = {
        f"{shard.job_id}/{shard.number:05}.{shard.handed.attempt}"
        for shards in after.shards.values()
        for shard in shards
        if shard.state is ShardState.DONE and shard.handed
    }
    figures = after.figures

    assert collected
    assert len(left & collected) <= figures["kills"] + figures["out of time"] + figures["raised"]


def test_everybody_was_told_of_each_end_and_always_the_same(after: GpuStorm) -> None:
    ended = {job.job_id: (job.state, job.counts.rows_in) for job in after.jobs}
    told = {
        job_id: {(one["state"], one["rows_in"]) for one in told}
        for job_id, told in after.told.items()
    }

    assert told == {job_id: {end} for job_id, end in ended.items()}


def expected_of(job: Job, after: GpuStorm) -> Expected:
    return after.dropped[job.source.key, str(job.source.version_id)].expected


def files_of(job: Job, after: GpuStorm) -> dict[str, bytes]:
    """Return what lies under a job's prefix, by name."""
    prefix = job.target.prefix
    return {
        key.removeprefix(prefix): body
        for key, body in after.bodies.items()
        if key.startswith(prefix)
    }
