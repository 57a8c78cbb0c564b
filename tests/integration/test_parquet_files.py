"""A Parquet file through the door: cut at row groups, worked in shards, one Parquet file again."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

ROWS = 4_000


@dataclass
class ParquetDoor:
    """The file door, and what reads Parquet behind it."""

    door: FileDoor
    worker: ModuleType
    url: str

    def messages(self) -> list[dict[str, Any]]:
        return self.door._messages(self.url, "batch_parquet.cut")

    def work_all(self) -> int:
        """Work until nothing waits any more; return how many shards there were."""
        shards = 0
        while waiting := self.messages():
            for event in waiting:
                shards += "shard" in json.loads(event["Records"][0]["body"])
                answer = self.worker.lambda_handler(event, self.door.context)
                assert answer == {"batchItemFailures": []}
        return shards


@pytest.fixture
def parquet(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> ParquetDoor:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    url = boto3.client("sqs").create_queue(QueueName="parquet")["QueueUrl"]
    door = open_door(function, event, context, parquet_queue_url=url, shard_bytes=10_000)
    worker = function("batch_parquet", queue_url=url, shard_bytes=10_000)
    return ParquetDoor(door, worker, url)


def table(rows: int = ROWS) -> pa.Table:
    """Return four columns of numbers and one of names; one row in a hundred has a missing value."""
    a = np.arange(rows, dtype=np.float64)
    names = pa.array([f"=n{i}" for i in range(rows)])
    columns = {"a": pa.array(a, mask=a % 100 == 7), "b": a / 7, "c": a * 2, "d": a % 5}
    return pa.table({**columns, "name": names})


def written(data: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(data, sink, **options)
    return sink.getvalue()


def four(data: pa.Table) -> pa.Table:
    return data.drop_columns(["name"])


def test_shards_become_one_file_with_the_inputs_columns(parquet: ParquetDoor) -> None:
    data = four(table())
    body = written(data, row_group_size=250)
    parquet.door.take_in(parquet.door.drop("linear/rows.parquet", body))

    shards = parquet.work_all()

    assert shards > 3
    results = parquet.door.results()
    got = pq.read_table(io.BytesIO(results["results.parquet"]))
    kept = data.filter(data["a"].is_valid())
    assert got.select(data.column_names).equals(kept)
    x = np.stack([kept[name].to_numpy().astype(np.float32) for name in "abcd"], axis=1)
    y = np.stack([got[f"y_{i}"].to_numpy() for i in range(3)], axis=1)
    weights = np.subtract.outer(np.arange(4), np.arange(3)).astype(np.float32)
    assert np.allclose(y, x @ weights + np.arange(3), rtol=1e-5)
    errors = [json.loads(line) for line in results["errors.jsonl"].splitlines()]
    assert [e["row"] for e in errors] == list(range(8, ROWS + 1, 100))
    assert errors[0]["error"] == "column 'a': the value is missing"
    manifest = json.loads(results["manifest.json"])
    assert (manifest["rows_ok"], manifest["rows_failed"]) == (ROWS - 40, 40)
    assert sum(part["size_bytes"] for part in manifest["parts"]) == len(results["results.parquet"])


def test_a_small_file_is_one_shard_and_its_results_are_its_part(parquet: ParquetDoor) -> None:
    body = written(four(table(50)))
    parquet.door.take_in(parquet.door.drop("linear/rows.parquet", body, results="predictions"))

    assert parquet.work_all() == 1
    got = pq.read_table(io.BytesIO(parquet.door.results()["results.parquet"]))
    assert got.column_names == ["row", "y_0", "y_1", "y_2"]
    assert len(got) == 49


def test_a_deadline_leaves_the_rest_for_another_run(
    parquet: ParquetDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = four(table(40_000))
    body = written(data, row_group_size=40_000)
    parquet.door.take_in(parquet.door.drop("linear/rows.parquet", body))
    for event in parquet.messages():
        parquet.worker.lambda_handler(event, parquet.door.context)
    left = iter(range(60_000, 0, -6_000))

    with monkeypatch.context() as patch:
        patch.setattr(
            type(parquet.door.context), "get_remaining_time_in_millis", lambda _: next(left)
        )
        for event in parquet.messages():
            parquet.worker.lambda_handler(event, parquet.door.context)
    again = parquet.work_all()

    assert again == 1
    manifest = json.loads(parquet.door.results()["manifest.json"])
    assert (manifest["rows_in"], len(manifest["parts"])) == (40_000, 3)
    got = pq.read_table(io.BytesIO(parquet.door.results()["results.parquet"]))
    assert got["b"].to_pylist() == data.filter(data["a"].is_valid())["b"].to_pylist()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"PAR1" + b"\0" * 400, "the Parquet file has no footer"),
        (written(table(9)), "the file has 5 columns, the model takes 4"),
        (written(four(table(900)))[:-900] + b"PAR1", "the Parquet file is cut"),
    ],
    ids=["no_footer", "columns", "cut"],
)
def test_an_unfit_file_fails_with_a_sentence(
    parquet: ParquetDoor, body: bytes, sentence: str
) -> None:
    parquet.door.take_in(parquet.door.drop("linear/rows.parquet", body))

    parquet.work_all()

    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    job = jobs.get(parquet.door.jobs()[0]["job_id"])
    assert job.state == "failed"
    assert sentence in (job.error or "")
    assert sorted(parquet.door.results()) == ["errors.jsonl", "manifest.json"]


@pytest.mark.fault("F8")
@pytest.mark.parametrize("where", ["pages of the second shard", "last pages"])
def test_damage_behind_the_first_shard_fails_the_job_and_leaves_no_results(
    parquet: ParquetDoor, where: str
) -> None:
    body = bytearray(written(four(table()), row_group_size=250, write_page_checksum=True))
    groups = pq.read_metadata(io.BytesIO(bytes(body)))
    group = groups.row_group(groups.num_row_groups - 1 if where == "last pages" else 8)
    start = group.column(1).dictionary_page_offset or group.column(1).data_page_offset
    body[start + 40 : start + 60] = b"\xff" * 20

    parquet.door.take_in(parquet.door.drop("linear/rows.parquet", bytes(body)))
    shards = parquet.work_all()

    assert shards > 3
    (job,) = parquet.door.jobs()
    assert job["state"] == "failed"
    assert "the Parquet file" in job["error"]
    assert len(job["error"]) < 500
    names = {name for name in parquet.door.results() if not name.split(".")[0].isdigit()}
    assert names == {"errors.jsonl", "manifest.json"}
