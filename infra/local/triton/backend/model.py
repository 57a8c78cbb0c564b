"""Triton's `onnxruntime` backend on a machine without GPU.

The wheel has no ONNX Runtime backend, but Triton runs one that is written in Python when it lies in
the backend's folder. So the archive made for SageMaker is served here as it is.

Numbers cross by DLPack alone: what Triton was compiled with misreads arrays of numpy 2.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    """What Triton makes for each model instance."""

    @staticmethod
    def auto_complete_config(config: Any) -> Any:
        """Return the configuration: ours is complete."""
        return config

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model."""
        from onnx_model import OnnxModel

        config = json.loads(args["model_config"])
        file = config.get("default_model_filename") or "model.onnx"
        self._batched = config["max_batch_size"] > 0
        self._model = OnnxModel(
            Path(args["model_repository"], args["model_version"], file),
            config,
            threads=int(os.environ.get("HEADRACE_MODEL_THREADS", "1")),
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Return a response for each request."""
        return [self._alone(request) for request in requests]

    def _alone(self, request: Any) -> Any:
        try:
            wanted = [n for n in self._model.outputs if n in set(request.requested_output_names())]
            inputs = {t.name(): _array(t) for t in request.inputs()}
            arrays = self._model.run(inputs, wanted)
            tensors = [_tensor(n, a) for n, a in zip(wanted, arrays, strict=True)]
        except Exception as error:
            return pb.InferenceResponse(error=pb.TritonError(str(error)))
        return pb.InferenceResponse(tensors)


def _array(tensor: Any) -> np.ndarray:
    if (
        tensor.triton_dtype() == pb.TRITONSERVER_TYPE_BYTES
        if hasattr(pb, "TRITONSERVER_TYPE_BYTES")
        else False
    ):
        return tensor.as_numpy()
    try:
        return np.from_dlpack(tensor)
    except Exception:
        return tensor.as_numpy()


def _tensor(name: str, array: np.ndarray) -> Any:
    if array.dtype == np.object_:
        return pb.Tensor(name, array)
    return pb.Tensor.from_dlpack(name, array)
