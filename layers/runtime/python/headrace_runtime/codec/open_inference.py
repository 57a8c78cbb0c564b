"""Open Inference Protocol V2: the body of an infer call ⇄ tensors, JSON and binary, mixed too.

A body is JSON, or JSON with the raw values of some tensors right behind it; the header
`Inference-Header-Content-Length` then says where the JSON ends. `0` there means that the whole
body is the value of the model's only input, and that all outputs are wanted as raw values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from headrace_runtime.codec import raw_tensor
from headrace_runtime.codec.infer_head import InputHead, read_head, remembered_head
from headrace_runtime.codec.json_tensor import tensor_from_json, tensor_to_json
from headrace_runtime.codec.json_text import write_json
from headrace_runtime.codec.raw_request import tensor_from_raw_request
from headrace_runtime.codec.request_parts import split
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Datatype, Tensor

_REMEMBERED_BYTES = 2048


@dataclass(frozen=True, slots=True)
class InferRequest:
    """What a caller asks of a model.

    Attributes:
        id: to be echoed, or None.
        tensors: the inputs, as sent; nothing of them is checked against a signature.
        outputs: names of the outputs that are wanted, in that order; empty for all.
        binary: by name of output, whether it is wanted as raw values.
        binary_default: the same for outputs that `binary` does not name.
    """

    id: str | None
    tensors: tuple[Tensor, ...]
    outputs: tuple[str, ...] = ()
    binary: Mapping[str, bool] = field(default_factory=dict)
    binary_default: bool = False

    def wants_binary(self, output: str) -> bool:
        """Whether that output is wanted as raw values."""
        return self.binary.get(output, self.binary_default)


@dataclass(frozen=True, slots=True)
class EncodedResponse:
    """The body of an answer.

    Attributes:
        header_length: bytes of JSON at its beginning where raw values follow, else None.
    """

    body: bytes
    header_length: int | None


def decode_request(body: bytes, header_length: str | None, signature: Signature) -> InferRequest:
    """Return what *body* asks.

    Args:
        body: with no content encoding on.
        header_length: value of `Inference-Header-Content-Length`, None where it was not sent.
        signature: the model's; it names and shapes the input of a raw request.

    Raises:
        InvalidInput: the body is malformed; nothing else is raised, whatever the bytes.
        UnfitInput: a raw request was sent to a model that cannot take one.
    """
    text, raw = split(body, header_length)
    if raw is not None and not len(text):
        return InferRequest(None, (tensor_from_raw_request(raw, signature),), binary_default=True)
    # Before raw values the same few words come again and again, call after call.
    short = raw is not None and len(text) <= _REMEMBERED_BYTES
    head = remembered_head(bytes(text)) if short else read_head(text)
    return InferRequest(
        id=head.id,
        tensors=_tensors(head.inputs, raw),
        outputs=head.outputs,
        binary=head.binary,
        binary_default=head.binary_default,
    )


def encode_response(
    model: str, version: int, request: InferRequest, outputs: Sequence[Tensor]
) -> EncodedResponse:
    """Return *outputs* as the answer to *request*: each as JSON or as raw values, as it asked.

    Raises:
        InvalidInput: an output of BYTES that is not UTF-8 was asked for as JSON.
    """
    described: list[_Described] = []
    raws: list[bytes] = []
    for tensor in outputs:
        if request.wants_binary(tensor.name):
            raws.append(raw_tensor.to_bytes(tensor))
            described.append((tensor.name, tensor.datatype, tensor.shape, len(raws[-1]), None))
        else:
            data = tensor_to_json(tensor)
            described.append((tensor.name, tensor.datatype, tensor.shape, None, data))
    all_raw = request.id is None and len(raws) == len(described)
    write = _remembered_response if all_raw else _response
    text = write(request.id, model, version, tuple(described))
    return EncodedResponse(b"".join([text, *raws]), len(text) if raws else None)


# Name, datatype, shape, bytes of its raw values or None, elements as `write_json` takes them.
_Described = tuple[str, Datatype, tuple[int, ...], int | None, Any]


def _response(id_: str | None, model: str, version: int, outputs: tuple[_Described, ...]) -> bytes:
    """Return the JSON of an answer."""
    described: list[dict[str, Any]] = []
    for name, datatype, shape, size, data in outputs:
        plain = {"name": name, "datatype": str(datatype), "shape": shape}
        if size is None:
            described.append(plain | {"data": data})
        else:
            described.append(plain | {"parameters": {"binary_data_size": size}})
    head = {"model_name": model, "model_version": str(version), "outputs": described}
    return write_json(head if id_ is None else {"id": id_, **head})


_remembered_response = lru_cache(maxsize=128)(_response)


def _tensors(inputs: Sequence[InputHead], raw: memoryview | None) -> tuple[Tensor, ...]:
    tensors, position = [], 0
    for index, head in enumerate(inputs):
        if head.size is None:
            tensors.append(tensor_from_json(head.name, head.datatype, head.shape, head.data))
            continue
        if raw is None or position + head.size > len(raw):
            left = 0 if raw is None else len(raw) - position
            raise InvalidInput(
                f"inputs[{index}] says {head.size} bytes of binary data, but {left} follow the "
                "JSON (whose length the header Inference-Header-Content-Length gives)",
                path=f"inputs[{index}]",
                expected=head.size,
                got=left,
            )
        values = raw[position : position + head.size]
        tensors.append(raw_tensor.from_bytes(head.name, head.datatype, head.shape, values))
        position += head.size
    if raw is not None and position != len(raw):
        raise InvalidInput(
            f"{len(raw) - position} bytes follow the last input's binary data",
            expected=position,
            got=len(raw),
        )
    return tuple(tensors)
