"""One storm, and what must hold behind it: every record answered once, whatever died on the way.

300 files in `make test`, 10,000 in `make test-long`, by the same code. Workers are processes that
play Lambda (`worker.py`), killed at work; one in twenty of their requests to S3 and DynamoDB fails,
half of those once AWS has done what they ask (`faults.py`); events come up to three times, late, or
never (`storm.py`); somebody reads the results all the while (`reader.py`).
"""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest

from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import PARTS
from tests.chaos.files import Expected
from tests.chaos.storm import Size, Storm, storm

SIZES = {
    "300": Size(files=300, kills=15, sweep_every_s=3.0, limit_s=240.0),
    "10000": Size(files=10_000, kills=200, sweep_every_s=60.0, limit_s=5400.0),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("300"),
        pytest.param("10000", marks=[pytest.mark.long, pytest.mark.timeout(6000)]),
    ],
)
def after(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    """What a storm left."""
    with pytest.MonkeyPatch.context() as patch:
        for left in storm(SIZES[request.param], patch, tmp_path_factory.mktemp("chaos")):
            line = ", ".join(f"{name} {number}" for name, number in left.figures.items())
            with request.config.pluginmanager.get_plugin(
                "capturemanager"
            ).global_and_fixture_disabled():
                request.config.get_terminal_writer().line(f"\nchaos: {line}")
            yield left


def test_the_storm_was_one(after: Storm, request: pytest.FixtureRequest) -> None:
    size, figures = SIZES[request.node.callspec.params["after"]], after.figures

    assert figures["kills"] >= size.kills
    assert figures["lost"] > 0
    faults = figures["faults before"], figures["faults after"]
    assert min(faults) > 0.015 * figures["requests"]
    assert sum(faults) > 0.04 * figures["requests"]
    assert figures["looks"] > 10


def test_every_version_of_every_file_has_one_job(after: Storm) -> None:
    """F1, F2, F3: whatever the number of its events, and their order."""
    jobs = Counter((job.source.key, job.source.version_id) for job in after.jobs)

    assert jobs == Counter(dict.fromkeys(after.dropped, 1))


def test_every_job_ended_as_its_file_has_it(after: Storm) -> None:
    """F6, F7: though workers were killed in the midst of it, or their time was over."""
    for job in after.jobs:
        expected = expected_of(job, after)

        counts = job.counts.rows_ok, job.counts.rows_failed
        assert (job.state, *counts) == (expected.state, expected.answered, len(expected.listed)), (
            f"{job.source.key}: {job.error}"
        )


def test_every_record_is_answered_once_or_listed_once(after: Storm) -> None:
    """F6, F22: of whatever was written twice, one counts."""
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
            assert plain(files) == [expected.results], job.source.key


def test_no_job_is_left_unfinished(after: Storm) -> None:
    """F23: where a worker died between the results and the state, or the state and its news."""
    assert after.unfinished == 0


def test_lost_events_are_found(after: Storm) -> None:
    """F24: what a sweeper that is killed found, it cannot say; but the jobs are there."""
    lost = {place for place, told_by in after.told_by.items() if not told_by}
    jobs = {(job.source.key, job.source.version_id) for job in after.jobs if job.state.final}

    assert lost
    assert lost <= jobs
    assert after.figures["found files"] > 0


def test_a_reader_never_saw_half_a_file(after: Storm) -> None:
    """F42: no file before it is whole, no manifest before its files, and none that changed."""
    prefixes = {job.target.prefix for job in after.jobs}

    assert after.wrong == []
    assert {key.rpartition("/")[0] + "/" for key in after.bodies} == prefixes


def test_no_object_was_ever_written_twice(after: Storm) -> None:
    pages = boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket="results")
    results = Counter(
        version["Key"]
        for page in pages
        for version in page["Versions"]
        if not version["Key"].startswith(PARTS)
    )

    assert set(results.values()) == {1}


def test_everybody_was_told_of_each_end_and_always_the_same(after: Storm) -> None:
    ended = {job.job_id: (job.state, job.counts.rows_in) for job in after.jobs}

    told = {
        job_id: {(one["state"], one["rows_in"]) for one in told}
        for job_id, told in after.told.items()
    }

    assert told == {job_id: {end} for job_id, end in ended.items()}


def test_no_message_was_given_up(after: Storm) -> None:
    assert after.letters == []


def expected_of(job: Job, after: Storm) -> Expected:
    return after.dropped[job.source.key, str(job.source.version_id)].expected


def files_of(job: Job, after: Storm) -> dict[str, bytes]:
    """Return what lies under a job's prefix, by name."""
    prefix, names = job.target.prefix, ("errors.jsonl", "manifest.json", "results.csv")
    return {
        name: after.bodies[prefix + name]
        for name in (*names, "results.jsonl", "results.npy")
        if prefix + name in after.bodies
    }


def plain(files: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """Return names and contents; of NPY, the content is the array's bytes."""
    return [
        (name, np.load(io.BytesIO(body)).tobytes() if name.endswith(".npy") else body)
        for name, body in files.items()
    ]
