"""A file that is short and takes long is worked by many functions, with the results of one."""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door
from tests.worlds import PROFILE

ROWS = 9000  # of 50 ms each: 450 s, 8 shards of a minute and less


@pytest.fixture
def queue() -> str:
    return boto3.client("sqs").create_queue(QueueName="parquet")["QueueUrl"]


@pytest.fixture
def door(
    aws: None,
    queue: str,
    function: Callable[..., ModuleType],
    publish: Callable[..., Manifest],
    event: Any,
    context: Any,
) -> FileDoor:
    """The file door of one model: as it is, and as if each row took 50 ms, or a second."""
    model = onnx_models.linear(), onnx_models.linear_signature()
    publish("linear", *model)
    publish("slow", *model, profile=replace(PROFILE, row_ms=50.0))
    publish("slower", *model, profile=replace(PROFILE, row_ms=1000.0))
    return open_door(function, event, context, parquet_queue_url=queue)


def csv() -> bytes:
    return b"a,b,c,d\n" + b"".join(b'%d,"2",oops,4\n%d,2,3,4\n' % (i, i) for i in range(ROWS // 2))


def lines() -> bytes:
    return b"".join(b"[%d,2,3,4]\n" % i for i in range(ROWS))


def array() -> bytes:
    written = io.BytesIO()
    np.save(written, np.arange(ROWS * 4, dtype=np.float32).reshape(ROWS, 4))
    return written.getvalue()


FILES = {
    "rows.csv": csv,
    "rows.csv.gz": lambda: gzip.compress(csv(), mtime=0),
    "rows.jsonl": lines,
    "rows.npy": array,
}


def results(door: FileDoor, key: str) -> dict[str, bytes]:
    """Return the files of a job, by name."""
    found = {k: body for k, body in door.objects().items() if k.startswith(f"{key}/")}
    return {k.rsplit("/", 1)[-1]: body for k, body in found.items()}


@pytest.mark.parametrize("name", FILES)
def test_rows_that_take_long_are_shared_out(door: FileDoor, name: str) -> None:
    body = FILES[name]()
    for model in ("linear", "slow"):
        door.take_in(door.drop(f"{model}/{name}", body))
        door.work_all()

    fast, slow = results(door, f"linear/{name}"), results(door, f"slow/{name}")

    shards = [json.loads(each["manifest.json"])["shards"]["total"] for each in (fast, slow)]
    assert shards[0] == 1
    assert 7 <= shards[1] <= 9
    for file in fast.keys() - {"manifest.json"}:
        assert slow[file] == fast[file]


def manifest(door: FileDoor, key: str) -> dict[str, Any]:
    return json.loads(results(door, key)["manifest.json"])


def test_a_few_short_rows_are_shared_out_too(door: FileDoor) -> None:
    door.take_in(door.drop("slower/rows.csv", b"a,b,c,d\n" + b"1,2,3,4\n" * 480))
    door.work_all()

    assert manifest(door, "slower/rows.csv")["shards"]["total"] in (7, 8)  # 64 bytes are 8 rows


def test_empty_lines_before_a_header_shift_nothing(door: FileDoor) -> None:
    body = b"\n" * 5000 + b"a,b,c,d\n1,2,oops,4\n" + b"1,2,3,4\n" * 2000 + b"1,2,oops,4\n"
    for model in ("linear", "slow", "slower"):
        door.take_in(door.drop(f"{model}/rows.csv", body))
        door.work_all()

    expected = results(door, "linear/rows.csv")["errors.jsonl"]
    assert [json.loads(line)["row"] for line in expected.splitlines()] == [1, 2002]
    for model in ("slow", "slower"):
        assert results(door, f"{model}/rows.csv")["errors.jsonl"] == expected


@pytest.mark.parametrize(("rows", "packed"), [(200_000, False), (2**38, False), (2**38, True)])
def test_an_array_that_says_more_than_it_has_is_not_cut(
    door: FileDoor, rows: int, packed: bool
) -> None:
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        written, {"descr": "<f4", "fortran_order": False, "shape": (rows, 4)}
    )
    body, key = written.getvalue() + bytes(64), "slow/rows.npy"
    if packed:
        body, key = gzip.compress(body, mtime=0), "slow/rows.npy.gz"
    door.take_in(door.drop(key, body))
    door.work_all()

    ended = manifest(door, key)
    assert ended["state"] == "failed"
    assert ended["error"].startswith("the file is cut short: ")
    assert ended["shards"]["total"] in (None, 0)


def test_a_row_group_is_cut_where_its_rows_take_long(
    door: FileDoor, function: Callable[..., ModuleType], queue: str
) -> None:
    columns = {name: np.arange(ROWS, dtype=np.float64) + at for at, name in enumerate("abcd")}
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    worker = replace(door, batch=function("batch_parquet", queue_url=queue), queue_url=queue)

    for model in ("linear", "slow"):
        door.take_in(door.drop(f"{model}/rows.parquet", written.getvalue()))
        worker.work_all()

    fast, slow = (results(door, f"{model}/rows.parquet") for model in ("linear", "slow"))
    assert json.loads(fast["manifest.json"])["shards"]["total"] == 1
    assert json.loads(slow["manifest.json"])["shards"]["total"] == 8
    one, several = (pq.read_table(io.BytesIO(each["results.parquet"])) for each in (fast, slow))
    assert several.equals(one)


def test_a_file_of_more_records_than_was_thought_is_cut_by_its_bytes_in_the_end(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace_runtime.batch.job.MOST_BY_TIME", 5)
    long = b"1." + b"0" * 3000 + b",2,3,4\n"  # so its beginning tells of few records
    body = b"a,b,c,d\n" + long * 200 + b"1,2,3,4\n" * 9000

    door.take_in(door.drop("slower/rows.csv", body))
    door.work_all()

    ended = manifest(door, "slower/rows.csv")
    assert ended["shards"]["total"] == 11
    assert ended["rows_ok"] == 9200
