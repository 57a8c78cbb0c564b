"""A table that is busy with others: asked again, and not for ever."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.shard import Part, Shard
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.codec.records import Position
from headrace_runtime.errors import Conflict, Unavailable

NOW = datetime(2026, 11, 26, tzinfo=UTC)
Refuse = Callable[..., list[str]]


@pytest.fixture
def dynamodb(aws: None) -> Any:
    return boto3.client("dynamodb")


@pytest.fixture
def jobs(dynamodb: Any) -> Jobs:
    return Jobs("jobs", dynamodb=dynamodb)


@pytest.fixture
def job(jobs: Jobs) -> Job:
    source = Source("inbox", "linear/rows.csv", "1", "etag", 9)
    return jobs.create(Job("j", source, Target("results", "p/"), NOW.isoformat()))


@pytest.fixture
def running(dynamodb: Any, jobs: Jobs, job: Job) -> tuple[Shards, Shard]:
    """The one shard of a running job, begun."""
    shards, shard = Shards("jobs", dynamodb=dynamodb), Shard("j", 0)
    shards.add(shard, job, job.cut_to(Position(9, 2, 2), complete=True))
    jobs.change("j", lambda job: job.begun(NOW))
    return shards, shards.move(shard, shard.start(NOW, 60))


@pytest.fixture
def refuse(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Refuse requests of an operation for the reasons given, one after the other, then none."""
    monkeypatch.setattr("time.sleep", lambda _: None)

    def refusing(operation: str, *reasons: str) -> list[str]:
        left = list(reasons)

        def answer(**_: Any) -> tuple[Any, dict[str, Any]] | None:
            if not left:
                return None
            reason = left.pop(0)
            canceled = operation == "TransactWriteItems"
            code = "TransactionCanceledException" if canceled else reason
            body: dict[str, Any] = {
                "Error": {"Code": code, "Message": ""},
                "ResponseMetadata": {"HTTPStatusCode": 400},
                "CancellationReasons": [{"Code": "None"}, {"Code": reason}],
            }
            return type("Http", (), {"status_code": 400})(), body

        dynamodb.meta.events.register(f"before-call.dynamodb.{operation}", answer)
        return left

    return refusing


@pytest.mark.fault("F20")
@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError"])
def test_a_shard_is_written_once_other_transactions_are_over(
    running: tuple[Shards, Shard], refuse: Refuse, jobs: Jobs, reason: str
) -> None:
    shards, shard = running
    left = refuse("TransactWriteItems", *[reason] * 4)

    done = shards.write(shard, shard.written(Part(Counts(1, 0)), None, 0.0))

    assert left == []
    assert shards.get("j", 0) == done
    assert jobs.get("j").shards_done == 1


@pytest.mark.fault("F20")
def test_a_job_is_changed_once_other_transactions_are_over(
    job: Job, jobs: Jobs, refuse: Refuse
) -> None:
    refuse("UpdateItem", *["TransactionConflictException"] * 4)

    assert jobs.change("j", lambda job: job.begun(NOW)).state == "running"
    assert jobs.get("j").revision == job.revision + 1


@pytest.mark.fault("F20")
def test_a_table_that_stays_busy_is_unavailable_and_nothing_was_written(
    running: tuple[Shards, Shard], refuse: Refuse, jobs: Jobs
) -> None:
    shards, shard = running
    left = refuse("TransactWriteItems", *["TransactionConflict"] * 50)

    with pytest.raises(Unavailable, match="again and again") as raised:
        shards.write(shard, shard.written(Part(Counts(1, 0)), None, 0.0))

    assert 30 < len(left) < 50
    assert passes(raised.value)
    assert shards.get("j", 0) == shard
    assert jobs.get("j").shards_done == 0


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GetItem", "ThrottlingException"),
        ("UpdateItem", "ProvisionedThroughputExceededException"),
        ("UpdateItem", "RequestLimitExceeded"),
    ],
)
def test_a_table_that_is_asked_for_too_much_is_asked_again_and_then_unavailable(
    job: Job, jobs: Jobs, refuse: Refuse, operation: str, code: str
) -> None:
    left = refuse(operation, *[code] * 14)

    with pytest.raises(Unavailable, match="busy again and again") as raised:
        jobs.change("j", lambda job: job.begun(NOW))

    assert passes(raised.value)
    assert len(left) == 4
    assert jobs.change("j", lambda job: job.begun(NOW)).state == "running"


@pytest.mark.fault("F20")
def test_a_condition_that_failed_is_a_conflict_though_another_write_was_throttled(
    running: tuple[Shards, Shard], refuse: Refuse
) -> None:
    shards, shard = running
    shards.move(shard, shard.released())
    left = refuse("TransactWriteItems", "ConditionalCheckFailed", "TransactionConflict")

    with pytest.raises(Conflict, match="is no longer running"):
        shards.write(shard, shard.written(Part(Counts(1, 0)), None, 0.0))

    assert left == ["TransactionConflict"]  # nothing was tried again
