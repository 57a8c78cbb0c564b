"""Jobs move forward only, and an end is final."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job, JobState
from headrace_runtime.batch.job_view import Progress, job_view
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.stop import CANCEL, Stop
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.records import Position
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


def ended(job: Job, counts: Counts) -> Job:
    return job.ended(counts, NOON + timedelta(seconds=2), sha256="5", cost_usd=0.5)


def test_a_job_is_begun_once_by_the_first_of_its_shards():
    first = JOB.begun(NOON)
    second = first.begun(NOON + timedelta(seconds=9))

    assert (first.state, first.started_at) == (JobState.RUNNING, "2026-11-23T12:00:00+00:00")
    assert second == first


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
    assert ended(JOB.begun(NOON), counts).state is state


def test_a_cancelled_job_keeps_what_was_done():
    job = ended(JOB.begun(NOON).asked_to_cancel(), Counts(2, 1))

    assert (job.state, job.counts, job.error) == (JobState.CANCELLED, Counts(2, 1), None)
    assert job.asked_to_cancel() == job


def test_of_a_job_that_failed_as_a_whole_no_record_counts():
    job = ended(JOB.begun(NOON).stopped(Stop("INVALID_INPUT", "why")), Counts(2, 1))

    assert (job.state, job.counts, job.error, job.sha256) == ("failed", Counts(), "why", None)


def test_the_first_reason_to_stop_counts():
    failing = JOB.stopped(Stop("INVALID_INPUT", "why"))

    assert failing.asked_to_cancel() == failing
    assert not failing.workable


def test_a_job_that_ended_cannot_be_cancelled():
    with pytest.raises(Conflict, match="is partial already: it was not stopped"):
        ended(JOB.begun(NOON), Counts(2, 1)).asked_to_cancel()


def test_a_caller_sees_the_facts_of_a_job():
    job = JOB.cut_to(Position(40, 4, 5), complete=True).begun(NOON)
    job = replace(
        ended(job, Counts(2, 1)),
        content=Content(FileFormat.CSV, Compression.GZIP),
        shards_done=1,
    )

    assert job_view(job) == {
        "job_id": "0" * 32,
        "state": "partial",
        "model": "linear",
        "version": 1,
        "digest": "d",
        "input": {
            "bucket": "inbox",
            "key": "linear/rows.csv",
            "version_id": "v1",
            "size_bytes": 40,
        },
        "format": "csv",
        "compression": "gzip",
        "results": {
            "bucket": "results",
            "prefix": "linear/rows.csv/0/",
            "records": "joined",
            "sha256": "5",
        },
        "placement": None,
        "deadline_s": None,
        "shards": {"total": 1, "done": 1},
        "cancel_requested": False,
        "rows_in": 3,
        "rows_ok": 2,
        "rows_failed": 1,
        "estimated_cost_usd": 0.5,
        "created_at": "2026-11-23T12:00:00+00:00",
        "started_at": "2026-11-23T12:00:00+00:00",
        "finished_at": "2026-11-23T12:00:02+00:00",
    }


def test_a_caller_sees_how_far_a_running_job_is():
    seen = job_view(JOB.begun(NOON).asked_to_cancel(), Progress(Counts(7, 1), 2))

    assert (seen["rows_in"], seen["rows_failed"], seen["cancel_requested"]) == (8, 1, True)
    assert seen["shards"] == {"total": None, "done": 2}


MOVES = {
    "begun": lambda job, now: job.begun(now),
    "cut": lambda job, now: job.cut_to(Position(1, 1, 1), complete=False),
    "cancelled": lambda job, now: job.stopped(CANCEL),
    "stopped": lambda job, now: job.stopped(Stop("INVALID_INPUT", "why")),
    "closed": lambda job, now: job.closed(),
    "ended": lambda job, now: ended(job, Counts(1, 1)),
    "failed": lambda job, now: job.failed("why", now),
}


@pytest.mark.fault("F23")
@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 90)), max_size=20))
def test_whatever_comes_an_end_is_final(moves):
    job, now = JOB, NOON
    for name, seconds in moves:
        now += timedelta(seconds=seconds)
        try:
            moved = MOVES[name](job, now)
        except Conflict:
            continue
        assert not job.state.final or moved == job
        assert (moved.finished_at is not None) == moved.state.final
        assert moved.closing or not job.closing
        job = moved
