"""Open Inference Protocol V2: the body of an infer call ⇄ tensors, JSON and binary, mixed too.

A body is JSON, or JSON with the raw values of some tensors right behind it; the header
`Inference-Header-Content-Length` then says where the JSON ends. `0` there means that the whole
body is the value of the model's only input, and that all outputs are wanted as raw values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace_runtime.codec import raw_tensor
from headrace_runtime.codec.json_tensor import tensor_from_json, tensor_to_json
from headrace_runtime.codec.json_text import read_json, write_json
from headrace_runtime.codec.raw_request import tensor_from_raw_request
from headrace_runtime.codec.request_parts import (
    datatype_of_input,
    member,
    objects,
    parameters_of,
    size_of,
    split,
)
from headrace_runtime.codec.shapes import checked_shape
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Tensor


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
    head = read_json(text)
    if not isinstance(head, dict):
        raise InvalidInput("the body must be a JSON object with a list of inputs")
    tensors = _tensors(objects(head, "inputs"), raw)
    wanted = objects(head, "outputs") if head.get("outputs") is not None else []
    names = tuple(member(o, "name", str, f"outputs[{i}]") for i, o in enumerate(wanted))
    if len(set(names)) != len(names):
        raise InvalidInput("an output is asked for twice", path="outputs")
    return InferRequest(
        id=None if head.get("id") is None else member(head, "id", str, "the body"),
        tensors=tensors,
        outputs=names,
        binary=_binary_flags(wanted, names),
        binary_default=_flag(parameters_of(head, "the body"), "binary_data_output") or False,
    )


def encode_response(
    model: str, version: int, request: InferRequest, outputs: Sequence[Tensor]
) -> EncodedResponse:
    """Return *outputs* as the answer to *request*: each as JSON or as raw values, as it asked.

    Raises:
        InvalidInput: an output of BYTES that is not UTF-8 was asked for as JSON.
    """
    described, raws = [], []
    for tensor in outputs:
        plain = {
            "name": tensor.name,
            "datatype": str(tensor.datatype),
            "shape": list(tensor.shape),
        }
        if request.wants_binary(tensor.name):
            raw = raw_tensor.to_bytes(tensor)
            raws.append(raw)
            described.append(plain | {"parameters": {"binary_data_size": len(raw)}})
        else:
            described.append(plain | {"data": tensor_to_json(tensor)})
    head = {"model_name": model, "model_version": str(version), "outputs": described}
    text = write_json(head if request.id is None else {"id": request.id, **head})
    return EncodedResponse(b"".join([text, *raws]), len(text) if raws else None)


def _tensors(inputs: list[dict[str, Any]], raw: memoryview | None) -> tuple[Tensor, ...]:
    tensors, position = [], 0
    for index, plain in enumerate(inputs):
        path = f"inputs[{index}]"
        size = size_of(parameters_of(plain, path), path)
        if size is None:
            tensors.append(_tensor(plain, path))
            continue
        if raw is None or position + size > len(raw):
            left = 0 if raw is None else len(raw) - position
            raise InvalidInput(
                f"{path} says {size} bytes of binary data, but {left} follow the JSON (whose "
                "length the header Inference-Header-Content-Length gives)",
                path=path,
                expected=size,
                got=left,
            )
        tensors.append(_tensor(plain, path, raw[position : position + size]))
        position += size
    if raw is not None and position != len(raw):
        raise InvalidInput(
            f"{len(raw) - position} bytes follow the last input's binary data",
            expected=position,
            got=len(raw),
        )
    return tuple(tensors)


def _tensor(plain: dict[str, Any], path: str, raw: memoryview | None = None) -> Tensor:
    name = member(plain, "name", str, path)
    datatype = datatype_of_input(plain, path)
    shape = checked_shape(plain.get("shape"), f"{path}.shape")
    if raw is not None:
        if "data" in plain:
            raise InvalidInput(f"{path} has both data and binary_data_size: send one", path=path)
        return raw_tensor.from_bytes(name, datatype, shape, raw)
    if "data" not in plain:
        raise InvalidInput(f"{path} has neither data nor parameters.binary_data_size", path=path)
    return tensor_from_json(name, datatype, shape, plain["data"])


def _binary_flags(wanted: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, bool]:
    flags = {}
    for index, (plain, name) in enumerate(zip(wanted, names, strict=True)):
        parameters = parameters_of(plain, f"outputs[{index}]")
        if parameters.get("classification"):
            raise InvalidInput(
                f"outputs[{index}].parameters.classification is not supported: ask for the "
                "output itself",
                path=f"outputs[{index}].parameters",
            )
        flag = _flag(parameters, "binary_data")
        if flag is not None:
            flags[name] = flag
    return flags


def _flag(parameters: dict[str, Any], name: str) -> bool | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"parameter {name} must be true or false", path=f"parameters.{name}")
    return value
