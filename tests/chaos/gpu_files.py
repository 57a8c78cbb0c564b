"""Files for a model that asks for GPUs: of every format, of one shard or several, some unfit."""

import io
from collections.abc import Iterator
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.chaos.files import (
    Expected,
    File,
    _all_bad,
    _csv,
    _csv_gz,
    _cut_gz,
    _expected,
    _json_lines,
    _npy,
    _record,
    _unfit,
    answer,
)

COLUMNS = (*"abcd", "y_0", "y_1", "y_2")  # of results in Parquet
_GROUP_ROWS = 100
# Rows from and to: of one shard, of some, of so many that a transform job takes the file.
_SHORT, _MIDDLE, _LONG = (1, 100), (170, 280), (480, 560)


def gpu_files(count: int, draw: Random) -> Iterator[File]:
    """Yield so many files.

    A Parquet file comes twice, the second time for a model that Lambda answers: there are no words
    for what its bytes are to be but those.
    """
    number = 0
    while number < count:
        name = draw.choices(list(_KINDS), weights=[kind[0] for kind in _KINDS.values()])[0]
        _, make, rows = _KINDS[name]
        body, expected = make(number, draw.randint(*rows), draw)
        suffix = name.split(".", 1)[1]
        yield File(f"linear/{number % 5}/{number}.{suffix}", body, expected)
        number += 1
        if suffix == "parquet" and number < count:
            yield File(f"twin/{number - 1}.{suffix}", body, expected)
            number += 1


def plain_results(name: str, body: bytes) -> bytes:
    """Return what `Expected.results` has of a file of results, given its *name* and bytes."""
    if name.endswith(".npy"):
        return np.load(io.BytesIO(body)).tobytes()
    if name.endswith(".parquet"):
        table = pq.read_table(io.BytesIO(body))
        assert tuple(table.column_names) == COLUMNS
        return np.array([column.to_numpy() for column in table.columns], np.float32).tobytes()
    return body


def _parquet(number: int, rows: int, _: Random) -> tuple[bytes, Expected]:
    records = [_record(number, place) for place in range(rows)]
    columns = np.array([[*record, *answer(record)] for record in records], np.float32).T
    written = io.BytesIO()
    table = pa.table(dict(zip(COLUMNS, columns[:4], strict=False)))
    pq.write_table(table, written, row_group_size=_GROUP_ROWS)
    return written.getvalue(), _expected("parquet", rows, [], columns.tobytes())


# How many in a hundred, what makes them, and of how many rows.
_KINDS = {
    "short.csv": (22, _csv, _SHORT),
    "middle.csv": (18, _csv, _MIDDLE),
    "long.csv": (7, _csv, _LONG),
    "short.jsonl": (10, _json_lines, _SHORT),
    "middle.jsonl": (8, _json_lines, _MIDDLE),
    "long.jsonl": (3, _json_lines, _LONG),
    "short.npy": (6, _npy, _SHORT),
    "middle.npy": (7, _npy, _MIDDLE),
    "long.npy": (2, _npy, _LONG),
    "middle.csv.gz": (4, _csv_gz, _MIDDLE),
    "middle.parquet": (4, _parquet, _MIDDLE),
    "bad.csv": (3, _all_bad, _MIDDLE),
    "unfit.csv": (3, _unfit, _MIDDLE),
    "cut.csv.gz": (3, _cut_gz, _MIDDLE),
}
