"""Warm: an event through predict's handler, over the bare `session.run`."""

import importlib
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime

from tests.benchmarks.models import MODELS
from tests.benchmarks.report import Row
from tests.benchmarks.world import aws, event, printing_to_nobody

_BATCHES = 15
_BATCH_S = 0.03

_CASES: dict[str, tuple[str, tuple[int, ...]]] = {
    "4 floats": ("linear", (1, 4)),
    "784 floats": ("digits", (1, 784)),
    "32x784 floats": ("digits", (32, 784)),
    "3x224x224 floats": ("image", (1, 3, 224, 224)),
}

_AIMS = {("784 floats", True): "<= 2.5x"}


class _Context:
    aws_request_id = "1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


def rows() -> list[Row]:
    """Return a row for each size, JSON and binary: thread CPU time, the least of many batches."""
    with aws() as environment, printing_to_nobody():
        os.environ |= environment
        handler = importlib.import_module("functions.predict.handler")
        return [
            _row(handler.lambda_handler, size, binary=binary)
            for size in _CASES
            for binary in (False, True)
        ]


def _row(lambda_handler: Callable[..., dict[str, Any]], size: str, *, binary: bool) -> Row:
    model, shape = _CASES[size]
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    call = event(model, values, binary=binary)
    if not binary and len(call["body"]) > 6_000_000:
        raise ValueError(f"{size} as JSON is more than Lambda takes")
    answer = lambda_handler(call, _Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(MODELS[model], options)
    cost, floor = _least_s(
        lambda: lambda_handler(call, _Context()), lambda: session.run(None, {"x": values})
    )
    return Row(
        f"warm: infer {size}, {'binary' if binary else 'JSON'}",
        f"{cost * 1e6:,.1f} µs",
        f"{floor * 1e6:,.1f} µs",
        cost / floor,
        _AIMS.get((size, binary), ""),
        cpu_s=cost,
    )


def _least_s(*works: Callable[[], object]) -> list[float]:
    """Return each work's thread CPU seconds, the least mean of batches taken in turn."""
    counts, least = [], []
    for work in works:
        work()
        began = time.thread_time()
        work()
        counts.append(max(3, int(_BATCH_S / max(time.thread_time() - began, 1e-7))))
        least.append(float("inf"))
    for _ in range(_BATCHES):
        for index, work in enumerate(works):
            began = time.thread_time()
            for _ in range(counts[index]):
                work()
            least[index] = min(least[index], (time.thread_time() - began) / counts[index])
    return least
