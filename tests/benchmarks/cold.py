"""Cold: from the start of a process to its first prediction, over the bare floor."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks.models import MODELS
from tests.benchmarks.report import Row
from tests.benchmarks.world import ROOT, aws, event

_ROUNDS = 9

# The least that any service must do: numpy, ONNX Runtime, the model from disk, one run, JSON.
_FLOOR = """
import json, sys
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
x = numpy.zeros((1, 784), numpy.float32)
print(json.dumps(session.run(None, {"x": x})[0].tolist()))
"""

# What Lambda does with the function: import, then one event; the model comes from S3.
_PREDICT = """
import json, sys
from functions.predict import handler
class Context:
    aws_request_id = "1"
    get_remaining_time_in_millis = staticmethod(lambda: 29_000)
answer = handler.lambda_handler(json.load(open(sys.argv[1])), Context())
assert answer["statusCode"] == 200, answer
"""


def rows() -> list[Row]:
    """Return one row: CPU time, user and system, the least of several fresh processes each."""
    with tempfile.TemporaryDirectory() as name, aws() as environment:
        model, call = Path(name, "model.onnx"), Path(name, "event.json")
        model.write_bytes(MODELS["digits"])
        one = event("digits", np.zeros((1, 784), np.float32), binary=False)
        call.write_text(json.dumps(one))
        floor, predict = [], []
        for _ in range(_ROUNDS):  # in turn, so that a busy moment of the machine hits both
            floor.append(_cpu_s(_FLOOR, str(model), environment))
            predict.append(_cpu_s(_PREDICT, str(call), environment))
    return [
        Row(
            "cold: process start to first prediction (model fetched)",
            f"{min(predict) * 1e3:.0f} ms",
            f"{min(floor) * 1e3:.0f} ms",
            min(predict) / min(floor),
            "<= 3.0x",
            cpu_s=min(predict),
        )
    ]


def _cpu_s(code: str, argument: str, environment: dict[str, str]) -> float:
    """Return the CPU seconds of a fresh interpreter that runs *code*, its children included."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, argument],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"the measured process ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime
