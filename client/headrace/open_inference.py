"""Tensors ⇄ the binary tensor extension of the Open Inference Protocol, on the caller's side."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headrace_runtime.codec import raw_tensor
from headrace_runtime.tensor import Array, Datatype, Tensor

LENGTH_HEADER = "inference-header-content-length"


def request_body(tensors: Sequence[Tensor], outputs: Sequence[str] | None) -> tuple[bytes, int]:
    """Return the body of an `infer` call, and how many bytes of it are JSON.

    Args:
        tensors: the model's inputs; their raw bytes follow the JSON in this order.
        outputs: names of the outputs that are wanted, None for all.
    """
    raw = [raw_tensor.to_bytes(tensor) for tensor in tensors]
    header: dict[str, Any] = {
        "inputs": [
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "datatype": str(tensor.datatype),
                "parameters": {"binary_data_size": len(bytes_)},
            }
            for tensor, bytes_ in zip(tensors, raw, strict=True)
        ],
        "parameters": {"binary_data_output": True},
    }
    if outputs is not None:
        header["outputs"] = [{"name": name} for name in outputs]
    text = json.dumps(header).encode()
    return b"".join([text, *raw]), len(text)


def read_answer(body: bytes, headers: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the JSON of an `infer` answer, and its outputs by name.

    Raises:
        InvalidInput, ValueError, LookupError, TypeError, AttributeError: it is no such answer.
    """
    length = int(headers.get(LENGTH_HEADER, len(body)))
    answer, rest = json.loads(body[:length]), memoryview(body)[length:]
    outputs: dict[str, Array] = {}
    for output in answer["outputs"]:
        datatype, shape = Datatype(output["datatype"]), tuple(output["shape"])
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            outputs[output["name"]] = _from_json(datatype, shape, output["data"])
            continue
        raw, rest = rest[:size], rest[size:]
        outputs[output["name"]] = raw_tensor.from_bytes(output["name"], datatype, shape, raw).array
    return answer, outputs


def _from_json(datatype: Datatype, shape: tuple[int, ...], data: Any) -> Array:
    """Return an output that came as JSON: BYTES are text there, everything else is a number."""
    array = np.array(data, np.object_ if datatype is Datatype.BYTES else datatype.dtype)
    if datatype is Datatype.BYTES:
        array = np.array([str(text).encode() for text in array.flat], np.object_)
    return array.reshape(shape)
