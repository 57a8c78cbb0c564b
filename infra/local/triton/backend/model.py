"""Triton's `onnxruntime` backend, where there is no GPU: ONNX Runtime's wheel instead of NVIDIA's.

Triton runs a backend that is a model.py in a folder of the backend's name, in a Python that it
embeds. So the very archive that goes to SageMaker is served here, by Triton's own scheduler.

Tensors cross by DLPack alone, because Triton's part was compiled for numpy 1 and takes the size of
an element from where numpy 2 has something else. For text there is no other way: it is refused at
the load. Threads of a run: HEADRACE_MODEL_THREADS, by default 1.
"""

import ctypes
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb
from onnx_model import ModelRefused, OnnxModel

# DLPack's name of a capsule that was taken; Triton gives another, and numpy then prints an error.
_TAKEN = ctypes.c_char_p(b"used_dltensor")
_rename = ctypes.pythonapi.PyCapsule_SetName
_rename.argtypes = [ctypes.py_object, ctypes.c_char_p]


@dataclass(slots=True)
class _Call:
    """A request as arrays; `inputs` lie in Triton's memory, so they end with the request."""

    inputs: dict[str, Any]
    outputs: list[str]

    @property
    def rows(self) -> int:
        return next(len(array) for array in self.inputs.values())

    @property
    def kind(self) -> tuple[Any, ...]:
        """What calls that can be run as one have in common."""
        return tuple((name, array.shape[1:]) for name, array in sorted(self.inputs.items()))


class TritonPythonModel:
    """An instance of a model, as Triton makes and asks it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model.

        Raises:
            ModelRefused: Triton then reports the model as failed, with this reason.
        """
        config = json.loads(args["model_config"])
        for entry in (*config["input"], *config["output"]):
            if entry["data_type"] == "TYPE_STRING":
                raise ModelRefused(f"'{entry['name']}' is text, which cannot cross by DLPack")
        file = config["default_model_filename"] or "model.onnx"
        threads = int(os.environ.get("HEADRACE_MODEL_THREADS", "1"))
        folder = Path(args["model_repository"], args["model_version"])
        self._model = OnnxModel(folder / file, config, threads=threads)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Return an answer to each request; one that fails leaves the others alone."""
        calls = [self._call(request) for request in requests]
        if len(calls) > 1 and self._model.batched and len({call.kind for call in calls}) == 1:
            try:
                return self._together(calls)
            except Exception:  # noqa: BLE001, S110 - below, each learns its own error
                pass
        return [self._alone(call) for call in calls]

    def _call(self, request: Any) -> _Call:
        wanted = set(request.requested_output_names())
        return _Call(
            {tensor.name(): np.from_dlpack(tensor) for tensor in request.inputs()},
            [name for name in self._model.outputs if name in wanted],
        )

    def _together(self, calls: Sequence[_Call]) -> list[Any]:
        names = calls[0].inputs
        joined = {name: np.concatenate([call.inputs[name] for call in calls]) for name in names}
        arrays = self._model.run(joined, self._model.outputs)
        ends = np.cumsum([call.rows for call in calls])
        if any(len(array) != ends[-1] for array in arrays):
            raise ValueError("not a record of output for each of input")
        parts = zip(*(np.split(array, ends[:-1]) for array in arrays), strict=True)
        return [
            _response(call, dict(zip(self._model.outputs, part, strict=True)))
            for call, part in zip(calls, parts, strict=True)
        ]

    def _alone(self, call: _Call) -> Any:
        try:
            arrays = self._model.run(call.inputs, call.outputs)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's have no class in common
            return pb.InferenceResponse(error=pb.TritonError(str(error)))
        return _response(call, dict(zip(call.outputs, arrays, strict=True)))


def _response(call: _Call, arrays: dict[str, Any]) -> Any:
    return pb.InferenceResponse([_tensor(name, arrays[name]) for name in call.outputs])


def _tensor(name: str, array: Any) -> Any:
    if not array.size:  # DLPack's strides of nothing are refused; the size of nothing is right
        return pb.Tensor(name, array)
    capsule = array.__dlpack__()
    tensor = pb.Tensor.from_dlpack(name, capsule)
    _rename(capsule, _TAKEN)
    return tensor
