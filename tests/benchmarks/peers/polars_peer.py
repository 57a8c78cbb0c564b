"""polars: its streaming engine, a batch at a time, one thread."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

_CHUNK = 8192


def _frames(lazy: pl.LazyFrame, predict, matrix: Callable[[pl.DataFrame], np.ndarray]):
    for frame in lazy.collect_batches(chunk_size=_CHUNK, maintain_order=True):
        yield frame.with_columns(pl.Series("y", predict(matrix(frame))))


def _numbers(frame: pl.DataFrame) -> np.ndarray:
    return frame.to_numpy().astype(np.float32, order="C", copy=False)


def _lists(frame: pl.DataFrame) -> np.ndarray:
    return frame["x"].explode().to_numpy().reshape(len(frame), -1).astype(np.float32)


def _csv(source: Path, target: Path, predict) -> int:
    count = 0
    with target.open("wb") as out:
        for frame in _frames(pl.scan_csv(source), predict, _numbers):
            frame.write_csv(out, include_header=not count)
            count += len(frame)
    return count


def _json_lines(source: Path, target: Path, predict) -> int:
    count = 0
    with target.open("wb") as out:
        for frame in _frames(pl.scan_ndjson(source), predict, _lists):
            frame.write_ndjson(out)
            count += len(frame)
    return count


def _parquet(source: Path, target: Path, predict) -> int:
    frame = pl.read_parquet(source)
    frame.with_columns(pl.Series("y", predict(_numbers(frame)))).write_parquet(target)
    return len(frame)


WORK = {"csv": _csv, "csv.gz": _csv, "jsonl": _json_lines, "parquet": _parquet}
