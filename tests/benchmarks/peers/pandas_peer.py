"""pandas: frames, chunk by chunk where it reads so; Parquet whole, by pyarrow."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

_CHUNK = 8192
pa.set_cpu_count(1)


def _csv(source: Path, target: Path, predict) -> int:
    count = 0
    with target.open("w", newline="") as out, pd.read_csv(source, chunksize=_CHUNK) as chunks:
        for frame in chunks:
            frame["y"] = predict(frame.to_numpy(np.float32))
            frame.to_csv(out, index=False, header=not count)
            count += len(frame)
    return count


def _json_lines(source: Path, target: Path, predict) -> int:
    count = 0
    with (
        target.open("w") as out,
        pd.read_json(source, lines=True, chunksize=_CHUNK) as chunks,
    ):
        for frame in chunks:
            frame["y"] = predict(np.array(frame["x"].tolist(), np.float32))
            frame.to_json(out, orient="records", lines=True)
            count += len(frame)
    return count


def _parquet(source: Path, target: Path, predict) -> int:
    frame = pd.read_parquet(source)
    frame["y"] = predict(frame.to_numpy(np.float32))
    frame.to_parquet(target, index=False)
    return len(frame)


WORK = {"csv": _csv, "csv.gz": _csv, "jsonl": _json_lines, "parquet": _parquet}
