"""pyarrow: batches as its readers give them, one thread; JSON Lines whole, and written by json."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

_CHUNK = 8192
pa.set_cpu_count(1)
pa.set_io_thread_count(1)


def _csv(source: Path, target: Path, predict) -> int:
    count, writer = 0, None
    options = pa.csv.ReadOptions(use_threads=False)
    with pa.input_stream(source) as file, pa.csv.open_csv(file, options) as reader:  # gzip, too
        for batch in reader:
            joined = _with(batch, predict(_matrix(batch)))
            if writer is None:
                writer = pa.csv.CSVWriter(target, joined.schema)
            writer.write_batch(joined)
            count += len(batch)
    writer.close()
    return count


def _json_lines(source: Path, target: Path, predict) -> int:
    table = pa.json.read_json(source, pa.json.ReadOptions(use_threads=False))
    count = 0
    with target.open("w") as out:  # it writes no JSON itself
        for batch in table.to_batches(_CHUNK):
            x = batch.column("x").flatten().to_numpy().reshape(len(batch), -1)
            joined = _with(batch, predict(x.astype(np.float32)))
            out.writelines(json.dumps(record) + "\n" for record in joined.to_pylist())
            count += len(batch)
    return count


def _parquet(source: Path, target: Path, predict) -> int:
    file, count = pq.ParquetFile(source), 0
    schema = file.schema_arrow.append(pa.field("y", pa.float32()))
    with pq.ParquetWriter(target, schema) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in file.iter_batches(_CHUNK, use_threads=False):
            waiting.append(_with(batch, predict(_matrix(batch))))
            count += len(batch)
            if len(waiting) == 16:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
    return count


def _matrix(batch: pa.RecordBatch) -> np.ndarray:
    columns = [column.to_numpy() for column in batch.columns]
    return np.column_stack(columns).astype(np.float32, copy=False)


def _with(batch: pa.RecordBatch, y: np.ndarray) -> pa.RecordBatch:
    return batch.append_column("y", pa.array(y))


WORK = {"csv": _csv, "csv.gz": _csv, "jsonl": _json_lines, "parquet": _parquet}
