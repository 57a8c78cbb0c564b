"""A model that ONNX Runtime runs on the CPU, as config.pbtxt presents it: both servers' core.

It imports nothing of ours: Triton's Python finds it beside the backend, copied.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

Array = np.ndarray[Any, np.dtype[Any]]

_TEXT = "TYPE_STRING"
# Names of datatypes in config.pbtxt, and ONNX Runtime's for the same.
_ELEMENTS = {
    "TYPE_BOOL": "tensor(bool)",
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_UINT16": "tensor(uint16)",
    "TYPE_UINT32": "tensor(uint32)",
    "TYPE_UINT64": "tensor(uint64)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
    _TEXT: "tensor(string)",
}
# What NVIDIA's backend makes of `optimization { graph { level: … } }`.
_OPTIMISATION = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    0: ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


class ModelRefused(Exception):
    """A file that is no model, or not the one that its config.pbtxt describes."""


class OnnxModel:
    """A loaded model.

    Args:
        config: config.pbtxt as JSON: `max_batch_size`, for each `input` and `output` its `name`,
            `data_type`, `dims` and, where the model has other ones, `reshape`; and how far the
            graph is optimised.
        threads: how many one run uses.

    Attributes:
        batched: whether the first length of each shape counts records.
        outputs: names of the outputs that config.pbtxt has.

    Raises:
        ModelRefused: see there.
    """

    def __init__(self, file: Path, config: Mapping[str, Any], *, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        level = config.get("optimization", {}).get("graph", {}).get("level", 0)
        options.graph_optimization_level = _OPTIMISATION[int(level)]
        try:
            self._session = ort.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime's errors have no class in common
            raise ModelRefused(str(error)) from error
        self.batched = config["max_batch_size"] > 0
        self.outputs = tuple(entry["name"] for entry in config["output"])
        inputs = {value.name: value for value in self._session.get_inputs()}
        outputs = {value.name: value for value in self._session.get_outputs()}
        for side, found in (("input", inputs), ("output", outputs)):
            for entry in config[side]:
                _compare(side, entry, found, batched=self.batched)
        if missing := inputs.keys() - {entry["name"] for entry in config["input"]}:
            raise ModelRefused(f"the configuration has no input {sorted(missing)}")

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """Return the outputs that are named; text is given and returned as bytes.

        Raises:
            UnicodeDecodeError: a text that is not UTF-8.
            Exception: what ONNX Runtime finds wrong, under a class of its own.
        """
        given = {name: _to_text(array) for name, array in inputs.items()}
        return [_to_bytes(array) for array in self._session.run(list(outputs), given)]


def _compare(
    side: str, entry: Mapping[str, Any], found: Mapping[str, Any], *, batched: bool
) -> None:
    name = entry["name"]
    if name not in found:
        raise ModelRefused(
            f"unexpected inference {side} '{name}', allowed {side}s are: {', '.join(found)}"
        )
    value = found[name]
    if _ELEMENTS.get(entry["data_type"]) != value.type:
        raise ModelRefused(
            f"{side} '{name}' of the model is {value.type}, that of the configuration "
            f"{entry['data_type']}"
        )
    dims = entry["reshape"].get("shape", []) if "reshape" in entry else entry["dims"]
    told = [*([-1] if batched else []), *map(int, dims)]
    shape = [length if isinstance(length, int) else -1 for length in value.shape]
    # Without any length the model says nothing of its shape, or that it is a scalar.
    if shape and not _fits(told, shape):
        raise ModelRefused(
            f"{side} '{name}' of the model has the shape {shape}, that of the configuration {told}"
        )


def _fits(told: Sequence[int], shape: Sequence[int]) -> bool:
    return len(told) == len(shape) and all(
        has in {-1, says} for says, has in zip(told, shape, strict=True)
    )


def _to_text(array: Array) -> Array:
    if array.dtype != np.object_:
        return array
    return np.array([item.decode() for item in array.flat], np.object_).reshape(array.shape)


def _to_bytes(array: Array) -> Array:
    if array.dtype != np.object_:
        return np.require(array, requirements="C")
    return np.array([item.encode() for item in array.flat], np.object_).reshape(array.shape)
