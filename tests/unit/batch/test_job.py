"""Jobs move forward only, and belong to one worker at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.job import Counts, Job, JobState, Source, Target
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.errors import Conflict

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
JOB = Job(
    "0" * 32,
    Source("inbox", "linear/rows.csv", "v1", "e1", 40),
    Target("results", "linear/rows.csv/0/"),
    created_at=NOON.isoformat(),
    model="linear",
    version=1,
    digest="d",
)


def test_a_job_that_waits_is_begun_with_a_lease():
    job = JOB.start(NOON, 900)

    assert (job.state, job.attempt) == (JobState.RUNNING, 1)
    assert job.lease_until == "2026-11-23T12:15:00+00:00"
    assert job.started_at == "2026-11-23T12:00:00+00:00"


def test_a_job_is_not_begun_while_another_worker_has_it():
    job = JOB.start(NOON, 900)

    with pytest.raises(Conflict, match="belongs to another worker until 2026-11-23T12:15"):
        job.start(NOON + timedelta(seconds=899), 900)


def test_a_job_whose_worker_died_is_begun_again():
    job = JOB.start(NOON, 900).start(NOON + timedelta(seconds=900), 900)

    assert (job.state, job.attempt) == (JobState.RUNNING, 2)
    assert job.started_at == "2026-11-23T12:00:00+00:00"


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (Counts(3, 0), JobState.SUCCEEDED),
        (Counts(0, 0), JobState.SUCCEEDED),
        (Counts(2, 1), JobState.PARTIAL),
        (Counts(0, 3), JobState.FAILED),
    ],
)
def test_the_records_decide_how_a_job_ends(counts, state):
    assert JOB.start(NOON, 900).finished(counts, NOON).state is state


def test_a_caller_sees_the_facts_of_a_job():
    job = JOB.start(NOON, 900).finished(Counts(2, 1), NOON + timedelta(seconds=2), sha256="5")
    job = replace(job, content=Content(FileFormat.CSV, Compression.GZIP))

    assert job.to_dict() == {
        "job_id": "0" * 32,
        "state": "partial",
        "model": "linear",
        "version": 1,
        "digest": "d",
        "input": {"bucket": "inbox", "key": "linear/rows.csv", "version_id": "v1"},
        "format": "csv",
        "compression": "gzip",
        "results": {
            "bucket": "results",
            "prefix": "linear/rows.csv/0/",
            "records": "joined",
            "sha256": "5",
        },
        "rows_in": 3,
        "rows_ok": 2,
        "rows_failed": 1,
        "estimated_cost_usd": None,
        "created_at": "2026-11-23T12:00:00+00:00",
        "started_at": "2026-11-23T12:00:00+00:00",
        "finished_at": "2026-11-23T12:00:02+00:00",
    }


MOVES = {
    "start": lambda job, now: job.start(now, 60),
    "progressed": lambda job, now: job.progressed(Counts(1, 0)),
    "released": lambda job, now: job.released(),
    "finished": lambda job, now: job.finished(Counts(1, 1), now),
    "failed": lambda job, now: job.failed("why", now),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 90)), max_size=20))
def test_whatever_comes_an_end_is_final_and_an_attempt_has_one_owner(moves):
    job, now = JOB, NOON
    for name, seconds in moves:
        now += timedelta(seconds=seconds)
        try:
            moved = MOVES[name](job, now)
        except Conflict:
            continue
        assert not job.state.final
        assert moved.attempt == job.attempt + (name == "start")
        if name == "start" and job.state is JobState.RUNNING:
            assert now >= datetime.fromisoformat(job.lease_until)
        assert (moved.finished_at is not None) == moved.state.final
        job = moved
