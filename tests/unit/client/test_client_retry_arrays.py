"""The records that failed of files that are not text."""

import gzip
import io
import json
import sys

import numpy as np
import pytest

from headrace import InvalidInput


def _saved(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">i8", "S3"])
def test_the_records_of_an_npy_file_that_failed_are_sent(retried, pack, order, dtype):
    array = np.arange(12).reshape(6, 2).astype(dtype, order)

    rest = retried(pack(_saved(np.save, array)), [(5, 5), (2, 2)], "x.npy")

    found = np.load(io.BytesIO(rest))
    assert found.dtype == array.dtype
    assert found.tolist() == array[[1, 4]].tolist()


def test_the_records_of_an_npz_file_that_failed_are_sent(retried):
    body = _saved(np.savez, x=np.arange(6).reshape(3, 2), t=np.array([b"a", b"b", b"c"]))

    found = np.load(io.BytesIO(retried(body, [(3, 3)], "x.npz")))

    assert {name: array.tolist() for name, array in found.items()} == {
        "x": [[4, 5]],
        "t": [b"c"],
    }


def test_the_rows_of_a_parquet_file_that_failed_are_sent(retried):
    pa, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    file = io.BytesIO()
    table = pa.table({"x": range(5), "t": pa.array(["a", None, "c", "d", "e"]).dictionary_encode()})
    parquet.write_table(table, file, row_group_size=2)

    rest = parquet.read_table(io.BytesIO(retried(file.getvalue(), [(2, 2), (4, 4)], "x.parquet")))

    assert rest.to_pydict() == {"x": [1, 3], "t": [None, "d"]}


def test_without_pyarrow_a_parquet_file_is_not_taken_apart(retried, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(InvalidInput, match="install pyarrow"):
        retried(b"PAR1", [(1, 1)], "x.parquet")


def test_an_infer_request_is_not_taken_apart(retried):
    tensor = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}

    with pytest.raises(InvalidInput, match="not taken apart"):
        retried(json.dumps({"inputs": [tensor]}).encode(), [(1, 1)], "x.bin")
