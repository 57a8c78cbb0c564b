"""A shard from end to end: every record accounted for, in order, in bounded memory."""

import io
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from headrace_runtime.batch import shard_run
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.file_formats import Wanted, opened
from headrace_runtime.batch.parts import layout_bytes
from headrace_runtime.batch.record_runs import RecordRuns
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.errors import InferenceFailed
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

SIGNATURE = Signature(
    (TensorSpec("x", Datatype.FP32, (-1, 2)),), (TensorSpec("y", Datatype.FP32, (-1,)),)
)


def infer(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Give the sum of each record; fail on negative sums."""
    sums = tensors[0].array.sum(axis=1)
    if (sums < 0).any():
        raise InferenceFailed("the model cannot run on these values")
    return [Tensor("y", Datatype.FP32, sums)]


def worked(
    body: bytes, form: FileFormat, *, joined: bool = True
) -> tuple[list[Counts], bytes, bytes]:
    results, errors = io.BytesIO(), io.BytesIO()
    wanted = Wanted("m", 1, SIGNATURE, joined)
    records, writer = opened(lambda offset: io.BytesIO(body[offset:]), Content(form), wanted)
    run = shard_run.run(
        records,
        RecordRuns(infer, SIGNATURE, rows_at_once=3),
        writer,
        write_results=results.write,
        write_errors=errors.write,
    )
    counts = [behind.counts for behind in run]
    return counts, layout_bytes(writer.layout()) + results.getvalue(), errors.getvalue()


def test_every_record_has_an_answer_or_a_reason_in_order():
    body = b"a,b\n1,2\n-3,-4\nx,1\n5,6\n7\n-1,-1\n9,9\n"

    counts, results, errors = worked(body, FileFormat.CSV)

    assert results == b"a,b,y\n1,2,3.0\n5,6,11.0\n9,9,18.0\n"
    assert [(e["row"], e["line"], e["code"]) for e in map(json.loads, errors.splitlines())] == [
        (2, 3, "INFERENCE_FAILED"),
        (3, 4, "INVALID_INPUT"),
        (5, 6, "INVALID_INPUT"),
        (6, 7, "INFERENCE_FAILED"),
    ]
    assert counts[-1] == Counts(rows_ok=3, rows_failed=4)


def test_what_is_behind_only_grows():
    body = b"".join(b"[%d, 1]\n" % i for i in range(50))

    counts, results, _ = worked(body, FileFormat.JSON_LINES)

    assert [c.rows_in for c in counts] == sorted(c.rows_in for c in counts)
    assert len(results.splitlines()) == 50


def test_a_file_without_records_has_results_without_rows():
    counts, results, errors = worked(b"a,b\n", FileFormat.CSV)

    assert (results, errors) == (b"a,b,y\n", b"")
    assert all(c == Counts() for c in counts)


class Large:
    """A CSV of many rows that is never whole in memory; each hundredth row is bad."""

    def __init__(self, blocks: int) -> None:
        rows = (b"1.5,2.5\n" * 99 + b"1.5,x\n") * 20
        self._parts: Iterator[bytes] = iter([b"a,b\n", *[rows] * blocks])

    def read(self, size: int, /) -> bytes:
        return next(self._parts, b"")


def test_memory_does_not_grow_with_the_file():
    written = 0

    def write(data: bytes) -> None:
        nonlocal written
        written += len(data)

    tracemalloc.start()
    runs = RecordRuns(infer, SIGNATURE, rows_at_once=4096)
    records, writer = opened(
        lambda _: Large(25), Content(FileFormat.CSV), Wanted("m", 1, SIGNATURE)
    )
    for behind in shard_run.run(
        records,
        runs,
        writer,
        write_results=write,
        write_errors=write,
    ):
        last = behind.counts
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert last == Counts(rows_ok=49_500, rows_failed=500)
    assert written > 512 << 10
    assert peak < 16 << 20


@pytest.mark.long
@pytest.mark.parametrize("file", ["rows.csv", "lists.jsonl", "rows.jsonl"])
def test_a_million_rows_fit_in_150_mb(tmp_path: Path, file: str):
    # For the long tests only.
    from tests.benchmarks import batch_work, children, row_files, row_models  # noqa: PLC0415

    source, model, results = tmp_path / file, tmp_path / "model.onnx", tmp_path / "results"
    row_files.write(source)
    model.write_bytes(row_models.network())

    rows, _, peak_mb = children.printed(
        "batch_work", source, model, results, environment=batch_work.ENVIRONMENT
    )

    lines = results.read_bytes().splitlines()
    assert rows == 1_000_000
    assert len(lines) == 1_000_000 + (file == "rows.csv")
    assert peak_mb < 150  # of both processes
