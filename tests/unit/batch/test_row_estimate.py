"""How many records a file has, by its beginning and its size."""

import gzip
import io
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headrace_runtime.batch import row_estimate
from headrace_runtime.batch.extent import Extent, extent, record_bytes
from headrace_runtime.batch.row_estimate import extent_of, parquet_extent
from headrace_runtime.codec.content import content_of
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.plain_format import HEAD_BYTES
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype

FOUR = Signature((TensorSpec("x", Datatype.FP32, (-1, 4)),), ())


def looked_at(body: bytes, name: str, signature: Signature = FOUR) -> Extent:
    head = body[:HEAD_BYTES]
    return extent_of(head, len(body), content_of(head, name), signature)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def rows_of_csv(rows: int) -> bytes:
    draw = random.Random(5)
    lines = (",".join(f"{draw.uniform(0, 1000):.3f}" for _ in range(4)) for _ in range(rows))
    return ("a,b,c,d\n" + "\n".join(lines) + "\n").encode()


def test_an_array_says_itself_how_many_records_it_has():
    held = looked_at(npy(np.zeros((1234, 4), np.float32)), "x.npy")

    assert held == Extent(1234, 128 + 1234 * 16, FileFormat.NPY, 128 + 1234 * 16, exact=True)


def test_an_array_that_says_nothing_is_estimated():
    held = looked_at(b"\x93NUMPY\x09\x00" + b"\0" * 1592, "x.npy")

    assert (held.rows, held.exact) == (100, False)


@pytest.mark.parametrize(
    ("line", "name"),
    [(b"1,2,3,4\n", "x.csv"), (b"1\t2\t3\t4\n", "x.tsv"), (b'{"x": [1, 2, 3, 4]}\n', "x.jsonl")],
)
def test_lines_are_counted_by_those_at_the_beginning(line, name):
    held = looked_at(line * 100_000, name)

    assert held.rows == 100_000
    assert held.tensor_bytes == 1_600_000
    assert not held.exact


def test_lines_of_many_lengths_are_counted_nearly():
    assert looked_at(rows_of_csv(50_000), "x.csv").rows == pytest.approx(50_000, rel=0.01)


def test_what_is_compressed_is_held_to_be_like_its_beginning():
    body = rows_of_csv(100_000)

    held = looked_at(gzip.compress(body), "x.csv.gz")

    assert held.rows == pytest.approx(100_000, rel=0.02)
    assert held.size_bytes == pytest.approx(len(body), rel=0.02)


@pytest.mark.parametrize("body", [b"1,2,3,4", b"1,2,3,4\n"])
def test_one_line_is_one_record(body):
    assert looked_at(body, "x.csv").rows == 1


def test_a_line_longer_than_the_beginning_is_told_by_what_the_model_takes():
    assert looked_at(b"1," * HEAD_BYTES, "x.csv").rows == 2 * HEAD_BYTES // 16


def test_what_does_not_tell_is_told_by_what_the_model_takes():
    image = Signature((TensorSpec("x", Datatype.UINT8, (-1, 3, 10, 10)),), ())

    held = extent_of(b"PAR1", 30_000, Content(FileFormat.PARQUET), image)

    assert held == Extent(100, 30_000, FileFormat.PARQUET, 30_000)


@pytest.mark.parametrize(
    ("inputs", "size_bytes"),
    [
        ((("x", Datatype.FP32, (-1, 4)),), 16),
        ((("x", Datatype.FP32, (-1, 4)), ("y", Datatype.INT64, (-1, 1))), 24),
        ((("x", Datatype.FP32, (1, 3, 8, 8)),), 768),
        ((("x", Datatype.FP32, (-1, -1)),), 512),  # 128 of what may be any number
        ((("x", Datatype.BYTES, (-1, 2)),), 32),  # 16 a text
        ((("x", Datatype.BOOL, ()),), 1),
        ((), 1),
    ],
)
def test_a_record_is_as_large_as_the_models_inputs(inputs, size_bytes):
    assert record_bytes(Signature(tuple(TensorSpec(*one) for one in inputs), ())) == size_bytes


class InMemory:
    """A file in memory, read at random."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.size_bytes = len(body)

    def read_at(self, offset: int, size: int) -> bytes:
        return self.body[offset : offset + size]


def parquet(rows: int, columns: int) -> bytes:
    table = pa.table({f"c{number}": np.arange(rows, dtype=np.float64) for number in range(columns)})
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=400, use_dictionary=False)
    return file.getvalue()


def test_parquet_says_itself_how_many_records_it_has():
    held = parquet_extent(InMemory(parquet(1000, 50)), FOUR)

    assert (held.rows, held.exact, held.tensor_bytes) == (1000, True, 16_000)
    assert held.size_bytes == pytest.approx(1000 * 50 * 8, rel=0.05)


@pytest.mark.parametrize("tail", [b"PAR1", b"\xff\xff\x00\x00PAR1", b"\x10\x00\x00\x00PAR1", b""])
def test_parquet_without_a_footer_that_tells_is_told_by_what_the_model_takes(tail):
    body = b"PAR1" + bytes(1596 - len(tail)) + tail

    assert parquet_extent(InMemory(body), FOUR).rows == 100


def test_a_long_footer_is_not_read_for_it(monkeypatch):
    body = parquet(1000, 4)
    monkeypatch.setattr(row_estimate, "_MAX_FOOTER_BYTES", 100)

    assert not parquet_extent(InMemory(body), FOUR).exact


def test_what_was_counted_is_exact():
    assert extent(10, 300, FileFormat.CSV, FOUR) == Extent(10, 300, FileFormat.CSV, 160, exact=True)
    assert extent(10, 288, FileFormat.NPY, FOUR).tensor_bytes == 288
