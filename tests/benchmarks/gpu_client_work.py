"""The same records straight to the same Triton, by `tritonclient`: what hand-off is measured by.

`python -m tests.benchmarks.gpu_client_work URL PID FILE ROWS` sends the records of an NPY file, so
many a request, as raw values over HTTP, one request after the other, and prints the CPU seconds of
this process and those of the family of process PID, which is Triton. The file is in memory before
that, and one request has been answered.
"""

import json
import sys
import time

import numpy as np
from tritonclient import http as triton

from infra.local.triton.archive import MODEL
from tests.benchmarks.usage import family_cpu_s


def main() -> None:
    """Send what the command line names."""
    url, pid, file, rows_at_once = sys.argv[1:5]
    records, rows = np.load(file), int(rows_at_once)
    with triton.InferenceServerClient(url.removeprefix("http://")) as client:
        _answered(client, records[:rows])
        began_s, server_s = time.process_time(), family_cpu_s(int(pid))
        answered = sum(
            _answered(client, records[start : start + rows])
            for start in range(0, len(records), rows)
        )
        used_s = time.process_time() - began_s
        server_s = family_cpu_s(int(pid)) - server_s
    if answered != len(records):
        raise RuntimeError(f"{answered:,} of {len(records):,} records were answered")
    sys.stdout.write(json.dumps([used_s, server_s]))


def _answered(client: triton.InferenceServerClient, records: np.ndarray) -> int:
    """Return how many records a request with these had answered."""
    given = triton.InferInput("x", list(records.shape), "FP32")
    given.set_data_from_numpy(records)
    answer = client.infer(MODEL, [given], outputs=[triton.InferRequestedOutput("y")])
    return len(answer.as_numpy("y"))


if __name__ == "__main__":
    main()
