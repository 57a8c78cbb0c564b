"""The files that are measured: rows of 20 numbers, in every format, the same numbers in each."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, COLUMNS = 1_000_000, 20
NAMES = [f"c{i}" for i in range(COLUMNS)]
_BLOCK = 50_000


def write(path: Path, rows: int = ROWS) -> None:
    """Write a file of that many rows, by its suffix; `lists.jsonl` has arrays, not objects.

    Numbers have four decimals: 148 bytes a row as text. Parquet and NPY hold float32.
    """
    lists = path.name == "lists.jsonl"
    _WRITERS["lists.jsonl" if lists else path.name.partition(".")[2]](path, rows)


def _blocks(rows: int) -> Iterator[np.ndarray]:
    draw = np.random.default_rng(7)
    for start in range(0, rows, _BLOCK):
        yield np.round(draw.standard_normal((min(_BLOCK, rows - start), COLUMNS)), 4)


def _array(rows: int) -> np.ndarray:
    return np.concatenate(list(_blocks(rows))).astype(np.float32)


def _csv(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        _write_csv(out, rows)


def _csv_gzip(path: Path, rows: int) -> None:
    with gzip.open(path, "wb", 6) as out:
        _write_csv(out, rows)


def _write_csv(out: BinaryIO | gzip.GzipFile, rows: int) -> None:
    out.write(",".join(NAMES).encode() + b"\n")
    for block in _blocks(rows):
        out.write(_json(block)[2:-2].replace(b"],[", b"\n") + b"\n")


def write_quoted(path: Path, rows: int = ROWS) -> None:
    """Write the CSV once more, the first cell of every row in quotes."""
    with path.open("wb") as out:
        out.write(",".join(NAMES).encode() + b"\n")
        for block in _blocks(rows):
            lines = _json(block)[2:-2].split(b"],[")
            out.writelines(b'"' + line.replace(b",", b'",', 1) + b"\n" for line in lines)


def _lists(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        for block in _blocks(rows):
            out.write(_json(block)[1:-1].replace(b"],", b"]\n") + b"\n")


def _objects(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        for block in _blocks(rows):
            out.write(b'{"x":' + _json(block)[1:-1].replace(b"],", b']}\n{"x":') + b"}\n")


def _json(block: np.ndarray) -> bytes:
    return orjson.dumps(block, option=orjson.OPT_SERIALIZE_NUMPY)


def _npy(path: Path, rows: int) -> None:
    np.save(path, _array(rows))


def _parquet(path: Path, rows: int) -> None:
    """As pyarrow writes by itself: snappy, one row group a million rows."""
    pq.write_table(pa.table(list(_array(rows).T), names=NAMES), path)


_WRITERS: dict[str, Callable[[Path, int], None]] = {
    "csv": _csv,
    "csv.gz": _csv_gzip,
    "jsonl": _objects,
    "lists.jsonl": _lists,
    "npy": _npy,
    "parquet": _parquet,
}
