"""A file in shards gives what it gives in one piece, whatever order they are worked in."""

import gzip
import io
import json
from collections.abc import Callable
from hashlib import sha256
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from onnx import helper

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch import plan
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

SHARD_BYTES = 40_000
ROWS = 12_000


@pytest.fixture
def door(
    function: Callable[..., ModuleType],
    publish: Callable[..., Manifest],
    event: Any,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> FileDoor:
    """The file door, reading blocks so small that files of kilobytes have boundaries in them."""
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.BLOCK_BYTES", 16 << 10)
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context, shard_bytes=SHARD_BYTES)


def csv(rows: int = ROWS) -> bytes:
    """Return rows of numbers; one in a hundred is bad, and one has a newline within quotes."""
    lines = [f"{i},2,3,{i % 7}" for i in range(rows)]
    lines[::100] = [f"{i},oops,3,4" for i in range(0, rows, 100)]
    lines[50::1000] = [f'"{i}",2,"3\n",4' for i in range(50, rows, 1000)]
    return ("a,b,c,d\n" + "\n".join(lines) + "\n").encode()


def npy(rows: int = ROWS) -> bytes:
    written = io.BytesIO()
    np.save(written, np.arange(rows * 4, dtype=np.float32).reshape(rows, 4))
    return written.getvalue()


def whole(door: FileDoor, monkeypatch: pytest.MonkeyPatch, key: str, body: bytes) -> dict:
    """Return what the file gives as one shard."""
    with monkeypatch.context() as patch:
        patch.setattr("headrace_runtime.batch.cuts.shard_size", lambda size, _: size + 1)
        door.take_in(door.drop(f"linear/whole/{key}", body))
        door.work_all()
    return files(door, f"linear/whole/{key}")


def files(door: FileDoor, key: str) -> dict[str, bytes]:
    """Return the files of a job's results, by name."""
    objects = door.objects()
    return {k.rsplit("/", 1)[-1]: body for k, body in objects.items() if k.startswith(f"{key}/")}


def job_of(door: FileDoor, key: str) -> dict[str, Any]:
    return next(job for job in door.jobs() if job["source"]["key"] == key)


FILES = {
    "rows.csv": csv,
    "rows.jsonl": lambda: b"".join(b"[%d,2,3,4]\n" % i + b"\n" * (i % 9 == 0) for i in range(ROWS)),
    "rows.npy": npy,
    "rows.csv.gz": lambda: gzip.compress(csv(), mtime=0),
}


@pytest.mark.parametrize("key", FILES)
def test_a_file_in_shards_gives_what_it_gives_in_one_piece(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr("headrace_runtime.batch.cuts.SMALL_COMPRESSED_BYTES", 1000)
    body = FILES[key]()
    expected = whole(door, monkeypatch, key, body)

    door.take_in(door.drop(f"linear/{key}", body))
    for shard in reversed(door.shards()):
        assert door.work(shard) == {"batchItemFailures": []}

    got = files(door, f"linear/{key}")
    assert got.keys() == expected.keys()
    for name in got.keys() - {"manifest.json"}:
        assert got[name] == expected[name]
    one, several = (json.loads(found["manifest.json"]) for found in (expected, got))
    assert several["shards"]["total"] == several["shards"]["done"] >= 3
    counts = ("state", "rows_in", "rows_ok", "rows_failed")
    assert [several[name] for name in counts] == [one[name] for name in counts]
    assert not [k for k in door.objects() if k.startswith("_parts/")]


def test_the_manifest_tells_how_the_results_are_checked(door: FileDoor) -> None:
    results = door.answer("linear/rows.csv", csv())
    manifest = json.loads(results["manifest.json"])
    name = next(name for name in results if name.startswith("results."))

    digests, start = [], 0
    for part in manifest["parts"]:
        piece = results[name][start : start + part["size_bytes"]]
        assert sha256(piece).hexdigest() == part["sha256"]
        digests.append(sha256(piece).digest())
        start += len(piece)
    assert start == len(results[name])
    whole_digest = sha256(b"".join(digests)).hexdigest()
    assert manifest["results"]["sha256"] == f"{whole_digest}-{len(digests)}"


def test_rows_and_lines_of_errors_are_the_files_own(door: FileDoor) -> None:
    body = csv()

    errors = [
        json.loads(line)
        for line in door.answer("linear/r.csv", body)["errors.jsonl"].split(b"\n")[:-1]
    ]

    lines = body.split(b"\n")
    assert [e["row"] for e in errors if "oops" in e["error"]] == list(range(1, ROWS, 100))
    assert all(b"oops" in lines[e["line"] - 1] for e in errors if "oops" in e["error"])


@pytest.mark.fault("F7")
def test_a_shard_that_sees_its_deadline_leaves_the_rest_for_another_run(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = csv()
    expected = whole(door, monkeypatch, "rows.csv", body)
    left = iter(range(60_000, 0, -6_000))
    door.take_in(door.drop("linear/rows.csv", body))
    shards = door.shards()

    with monkeypatch.context() as patch:
        patch.setattr(
            type(door.context), "get_remaining_time_in_millis", lambda _: next(left), raising=True
        )
        assert door.work(shards[0]) == {"batchItemFailures": []}
    job = job_of(door, "linear/rows.csv")
    shard = Shards("jobs", dynamodb=boto3.client("dynamodb")).get(job["job_id"], 0)
    for message in [*shards[1:], *door.shards()]:
        door.work(message)

    assert (shard.state, len(shard.parts)) == ("queued", 1)
    assert 0 < shard.counts.rows_in < 6000
    got = files(door, "linear/rows.csv")
    assert got["results.csv"] == expected["results.csv"]
    assert got["errors.jsonl"] == expected["errors.jsonl"]


def test_what_is_one_piece_and_too_slow_fails_with_a_sentence(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    np.savez(written, x=np.zeros((20_000, 4), np.float32))
    door.take_in(door.drop("linear/rows.npz", written.getvalue()))
    left = iter(range(60_000, 0, -5_000))
    monkeypatch.setattr(
        type(door.context), "get_remaining_time_in_millis", lambda _: next(left), raising=True
    )

    door.work(door.shards()[0])

    assert "are one piece: drop NPY, CSV or less" in door.jobs()[0]["error"]


def test_a_job_that_is_cancelled_keeps_what_is_done(door: FileDoor) -> None:
    door.take_in(door.drop("linear/rows.csv", csv()))
    first, second, *others = door.shards()
    door.work(first)
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    job = jobs.change(door.jobs()[0]["job_id"], lambda job: job.asked_to_cancel())

    for message in [second, *others]:
        assert door.work(message) == {"batchItemFailures": []}

    ended = jobs.get(job.job_id)
    assert ended.state == "cancelled"
    manifest = json.loads(door.results()["manifest.json"])
    assert (manifest["state"], manifest["cancel_requested"]) == ("cancelled", True)
    assert manifest["rows_in"] == manifest["rows_ok"] + manifest["rows_failed"] > 0
    assert manifest["shards"]["done"] == 1 < manifest["shards"]["total"]
    assert len(door.results()["results.csv"].splitlines()) >= manifest["rows_ok"] + 1


def test_a_failure_of_one_shard_ends_the_job_and_no_record_counts(door: FileDoor) -> None:
    body = gzip.compress(csv(), mtime=0)[:-200]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "SMALL_COMPRESSED_BYTES", 1 << 20)
        door.take_in(door.drop("linear/cut.csv.gz", body))
        door.work_all()

    job = door.jobs()[0]
    assert job["state"] == "failed"
    assert "gzip data is cut short" in job["error"]
    assert sorted(door.results()) == ["errors.jsonl", "manifest.json"]


@pytest.mark.fault("F7")
def test_a_large_file_is_cut_over_several_runs_of_intake(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = csv(40_000)
    expected = whole(door, monkeypatch, "rows.csv", body)
    left = iter(range(10**9))
    monkeypatch.setattr(  # each look at the clock takes 5 s
        type(door.context), "get_remaining_time_in_millis", lambda _: 300_000 - 5_000 * next(left)
    )

    door.take_in(door.drop("linear/rows.csv", body))
    halfway = job_of(door, "linear/rows.csv")["cut"]
    monkeypatch.setattr(type(door.context), "get_remaining_time_in_millis", lambda _: 300_000)
    door.work_all()

    assert halfway["shards"] > 0
    assert not halfway["complete"]
    assert files(door, "linear/rows.csv")["results.csv"] == expected["results.csv"]


def test_the_header_is_right_where_the_first_shard_has_no_answer(
    door: FileDoor, publish: Callable[..., Manifest]
) -> None:
    graph = onnx_models.model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [onnx_models.value("x", Datatype.FP32, ["n", 2])],
        [onnx_models.value("y", Datatype.FP32, ["n", "m"])],
        [],
    )
    spec = TensorSpec("x", Datatype.FP32, (-1, 2))
    publish("free", graph, Signature((spec,), (TensorSpec("y", Datatype.FP32, (-1, -1)),)))
    body = b"a,b\n" + b"x,1\n" * 40_000 + b"1,2\n" * 40_000

    door.take_in(door.drop("free/rows.csv", body))
    door.work_all()

    lines = door.results()["results.csv"].splitlines()
    assert lines[:2] == [b"a,b,y_0,y_1", b"1,2,1.0,2.0"]
    assert len(lines) == 40_001


@pytest.mark.fault("F7")
def test_a_file_that_others_left_no_time_for_is_cut_by_another_run(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F7: nine others in the batch may have used up the time."""
    event = door.drop("linear/rows.csv", csv())
    with monkeypatch.context() as patch:
        patch.setattr(type(door.context), "get_remaining_time_in_millis", lambda _: 15_000)
        given_back = door.take_in(event)["batchItemFailures"]

    assert len(given_back) == 1
    assert door.take_in(event) == {"batchItemFailures": []}
    door.work_all()
    assert json.loads(door.results()["manifest.json"])["rows_in"] == ROWS


def test_a_file_of_which_no_run_finds_a_shard_fails_with_a_sentence(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([900_000, 900_000])
    monkeypatch.setattr(
        type(door.context), "get_remaining_time_in_millis", lambda _: next(left, 15_000)
    )
    door.take_in(door.drop("linear/rows.csv", csv()))

    job = door.jobs()[0]
    assert job["stop"]["error"].startswith("the file is too large: its shard 0 was not found")


def test_no_job_fails_because_aws_is_out_of_order_for_a_while(door: FileDoor) -> None:
    """F39: what keeps a worker from its work is no try; what it cannot do, is."""
    door.take_in(door.drop("linear/rows.csv", b"a,b,c,d\n1,2,3,4\n"))
    shard = door.shards()[0]
    faults: list[Exception] = [ConnectionClosedError(endpoint_url="s3")] * 6

    def break_off(**_: Any) -> None:
        if faults:
            raise faults.pop()

    door.batch.s3.meta.events.register("before-call.s3.GetObject", break_off)

    assert [len(door.work(shard)["batchItemFailures"]) for _ in range(7)] == [1] * 6 + [0]
    assert door.jobs()[0]["state"] == "succeeded"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (503, "SlowDown", True),
        (400, "ThrottlingException", True),
        (403, "AccessDenied", False),
        (400, "ValidationException", False),
    ],
)
def test_a_fault_of_awss_own_is_known_by_its_status(
    status: int, code: str, *, expected: bool
) -> None:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    assert passes(ClientError(answer, "GetObject")) is expected
