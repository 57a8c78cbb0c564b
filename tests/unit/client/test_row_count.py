"""Records are counted as the service counts them, in any format, without a value being read."""

import gzip
import io
import json
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace import row_count
from headrace.row_count import RowCount, counted
from headrace_runtime.codec import line_blocks
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.json_lines import read_json_lines
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.errors import HeadraceError, InvalidInput
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype

ANY_COLUMNS = Signature((TensorSpec("x", Datatype.FP32, (-1, FREE)),), ())


@pytest.fixture
def rows(tmp_path):
    """Count the records of these bytes in a file of this name."""

    def count(data, name="rows.csv"):
        (tmp_path / name).write_bytes(data)
        return counted(tmp_path / name).rows

    return count


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"a,b\n1,2\n3,4\n", 2),
        (b"1,2\n3,4", 2),  # numbers alone are a record, not a header
        (b"0,1\n3,4\n", 1),  # pandas' header of a table without names
        (b"0\n1\n", 2),
        (b"a,b\n", 0),
        (b"\n\r\na,b\r\n\r\n1,2\r\n\n3,4\r\n", 2),
        (b"x\n1\n\n2\n", 3),  # in one column an empty line is a missing value
        (b"\n\nx\n1\n\n", 2),
        (b"\n\n7\n1\n", 4),
        (b'a,b\n"1\n\n2",3\n4,5\n', 2),
        (b'\xef\xbb\xbf"a\n",b\n1,2\n', 1),
        (b'a;b\n"1;\n2";3\n', 1),
        (b'a,b\n"never closed,1\n2,3\n', 2),
        (b'a,b\n"x"y,1\n\xff"",3\n4,5', 3),
    ],
)
def test_the_records_of_a_csv_are_counted(rows, data, count):
    assert rows(data) == count


def test_the_records_of_a_tsv_are_counted(rows):
    assert rows(b'a\tb\n"1\n"\t2\n', "rows.tsv") == 1


@pytest.mark.parametrize(
    ("data", "count"),
    [(b"[1]\n\n[2]\r\n\r\n[3]", 3), (b"\n\n[1]\n", 1), (b"[1]\n \n", 2), (b"[1]\n\n\n", 1)],
)
def test_the_lines_of_json_lines_that_are_not_empty_are_counted(rows, data, count):
    assert rows(data, "rows.jsonl") == count


def test_a_line_too_long_to_be_read_is_a_record_that_fails(rows, monkeypatch):
    monkeypatch.setattr(line_blocks, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 16)

    assert rows(b"a,b\n1,2\n" + b"9" * 300 + b",1\n3,4\n") == 3


_CELLS = st.text('ab1.,;"\n\r\0é ', max_size=6)
_TABLES = st.lists(st.lists(_CELLS, min_size=1, max_size=3), min_size=1, max_size=8)


def _written(table, quoted):
    lines = [
        ",".join('"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row)
        for row in table
    ]
    return "\n".join(lines).encode()


def _of_service(opened):
    """Return how many records the service reads; None where it refuses the file."""
    try:
        return sum(records.count for records in opened())
    except HeadraceError:
        return None


@settings(max_examples=400)
@given(_TABLES, st.booleans(), st.integers(4, 64))
@example([["a", "b"], ['"', '"\n1'], ["2", ""]], False, 4)
def test_the_service_counts_the_records_of_a_csv_the_same(table, quoted, block_bytes):
    data = _written(table, quoted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block_bytes)
        there = _of_service(lambda: open_csv(lambda at: io.BytesIO(data[at:]), ANY_COLUMNS)[1])
        if there is None:
            return

        assert row_count._table(io.BytesIO(data), "csv") == there


@settings(max_examples=200)
@given(st.lists(st.text('[1,2]" \r\0é', max_size=5), max_size=8), st.integers(4, 64))
def test_the_service_counts_the_records_of_json_lines_the_same(lines, block_bytes):
    data = "\n".join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block_bytes)
        there = _of_service(lambda: read_json_lines(LineBlocks(io.BytesIO(data)), ANY_COLUMNS))

        assert row_count._json_lines(io.BytesIO(data)) == there


def _saved(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def test_an_npy_file_says_how_many_records_it_has(rows):
    assert rows(_saved(np.save, np.zeros((7, 2))), "x") == 7
    with pytest.raises(InvalidInput, match="a single value"):
        rows(_saved(np.save, np.float32(1)), "x")


def test_the_arrays_of_an_npz_file_have_as_many_records_each(rows):
    assert rows(_saved(np.savez, a=np.zeros((3, 2)), b=np.zeros(3)), "x.npz") == 3
    with pytest.raises(InvalidInput, match=r"as many records as the others, got \{'a': 3, 'b': 2"):
        rows(_saved(np.savez, a=np.zeros(3), b=np.zeros(2)), "x.npz")
    with pytest.raises(InvalidInput, match="the NPZ archive is damaged"):
        rows(_saved(np.savez, a=np.zeros(3))[:-40], "x.npz")


def test_an_infer_request_says_how_many_records_it_has(rows):
    tensor = {"name": "x", "datatype": "FP32", "shape": [5, 1]}
    request = json.dumps({"inputs": [tensor]}).encode()

    assert rows(request + b"\0\xff" * 10, "x.bin") == 5
    with pytest.raises(InvalidInput, match="the infer request cannot be read"):
        rows(request[:-3], "x.bin")


def test_the_rows_of_a_parquet_file_stand_in_its_footer(rows):
    pa, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    file = io.BytesIO()
    nested = [{"a": [1, 2]}] * 1234
    table = pa.table({"t": ["x"] * 1234, "n": nested, "d": pa.array([None] * 1234, pa.float64())})
    parquet.write_table(table, file, row_group_size=100)
    data = file.getvalue()

    assert rows(data, "x.parquet") == 1234
    for broken in (data[:-20], data[:-8] + b"\xff\xff\xff\xffPAR1", b"PAR1" + b"\x05\0\0\0PAR1"):
        with pytest.raises(InvalidInput, match="Parquet"):
            rows(broken, "x.parquet")


def test_a_compressed_file_is_counted_by_what_it_holds(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))

    assert counted(path) == RowCount("csv", 2, 12)


def test_a_file_under_zstd_is_counted_by_what_it_holds(tmp_path):
    zstd = pytest.importorskip(
        "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    )
    path = tmp_path / "array.npy.zst"
    path.write_bytes(zstd.compress(_saved(np.save, np.zeros((7, 2), np.float32))))

    assert counted(path) == RowCount("npy", 7, 128 + 56)


def test_zstd_that_nothing_undoes_says_what_to_install(rows, monkeypatch):
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(InvalidInput, match=r"install backports\.zstd"):
        rows(b"\x28\xb5\x2f\xfd", "rows.csv.zst")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-20], "damaged or cut short"),
        (gzip.compress(b"a,b\n", mtime=0)[:12] + b"\xff" * 9, "damaged or cut short"),
        (gzip.compress(b"PAR1" * 9, mtime=0), "Parquet inside another compression"),
        (b"\0\1\2\3", "neither text nor a format that is known"),
        (b"[\n1,\n2]", "one JSON document over several lines"),
    ],
)
def test_a_file_that_is_nothing_is_said_to_be(rows, data, why):
    with pytest.raises(InvalidInput, match=why):
        rows(data)


def test_a_large_file_is_counted_quickly_and_in_little_memory(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" + b"1.5,2.5\n" * 2_000_000)
    tracemalloc.start()

    began = time.process_time()
    found = counted(path)
    took_s, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found == RowCount("csv", 2_000_000, 16_000_004)
    assert took_s < 1
    assert peak < 4 << 20
