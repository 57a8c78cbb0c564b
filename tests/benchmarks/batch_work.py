"""A file through the code of `batch` and `batch_parquet`, in a process of its own.

`python -m tests.benchmarks.batch_work SOURCE MODEL TARGET` works the file with the model, writes
the results, and prints the records that have an answer, CPU seconds and MB. As there, the model
runs in a further process; both processes' CPU counts, from when both have started and the model
is loaded, and the peaks of both together.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from headrace_runtime.batch import shard_run
from headrace_runtime.batch.file_formats import Opened, Results, Wanted, opened
from headrace_runtime.batch.parts import layout_bytes
from headrace_runtime.batch.record_runs import Infer, RecordRuns
from headrace_runtime.batch.shard import Range
from headrace_runtime.codec.content import content_of
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.plain_format import HEAD_BYTES
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.model.manifest import Manifest, Profile, StoredFile
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor
from tests.benchmarks.usage import cpu_s, ended_children_cpu_s, peak_mb

ROWS_AT_ONCE = 8192  # as the stack sets it
# As the stack sets it, too.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}

SIGNATURE = Signature(
    (TensorSpec("x", Datatype.FP32, (-1, 20)),), (TensorSpec("y", Datatype.FP32, (-1, 1)),)
)


class _Stored:
    """A file, read at random."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self.size_bytes = path.stat().st_size

    def read_at(self, offset: int, size: int, /) -> bytes:
        return os.pread(self._file, size, offset)


class _Sink:
    """Takes results; the file begins with their layout, which the first answers tell."""

    def __init__(self, out: BinaryIO, results: Results) -> None:
        self._out, self._results = out, results
        self._bare = False

    def write(self, data: bytes) -> None:
        if not self._bare:
            self._out.write(layout_bytes(self._results.layout()))
            self._bare = True
        self._out.write(data)


def main() -> None:
    """Work the file that the command line names."""
    source, model, target = map(Path, sys.argv[1:4])
    size = model.stat().st_size
    files = (StoredFile("artifacts/d/model.onnx", "d", size),)
    profile = Profile(1.0, 0.01, size, "", optimise=True)
    manifest = Manifest("m", 1, "d", size, "", SIGNATURE, files, profile, "")
    models = ModelProcess(
        threads=1, memory_bytes=1 << 28, fetched=lambda _: nullcontext(model), run_limit_s=60.0
    )
    infer = partial(models.predict, manifest, left_s=600.0)
    infer([Tensor("x", Datatype.FP32, np.zeros((1, 20), np.float32))])
    assert models.pid is not None
    opener = _opener(source)
    child_s, own_s = cpu_s(models.pid), time.process_time()
    rows = _worked(opener, infer, target)
    own_s = time.process_time() - own_s
    peaks_mb = peak_mb() + peak_mb(models.pid)
    models.close()
    sys.stdout.write(json.dumps([rows, own_s + ended_children_cpu_s() - child_s, peaks_mb]))


def _worked(opener: Callable[[], Opened], infer: Infer, target: Path) -> int:
    """Return how many records have an answer."""
    runs = RecordRuns(infer, SIGNATURE, rows_at_once=ROWS_AT_ONCE)
    records, results = opener()
    with target.open("wb") as out:
        sink, errors = _Sink(out, results), io.BytesIO()
        for behind in shard_run.run(  # noqa: B007 - the last one counts
            records, runs, results, write_results=sink.write, write_errors=errors.write
        ):
            pass
        sink.write(results.end(behind.next_row))
    return behind.counts.rows_ok


def _opener(source: Path) -> Callable[[], Opened]:
    """Return what opens the file, all that it needs imported; no more than that takes memory."""
    wanted = Wanted("m", 1, SIGNATURE)
    with source.open("rb") as file:
        content = content_of(file.read(HEAD_BYTES), source.name)
    if content.format is FileFormat.PARQUET:
        from headrace_runtime.batch.parquet_formats import opened_parquet  # noqa: PLC0415

        return lambda: opened_parquet(_Stored(source), wanted, Range())
    return lambda: opened(partial(from_offset, source), content, wanted)


def from_offset(source: Path, offset: int) -> BinaryIO:
    stream = source.open("rb", buffering=0)
    stream.seek(offset)
    return stream


if __name__ == "__main__":
    main()
