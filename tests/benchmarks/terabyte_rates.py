"""The rates that a terabyte is reckoned with."""

import hashlib
import tempfile
import time
from pathlib import Path

from infra.aws.limits import SHARD_BYTES
from tests.benchmarks import batch_work
from tests.benchmarks.children import printed
from tests.benchmarks.large_files import MODELS, LargeFiles
from tests.benchmarks.row_files import ROWS, write, write_quoted
from tests.benchmarks.row_models import ROW_MODELS
from tests.benchmarks.terabyte import CutRates, Rates

_ROUNDS = 3


def measured(files: LargeFiles) -> tuple[list[Rates], CutRates]:
    """Return rates with each model, and of cutting.

    Args:
        files: what was measured of large files.
    """
    with tempfile.TemporaryDirectory() as name:
        plain, quoted, results = (
            Path(name, file) for file in ("rows.csv", "quoted.csv", "results")
        )
        write(plain)
        write_quoted(quoted, ROWS // 4)
        cut = CutRates(_cut_bytes_s(plain), _cut_bytes_s(quoted))
        graph = Path(name, "network.onnx")
        graph.write_bytes(ROW_MODELS["network"]())
        printed("batch_work", plain, graph, results, environment=batch_work.ENVIRONMENT)
        size_bytes = plain.stat().st_size
        growth, digest = results.stat().st_size / size_bytes, _digest_bytes_s(results)
    rates = [
        Rates(said, size_bytes / files.work(model, "rows.csv").cpu_s, digest, growth)
        for model, said in MODELS.items()
    ]
    return rates, cut


def _cut_bytes_s(file: Path) -> float:
    runs = [printed("cutting_work", file, SHARD_BYTES // 4) for _ in range(_ROUNDS)]
    return file.stat().st_size / min(cpu_s for _, _, cpu_s in runs)


def _digest_bytes_s(file: Path) -> float:
    body = file.read_bytes()
    began_s = time.process_time()
    hashlib.sha256(body)
    return len(body) / (time.process_time() - began_s)
