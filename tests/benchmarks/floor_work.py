"""The floor of a large file: the model alone, over an array that is in memory already.

`python -m tests.benchmarks.floor_work MODEL ROWS` prints CPU seconds, those of the best size of a
run.
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
    rows = int(sys.argv[2])
    x = np.random.default_rng(7).standard_normal((rows, 20), np.float32)

    def run_s(chunk: int) -> float:
        began_s = time.process_time()
        for start in range(0, rows, chunk):
            session.run(None, {"x": x[start : start + chunk]})
        return time.process_time() - began_s

    sys.stdout.write(
        json.dumps(min(run_s(chunk) for chunk in (512, 1024, 4096, 8192) for _ in range(2)))
    )


if __name__ == "__main__":
    main()
