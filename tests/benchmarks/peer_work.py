"""A file worked by a peer, in a process of its own: the natural code with a known library.

`python -m tests.benchmarks.peer_work PEER FORMAT SOURCE MODEL TARGET` reads the file, runs the
model in chunks, writes the input's columns with the prediction in the same format, and prints
rows, CPU seconds and MB. CPU counts from when the library is imported and the model is loaded.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import onnxruntime

from tests.benchmarks.usage import peak_mb

PEERS: dict[str, tuple[str, ...]] = {
    "standard": ("csv", "csv.gz", "jsonl"),
    "pandas": ("csv", "csv.gz", "jsonl", "parquet"),
    "pyarrow": ("csv", "csv.gz", "jsonl", "parquet"),
    "polars": ("csv", "csv.gz", "jsonl", "parquet"),
    "numpy": ("npy",),
}
APART = frozenset({"pandas", "polars"})  # what `make bench` installs, and nothing else needs
CHUNK = 8192
# One thread where a library lets one say so from without.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}


class Model:
    """The model, run in chunks."""

    def __init__(self, path: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return a float32 for each row of float32 *x*."""
        starts = range(0, len(x), CHUNK)
        runs = [self._session.run(None, {"x": x[i : i + CHUNK]})[0] for i in starts]
        return np.concatenate(runs)[:, 0] if len(runs) > 1 else runs[0][:, 0]


def main() -> None:
    """Work the file that the command line names."""
    peer, form, source, model, target = sys.argv[1:]
    module = import_module(f"tests.benchmarks.peers.{peer}_peer")
    loaded = Model(model)
    loaded.predict(np.zeros((1, 20), np.float32))
    began_s = time.process_time()
    rows = module.WORK[form](Path(source), Path(target), loaded.predict)
    sys.stdout.write(json.dumps([rows, time.process_time() - began_s, peak_mb()]))


if __name__ == "__main__":
    main()
