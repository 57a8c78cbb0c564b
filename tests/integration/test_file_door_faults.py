"""Whatever dies on the way: no record is lost, none is answered twice, no half file is seen."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody

from headrace_runtime.aws import upload
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch.job import Source
from headrace_runtime.errors import Conflict, InvalidInput, ObjectNotFound, Unavailable
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"
RESULTS = b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n"


class Crash(Exception):
    """A worker dies here."""


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context)


@pytest.fixture
def s3(aws: None) -> Any:
    return boto3.client("s3")


def crash_at(client: Any, call: int, *, after: bool) -> Callable[[], int]:
    """Let the *call*-th request to AWS fail, once AWS has done it or before; count them."""
    seen = 0

    def count(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == call:
            raise Crash

    client.meta.events.register("after-call" if after else "before-call", count)
    return lambda: seen


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_may_die_at_any_request_to_s3(door: FileDoor, *, after: bool) -> None:
    for call in range(1, 8):
        door.take_in(door.drop(f"linear/{call}.csv", CSV))
        shard = door.shards()[0]
        crash_at(door.batch.s3, call, after=after)
        door.work(shard)

        again = door.work(shard)

        assert again == {"batchItemFailures": []}
        assert door.results()["results.csv"] == RESULTS
        manifest = json.loads(door.results()["manifest.json"])
        assert (manifest["state"], manifest["rows_ok"], manifest["rows_failed"]) == (
            "partial",
            2,
            1,
        )
    assert {job["state"] for job in door.jobs()} == {"partial"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_may_die_at_any_request_to_dynamodb(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    moves = [datetime.now(UTC) + timedelta(hours=hour) for hour in range(100)]
    times = iter(moves)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return next(times)

    monkeypatch.setattr(door.batch, "datetime", Later)  # every look at the clock an hour later
    for call in range(1, 5):
        door.take_in(door.drop(f"linear/{call}.csv", CSV))
        shard = door.shards()[0]
        crash_at(door.batch.dynamodb, call, after=after)
        door.work(shard)

        again = door.work(shard)

        assert again == {"batchItemFailures": []}
        assert door.results()["results.csv"] == RESULTS
    assert {job["state"] for job in door.jobs()} == {"partial"}


@pytest.mark.parametrize("name", ["dynamodb", "sqs"])
def test_intake_may_die_at_any_request(door: FileDoor, name: str) -> None:
    for call in range(1, 4):
        event = door.drop(f"linear/{call}.csv", CSV)
        client = door.intake.dynamodb if name == "dynamodb" else door.intake.intake._sqs
        crash_at(client, call, after=True)
        door.take_in(event)
        door.take_in(event)
        for shard in door.shards():
            door.work(shard)

    assert {job["state"] for job in door.jobs()} == {"partial"}
    assert len(door.jobs()) == 3
    assert len(door.objects()) == 9


def test_a_shard_that_another_worker_has_is_given_back(door: FileDoor) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    shard = door.shards()[0]
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    job = jobs.get(door.jobs()[0]["job_id"])
    held = jobs.move(job, job.start(datetime.now(UTC), 900))

    answer = door.work(shard)

    assert len(answer["batchItemFailures"]) == 1
    assert jobs.get(job.job_id) == held
    assert door.objects() == {}


def test_work_that_breaks_off_again_and_again_fails_the_job(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    shard = door.shards()[0]

    def broken(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(door.batch.shard_work, "_predict", broken)
    answers = [len(door.work(shard)["batchItemFailures"]) for _ in range(4)]

    assert answers == [1, 1, 1, 0]
    assert door.jobs()[0]["error"].startswith("the work was begun 3 times and broke off each time")


def test_a_fault_is_logged_by_its_kind_and_not_by_its_text(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    text = "a caller's value"

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(text)

    monkeypatch.setattr(door.batch.shard_work, "_predict", broken)
    door.work(door.shards()[0])

    printed = capfd.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    failures = [line["error"] for line in lines if line.get("level") == "ERROR"]
    assert failures == ["ValueError"]
    assert text not in printed.out + printed.err


def test_a_file_too_large_for_one_run_fails_before_it_is_cut_off(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.take_in(door.drop("linear/rows.csv", b"a,b,c,d\n" + b"1,2,3,4\n" * 100_000))
    left = iter(range(60_000, 0, -2_000))
    monkeypatch.setattr(
        type(door.context), "get_remaining_time_in_millis", lambda _: next(left), raising=True
    )

    answers = [door.work(shard) for shard in door.shards()]

    assert answers == [{"batchItemFailures": []}]
    manifest = json.loads(door.results()["manifest.json"])
    assert manifest["error"].startswith("the file is too large for one run: time ran out after ")
    assert "results.csv" not in door.results()
    assert "Uploads" not in boto3.client("s3").list_multipart_uploads(Bucket="results")


def test_a_shard_is_not_begun_with_too_little_time(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    monkeypatch.setattr(type(door.context), "get_remaining_time_in_millis", lambda _: 20_000)

    answer = door.work(door.shards()[0])

    assert len(answer["batchItemFailures"]) == 1
    assert door.jobs()[0]["state"] == "queued"


@pytest.fixture
def dropped(s3: Any) -> Source:
    put = s3.put_object(Bucket="inbox", Key="m/rows.csv", Body=bytes(range(250)) * 40)
    return Source("inbox", "m/rows.csv", put["VersionId"], put["ETag"].strip('"'), 10_000)


class Breaking(io.RawIOBase):
    """A connection that breaks after so many bytes, by an error or by an early end."""

    def __init__(self, body: Any, size: int, *, silent: bool) -> None:
        self._body, self._left, self._silent = body, size, silent

    def read(self, size: int = -1, /) -> bytes:
        data = self._body.read(min(size, self._left))
        self._left -= len(data)
        if not data and not self._silent:
            raise ReadTimeoutError(endpoint_url="s3")
        return data


@pytest.mark.parametrize("silent", [False, True], ids=["error", "early_end"])
def test_a_broken_connection_is_read_on_from_where_it_broke(
    s3: Any, dropped: Source, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    get = s3.get_object

    def breaking(**request: Any) -> Any:
        answer = get(**request)
        body = Breaking(answer["Body"], 3_000, silent=silent)
        return answer | {"Body": body}

    monkeypatch.setattr(s3, "get_object", breaking)
    file = Inbox(s3=s3).open(dropped)

    assert b"".join(iter(lambda: file.read(1_000), b"")) == bytes(range(250)) * 40


def test_a_connection_that_always_breaks_is_given_up(
    s3: Any, dropped: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = s3.get_object
    monkeypatch.setattr(
        s3, "get_object", lambda **r: get(**r) | {"Body": StreamingBody(io.BytesIO(), None)}
    )

    with pytest.raises(Unavailable, match="broke off after 0 bytes"):
        Inbox(s3=s3).open(dropped).read(1_000)


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDenied", InvalidInput), ("InvalidObjectState", InvalidInput)]
)
def test_a_file_that_may_not_be_read_is_no_passing_fault(
    s3: Any, dropped: Source, code: str, error: type[Exception]
) -> None:
    def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
        class Http:
            status_code = 403

        return Http(), {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    s3.meta.events.register("before-call.s3.GetObject", refuse)

    with pytest.raises(error, match="cannot be read"):
        Inbox(s3=s3).open(dropped)


def test_a_version_that_is_gone_is_not_found(s3: Any, dropped: Source) -> None:
    s3.delete_object(Bucket="inbox", Key="m/rows.csv", VersionId=dropped.version_id)

    with pytest.raises(ObjectNotFound):
        Inbox(s3=s3).open(dropped)


@pytest.fixture
def results(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResultsBucket]:
    """The results bucket, with parts as small as S3 lets them be."""
    monkeypatch.setattr(upload, "PART_BYTES", 5 << 20)
    return ResultsBucket("results", s3=s3)


@pytest.mark.parametrize("parts", [1, 5])
def test_what_stands_already_stays_as_it_is(results: ResultsBucket, parts: int) -> None:
    with results.writing("k") as first:
        for _ in range(parts):
            first.write(b"1" * (2 << 20))
    with results.writing("k") as second:
        for _ in range(parts):
            second.write(b"2" * (2 << 20))

    assert results.read("k") == b"1" * (parts * 2 << 20)
    assert results.put_new("k", b"3") is False


def test_a_reader_never_sees_half_a_file(results: ResultsBucket, s3: Any) -> None:
    def broken_off() -> None:
        with results.writing("k") as half:
            half.write(b"1" * (11 << 20))
            assert results.read("k") is None
            raise Crash

    with pytest.raises(Crash):
        broken_off()

    assert results.read("k") is None
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="results")


def test_a_job_is_moved_only_from_where_it_stands(door: FileDoor) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    waiting = jobs.get(door.jobs()[0]["job_id"])
    now = datetime.now(UTC)
    running = jobs.move(waiting, waiting.start(now, 60))

    with pytest.raises(Conflict, match="is no longer queued at attempt 0"):
        jobs.move(waiting, waiting.start(now + timedelta(seconds=1), 60))

    assert jobs.get(running.job_id) == running
