"""A large file through the code of `batch`: rows per CPU second, and memory at its peak."""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import orjson
from onnx import helper
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingRegressor

from headrace_runtime.inference.session import Session
from headrace_runtime.tensor import Datatype
from tests import onnx_models
from tests.benchmarks.report import Row
from tests.benchmarks.world import ROOT
from tests.onnx_models import value, weight

ROWS, COLUMNS = 1_000_000, 20
_BLOCK = 50_000
_ROUNDS = 3

# As `batch` does it: the model runs in a process of its own, and both processes' CPU counts, from
# the moment on when both have started and the model is loaded.
_WORK = """
import io, json, resource, sys, time
from contextlib import nullcontext
from pathlib import Path
from headrace_runtime.batch import shard_run
from headrace_runtime.batch.file_formats import Wanted, opened
from headrace_runtime.batch.record_runs import RecordRuns
from headrace_runtime.codec.content import content_of
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.model.manifest import Manifest, Profile, StoredFile
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Tensor
import numpy

source, model, target = map(Path, sys.argv[1:4])
signature = Signature.from_dict(json.loads(sys.argv[4]))
size = model.stat().st_size
files = (StoredFile("artifacts/d/model.onnx", "d", size),)
profile = Profile(1.0, 0.01, size, "", optimise=True)
manifest = Manifest("m", 1, "d", size, "", signature, files, profile, "")

def from_offset(offset):
    stream = source.open("rb", buffering=0)
    stream.seek(offset)
    return stream

def peak_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(l.split()[1]) / 1024 for l in status if l.startswith("VmHWM"))

def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

process = ModelProcess(threads=1, memory_bytes=1 << 28, fetched=lambda _: nullcontext(model))
infer = lambda tensors: process.predict(manifest, tensors, left_s=600)
spec = signature.inputs[0]
infer([Tensor(spec.name, spec.datatype, numpy.zeros((1, 20), spec.datatype.dtype))])
child_s = time.clock_gettime((~process.pid << 3) | 2)  # the child's own clock of CPU
with target.open("wb") as written:
    errors = io.BytesIO()
    start = time.process_time()
    content = content_of(from_offset(0).read(65536), source.name)
    records, results = opened(from_offset, content, Wanted("m", 1, signature))
    for behind in shard_run.run(
        records,
        RecordRuns(infer, signature, rows_at_once=4096),
        results,
        write_results=written.write,
        write_errors=errors.write,
    ):
        pass
    cpu_s = time.process_time() - start
peaks = peak_mb("self") + peak_mb(process.pid)
process.close()
print(json.dumps([behind.counts.rows_ok, cpu_s + children_cpu_s() - child_s, peaks]))
"""

_FLOOR = """
import json, sys, time
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
rows = int(sys.argv[2])
x = numpy.random.default_rng(7).standard_normal((rows, 20), numpy.float32)
def run(chunk):
    start = time.process_time()
    for i in range(0, rows, chunk):
        session.run(None, {"x": x[i : i + chunk]})
    return time.process_time() - start
print(json.dumps(min(run(chunk) for chunk in (512, 1024, 4096, 8192) for _ in range(2))))
"""


_AIMS = {
    "csv": ">= 800,000/s, <= 120 MB",
    "jsonl": ">= 400,000/s",
    "npy": ">= 4,000,000/s",
    "csv.gz": "",
}
_NAMES = {"csv": "CSV", "csv.gz": "CSV, gzip", "jsonl": "JSON Lines", "npy": "NPY"}


def rows() -> list[Row]:
    """Return a row for each format under a 20-64-64-1 model, and one for CSV under 200 trees.

    Numbers have four decimals; results repeat the input's columns where the format has text.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mlp, trees = folder / "mlp.onnx", folder / "trees.onnx"
        mlp.write_bytes(_mlp())
        trees.write_bytes(_trees())
        floor_s = min(_child(_FLOOR, mlp, ROWS) for _ in range(_ROUNDS))
        measured = [_measured(folder, mlp, floor_s, suffix) for suffix in _AIMS]
        few = ROWS // 5
        floor_s = min(_child(_FLOOR, trees, few) for _ in range(_ROUNDS)) * ROWS / few
        return [*measured, _measured(folder, trees, floor_s, "csv", ", 200 trees", "<= 1.25x")]


def _measured(
    folder: Path, model: Path, floor_s: float, suffix: str, more: str = "", aim: str | None = None
) -> Row:
    source, target = folder / f"rows.{suffix}", folder / f"results.{suffix}"
    _write(source)
    signature = json.dumps(Session(model, threads=1).signature.to_dict())
    runs = [_child(_WORK, source, model, target, signature) for _ in range(_ROUNDS)]
    source.unlink()
    assert {count for count, _, _ in runs} == {ROWS}
    cpu_s, peak_mb = min(run[1] for run in runs), max(run[2] for run in runs)
    return Row(
        f"{_NAMES[suffix]}, {ROWS:,} x {COLUMNS}{more}: decode, infer, encode",
        f"{ROWS / cpu_s:,.0f} rows/s, peak {peak_mb:.0f} MB",
        f"{ROWS / floor_s:,.0f} rows/s, array in memory",
        cpu_s / floor_s,
        _AIMS[suffix] if aim is None else aim,
    )


def _write(path: Path) -> None:
    """Write numbers as text, 148 bytes a row, as CSV or as arrays in JSON Lines; or as NPY."""
    draw = np.random.default_rng(7)
    if path.suffix == ".npy":
        np.save(path, draw.standard_normal((ROWS, COLUMNS), np.float32))
        return
    json_lines = path.suffix == ".jsonl"
    with gzip.open(path, "wb", 6) if path.suffix == ".gz" else path.open("wb") as out:
        if not json_lines:
            out.write(",".join(f"c{i}" for i in range(COLUMNS)).encode() + b"\n")
        for _ in range(0, ROWS, _BLOCK):
            block = np.round(draw.standard_normal((_BLOCK, COLUMNS)), 4)
            text = orjson.dumps(block, option=orjson.OPT_SERIALIZE_NUMPY)
            lists, table = text[1:-1].replace(b"],", b"]\n"), text[2:-2].replace(b"],[", b"\n")
            out.write((lists if json_lines else table) + b"\n")


def _trees() -> bytes:
    """Return a model of 200 boosted trees of depth 6 over 20 columns."""
    draw = np.random.default_rng(7)
    x = draw.standard_normal((4000, COLUMNS))
    trained = GradientBoostingRegressor(n_estimators=200, max_depth=6, random_state=7)
    trained.fit(x, x[:, 0] * x[:, 1] + np.sin(x[:, 2]))
    graph = to_onnx(trained, x[:1].astype(np.float32), target_opset=18)
    graph.graph.input[0].name = "x"
    for node in graph.graph.node:
        node.input[:] = ["x" if name == "X" else name for name in node.input]
    return graph.SerializeToString()


def _mlp() -> bytes:
    """Return a model of three dense layers, 20-64-64-1."""
    draw = np.random.default_rng(7)
    shapes = {"w1": (20, 64), "w2": (64, 64), "w3": (64, 1)}
    weights = [weight(n, draw.normal(0, 0.2, s).astype(np.float32)) for n, s in shapes.items()]
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["r1"]),
        helper.make_node("MatMul", ["r1", "w2"], ["h2"]),
        helper.make_node("Relu", ["h2"], ["r2"]),
        helper.make_node("MatMul", ["r2", "w3"], ["y"]),
    ]
    return onnx_models.model(
        nodes,
        [value("x", Datatype.FP32, ["n", COLUMNS])],
        [value("y", Datatype.FP32, ["n", 1])],
        weights,
    )


def _child(code: str, *arguments: object) -> object:
    """Run *code* in a process of its own; return what it prints, read as JSON."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
