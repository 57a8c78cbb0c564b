"""The floor of a large file: the model alone, over an array that is in memory already.

`python -m tests.benchmarks.floor_work MODEL ROWS CHUNK` runs it in chunks of that many rows and
prints CPU seconds.
"""

import json
import sys
import time

import numpy as np
import onnxruntime


def main() -> None:
    """Run the model that the command line names."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    rows, chunk = map(int, sys.argv[2:4])
    x = np.random.default_rng(7).standard_normal((rows, 20), np.float32)
    session.run(None, {"x": x[:chunk]})
    began_s = time.process_time()
    for start in range(0, rows, chunk):
        session.run(None, {"x": x[start : start + chunk]})
    sys.stdout.write(json.dumps(time.process_time() - began_s))


if __name__ == "__main__":
    main()
