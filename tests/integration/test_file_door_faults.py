"""Whatever dies on the way: no record is lost, none is answered twice, no half file is seen."""

import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from headrace_runtime.aws import upload
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shards import Shards
from headrace_runtime.errors import Conflict
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"
RESULTS = b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n"


class Crash(Exception):
    """A worker dies here."""


class FullDisk(io.StringIO):
    """What nothing can be printed to."""

    def write(self, _: str, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context)


@pytest.fixture
def leases_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look of `batch` at the clock is an hour after the one before."""
    times = (datetime.now(UTC) + timedelta(hours=hour) for hour in count())

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return next(times)

    monkeypatch.setattr("headrace_runtime.edge.job_messages.datetime", Later)


@contextmanager
def crash_at(client: Any, call: int, *, after: bool) -> Iterator[None]:
    """Let the *call*-th request to AWS fail, once AWS has done it or before."""
    seen = 0

    def count_and_crash(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == call:
            raise Crash

    when = "after-call" if after else "before-call"
    client.meta.events.register(when, count_and_crash)
    yield
    client.meta.events.unregister(when, count_and_crash)


@pytest.mark.fault("F6", "F17", "F23")
@pytest.mark.usefixtures("leases_end")
@pytest.mark.parametrize("name", ["s3", "dynamodb", "sqs", "events"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_may_die_at_any_request(door: FileDoor, name: str, *, after: bool) -> None:
    for call in count(1):
        door.take_in(door.drop(f"linear/{call}.csv", CSV))
        shard = door.shards()[0]
        with crash_at(getattr(door.batch, name), call, after=after):
            died = door.work(shard) != {"batchItemFailures": []}

        again = door.work(shard)

        assert again == {"batchItemFailures": []}
        results = {key: body for key, body in door.objects().items() if f"/{call}.csv/" in key}
        assert len(results) == 3
        assert RESULTS in results.values()
        if not died:
            break
    assert {job["state"] for job in door.jobs()} == {"partial"}
    assert {job["counts"]["rows_ok"] for job in door.jobs()} == {2}


@pytest.mark.fault("F6")
@pytest.mark.parametrize("name", ["dynamodb", "sqs", "s3"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_intake_may_die_at_any_request(door: FileDoor, name: str, *, after: bool) -> None:
    for call in count(1):
        event = door.drop(f"linear/{call}.csv", CSV)
        with crash_at(getattr(door.intake, name), call, after=after):
            died = door.take_in(event) != {"batchItemFailures": []}

        assert door.take_in(event) == {"batchItemFailures": []}
        for shard in door.shards():
            assert door.work(shard) == {"batchItemFailures": []}
        if not died:
            break

    assert call > 1
    assert [job["state"] for job in door.jobs()] == ["partial"] * call
    assert len(door.objects()) == 3 * call


@pytest.mark.fault("F1")
def test_a_message_delivered_twenty_times_has_one_effect(
    door: FileDoor, capfd: pytest.CaptureFixture[str]
) -> None:
    event = door.drop("linear/rows.csv", CSV)
    for _ in range(20):
        door.take_in(event)
    shards = door.shards()
    told: list[Any] = []
    door.batch.events.meta.events.register(
        "after-call.events.PutEvents", lambda **answer: told.append(answer)
    )

    answers = [door.work(shards[0]) for _ in range(20)]

    assert answers == [{"batchItemFailures": []}] * 20
    assert len(door.jobs()) == len(told) == 1
    assert door.results()["results.csv"] == RESULTS
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert sum(line.get("RowsIn", 0) for line in lines if "_aws" in line) == 3


@pytest.mark.fault("F17")
def test_a_shard_that_another_worker_has_is_given_back(door: FileDoor) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    message = door.shards()[0]
    shards = Shards("jobs", dynamodb=boto3.client("dynamodb"))
    waiting = shards.get(door.jobs()[0]["job_id"], 0)
    held = shards.move(waiting, waiting.start(datetime.now(UTC), 900))

    answer = door.work(message)

    assert len(answer["batchItemFailures"]) == 1
    assert shards.get(held.job_id, 0) == held
    assert door.objects() == {}


@pytest.mark.fault("F6", "F8")
@pytest.mark.parametrize("error", [MemoryError, RecursionError, ValueError])
def test_work_that_breaks_off_again_and_again_fails_the_job(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    shard = door.shards()[0]

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("headrace_runtime.aws.shard_writing.shard_run.run", broken)
    answers = [len(door.work(shard)["batchItemFailures"]) for _ in range(4)]

    assert answers == [1, 1, 1, 0]
    assert door.jobs()[0]["state"] == "failed"
    assert door.jobs()[0]["error"].startswith("the work was begun 3 times and broke off each time")


def test_a_fault_is_logged_by_its_kind_and_not_by_its_text(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    text = "a caller's value"

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(text)

    monkeypatch.setattr("headrace_runtime.aws.shard_writing.shard_run.run", broken)
    door.work(door.shards()[0])

    printed = capfd.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    failures = [line["error"] for line in lines if line.get("level") == "ERROR"]
    assert failures == ["ValueError"]
    assert text not in printed.out + printed.err


@pytest.mark.fault("F7")
def test_a_shard_is_not_begun_with_too_little_time(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    monkeypatch.setattr(type(door.context), "get_remaining_time_in_millis", lambda _: 20_000)

    answer = door.work(door.shards()[0])

    assert len(answer["batchItemFailures"]) == 1
    assert door.jobs()[0]["state"] == "queued"


@pytest.mark.fault("F7")
def test_files_that_no_time_is_left_for_are_given_back_untouched(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _together([door.drop(f"linear/{i}.csv", CSV) for i in range(10)])
    looks = iter([900_000] * 8)  # enough for some of them
    monkeypatch.setattr(
        type(door.context), "get_remaining_time_in_millis", lambda _: next(looks, 19_000)
    )
    touched: list[str] = []
    door.intake.dynamodb.meta.events.register(
        "before-call", lambda model, **_: touched.append(model.name)
    )

    given_back = [one["itemIdentifier"] for one in door.take_in(batch)["batchItemFailures"]]

    done = len(door.jobs())
    assert 0 < done < 10
    assert given_back == [str(i) for i in range(done, 10)]
    assert touched.count("PutItem") == done
    monkeypatch.setattr(type(door.context), "get_remaining_time_in_millis", lambda _: 900_000)
    assert door.take_in(batch) == {"batchItemFailures": []}
    assert len(door.jobs()) == 10


@pytest.mark.fault("F8")
def test_one_file_that_cannot_be_taken_in_costs_no_other_a_try(door: FileDoor) -> None:
    batch = _together([door.drop(f"linear/{i}.csv", CSV) for i in range(10)])
    batch["Records"][3]["body"] = "{no JSON"

    answer = door.take_in(batch)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "3"}]}
    assert len(door.jobs()) == 9


@pytest.mark.fault("F9")
@pytest.mark.parametrize(
    "name",
    [
        "batch.two_shards",
        "batch_parquet.cut",
        "intake.csv",
        "notify.ended",
        "register.dropped_model",
    ],
)
def test_a_batch_of_which_all_fails_gives_back_each_and_raises_nothing(
    function: Callable[..., ModuleType], event: Any, context: Any, name: str
) -> None:
    handler = function(name.split(".", maxsplit=1)[0])
    batch = _together([event(name), event(name)])
    for record in batch["Records"]:
        record["body"] = "{no JSON"

    answer = handler.lambda_handler(batch, context)

    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["0", "1"]


@pytest.mark.fault("F41")
@pytest.mark.parametrize("closed", [False, True], ids=["full", "closed"])
def test_a_log_that_takes_nothing_fails_no_job(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, *, closed: bool
) -> None:
    """The logger writes to `sys.stdout`, metrics and failures to file 1."""
    output = FullDisk()
    if closed:
        output.close()
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr("headrace_runtime.monitoring.stdout._STDOUT", full.fileno())
        for handler in (door.intake, door.batch):
            for logged in handler.logger.handlers:
                monkeypatch.setattr(logged, "stream", output)

        files = door.answer("linear/rows.csv", CSV)

    assert files["results.csv"] == RESULTS
    assert door.jobs()[0]["state"] == "partial"


@pytest.mark.fault("F19")
@pytest.mark.parametrize("member", ["key", "etag", "size"])
def test_an_event_that_does_not_say_which_file_it_tells_of_is_not_worked(
    door: FileDoor, member: str
) -> None:
    """What its effects are told apart by is all there, or nothing is done."""
    event = door.drop("linear/rows.csv", CSV)
    message = json.loads(event["Records"][0]["body"])
    del message["detail"]["object"][member]
    event["Records"][0]["body"] = json.dumps(message)

    assert len(door.take_in(event)["batchItemFailures"]) == 1
    assert door.jobs() == []


@pytest.mark.fault("F27")
def test_a_model_larger_than_the_function_fails_its_job_at_the_first_try(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> None:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    door = open_door(function, event, context, models_memory_mb=0)

    files = door.answer("linear/rows.csv", CSV)

    assert json.loads(files["errors.jsonl"]) == {
        "row": None,
        "line": None,
        "code": "MODEL_TOO_LARGE",
        "error": "the model takes 1,048,576 bytes of memory as it runs, this function has 0 for "
        "models: give it more in the stage, or make the model smaller",
    }
    assert door.jobs()[0]["state"] == "failed"


@pytest.fixture
def results(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResultsBucket]:
    """The results bucket, with parts as small as S3 lets them be."""
    monkeypatch.setattr(upload, "PART_BYTES", 5 << 20)
    return ResultsBucket("results", s3=boto3.client("s3"))


@pytest.mark.fault("F1", "F22")
@pytest.mark.parametrize("parts", [1, 5])
def test_what_stands_already_stays_as_it_is(results: ResultsBucket, parts: int) -> None:
    for value in (b"1", b"2"):
        with results.writing("k") as object_:
            for _ in range(parts):
                object_.write(value * (2 << 20))
            object_.complete()

    assert results.read("k") == b"1" * (parts * 2 << 20)
    assert results.put_new("k", b"3") is False


@pytest.mark.fault("F42")
def test_a_reader_never_sees_half_a_file(results: ResultsBucket) -> None:
    def broken_off() -> None:
        with results.writing("k") as half:
            half.write(b"1" * (11 << 20))
            assert results.read("k") is None
            raise Crash

    with pytest.raises(Crash):
        broken_off()

    assert results.read("k") is None
    assert "Uploads" not in boto3.client("s3").list_multipart_uploads(Bucket="results")


@pytest.mark.fault("F42")
@pytest.mark.parametrize("body", [CSV, b"\0\0\0"], ids=["answered", "failed"])
def test_the_manifest_appears_last_and_the_state_after_it(door: FileDoor, body: bytes) -> None:
    seen: list[str] = []

    def note(model: Any, params: Any, **_: Any) -> None:
        if model.name in ("PutObject", "CompleteMultipartUpload"):
            seen.append(params["url_path"].rsplit("/", 1)[-1])
        state = json.loads(params["body"] or b"{}") if model.name == "UpdateItem" else {}
        seen.extend(
            value["S"]
            for name, value in state.get("ExpressionAttributeValues", {}).items()
            if name == ":state" and value["S"] in ("partial", "failed")
        )

    for client in (door.batch.s3, door.batch.dynamodb, door.intake.s3, door.intake.dynamodb):
        client.meta.events.register("before-call", note)

    door.answer("linear/rows.csv", body)

    ends = [name for name in seen if name in ("manifest.json", "partial", "failed")]
    files = [name for name in seen if name in ("results.csv", "errors.jsonl")]
    assert ends[0] == "manifest.json"
    assert seen.index("manifest.json") > max(map(seen.index, files))


@pytest.mark.fault("F20", "F23")
def test_a_job_is_moved_only_from_where_it_stands(door: FileDoor) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    waiting = jobs.get(door.jobs()[0]["job_id"])
    now = datetime.now(UTC)
    running = jobs.move(waiting, waiting.begun(now))

    with pytest.raises(Conflict, match="is no longer queued at revision"):
        jobs.move(waiting, waiting.begun(now + timedelta(seconds=1)))

    assert jobs.get(running.job_id) == running


def _together(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one event with the messages of all, their ids `0`, `1`, …"""
    records = [event["Records"][0] for event in events]
    return {"Records": [one | {"messageId": str(i)} for i, one in enumerate(records)]}
