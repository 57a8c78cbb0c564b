"""An ONNX model run on the CPU by ONNX Runtime, as both model servers run it.

It imports nothing of ours: Triton loads it from a Python of its own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

# What config.pbtxt calls a datatype, and what ONNX Runtime does.
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
    "TYPE_STRING": "tensor(string)",
}


class ModelRefused(Exception):
    """The file and its config.pbtxt do not belong together, or cannot be served at all."""


class OnnxModel:
    """A model that is loaded.

    Args:
        config: config.pbtxt as JSON has it: `max_batch_size`, and of each `input` and `output`
            its `name`, `data_type` and `dims`.
        threads: what one run may use.

    Raises:
        ModelRefused: the file is no model, or another one than the configuration says.
    """

    def __init__(self, file: Path, config: Mapping[str, Any], *, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime's errors share no class
            raise ModelRefused(str(error)) from error
        self.inputs = [value.name for value in self._session.get_inputs()]
        self.outputs = [entry["name"] for entry in config["output"]]
        batched = int(config.get("max_batch_size", 0)) > 0
        _compare("input", config["input"], self._session.get_inputs(), batched=batched)
        _compare("output", config["output"], self._session.get_outputs(), batched=batched)
        if missing := sorted(set(self.inputs) - {entry["name"] for entry in config["input"]}):
            raise ModelRefused(f"the configuration lacks the inputs {', '.join(missing)}")

    def run(self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """Return the outputs asked for, in that order; text as `object` arrays of bytes.

        Raises:
            ValueError: text that is not UTF-8.
            Exception: whatever ONNX Runtime has to say of the inputs.
        """
        given = {name: _text(array) for name, array in inputs.items()}
        return [_bytes(array) for array in self._session.run(list(outputs), given)]


def _compare(
    side: str, told: Sequence[Mapping[str, Any]], found: Sequence[Any], *, batched: bool
) -> None:
    known = {value.name: value for value in found}
    for entry in told:
        name = entry["name"]
        if name not in known:
            raise ModelRefused(
                f"unexpected inference {side} '{name}', allowed {side}s are: {', '.join(known)}"
            )
        value = known[name]
        if _ELEMENTS.get(entry["data_type"]) != value.type:
            raise ModelRefused(
                f"the configuration has {entry['data_type']} for {side} '{name}', the model {value.type}"
            )
        dims = [*([-1] if batched else []), *map(int, entry["dims"])]
        shape = [length if isinstance(length, int) else -1 for length in value.shape or []]
        if shape and not _fit(dims, shape):
            raise ModelRefused(
                f"{side} '{name}': the model expects {len(shape)} dimensions (shape {shape})"
                f" but the configuration specifies {len(dims)} (shape {dims})"
            )


def _fit(dims: Sequence[int], shape: Sequence[int]) -> bool:
    return len(dims) == len(shape) and all(
        have in {-1, want} for want, have in zip(dims, shape, strict=True)
    )


def _text(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.object_:
        return array
    flat = [item.decode() if isinstance(item, bytes) else str(item) for item in array.ravel()]
    return np.array(flat, object).reshape(array.shape)


def _bytes(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.object_:
        return np.ascontiguousarray(array)
    return np.array([str(item).encode() for item in array.ravel()], object).reshape(array.shape)
