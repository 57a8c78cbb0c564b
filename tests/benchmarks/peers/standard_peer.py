"""The standard library alone: csv and json, some thousand rows at a time."""

import csv
import gzip
import json
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

_CHUNK = 8192


def _csv(source: Path, target: Path, predict) -> int:
    with source.open(newline="") as file:
        return _table(file, target, predict)


def _csv_gzip(source: Path, target: Path, predict) -> int:
    with gzip.open(source, "rt", newline="") as file:
        return _table(file, target, predict)


def _table(file: TextIO, target: Path, predict) -> int:
    count = 0
    with target.open("w", newline="") as out:
        reader, writer = csv.reader(file), csv.writer(out)
        writer.writerow([*next(reader), "y"])
        while rows := list(islice(reader, _CHUNK)):
            y = predict(np.array(rows, np.float32))
            writer.writerows([*row, one] for row, one in zip(rows, y.tolist(), strict=True))
            count += len(rows)
    return count


def _json_lines(source: Path, target: Path, predict) -> int:
    count = 0
    with source.open() as file, target.open("w") as out:
        while lines := list(islice(file, _CHUNK)):
            records = [json.loads(line) for line in lines]
            y = predict(np.array([record["x"] for record in records], np.float32))
            for record, one in zip(records, y.tolist(), strict=True):
                record["y"] = one
                out.write(json.dumps(record) + "\n")
            count += len(records)
    return count


WORK = {"csv": _csv, "csv.gz": _csv_gzip, "jsonl": _json_lines}
