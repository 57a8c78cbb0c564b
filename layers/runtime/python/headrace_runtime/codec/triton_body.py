"""Requests and answers of Triton behind SageMaker: JSON and raw tensors, the JSON of one length.

SageMaker passes on no header that says where the JSON ends, so Triton reads its length from the
content type; and one content type holds for all objects of a transform job. So the JSON is filled
up with blanks to the same length for every request of a model.
"""

import re
from collections.abc import Sequence
from json import JSONDecoder

from headrace_runtime.codec import raw_tensor
from headrace_runtime.codec.json_tensor import tensor_from_json
from headrace_runtime.codec.json_text import read_json, write_json
from headrace_runtime.codec.request_parts import (
    datatype_of_input,
    member,
    objects,
    parameters_of,
    size_of,
)
from headrace_runtime.codec.shapes import checked_shape
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Tensor

_CONTENT_TYPE = "application/vnd.sagemaker-triton.binary+json;json-header-size="
_SIZE = re.compile(r"json-header-size\s*=\s*(\d{1,9})")
_LEAST_BYTES = 1024
_LONGEST_HEAD_BYTES = 1 << 20
_DECODER = JSONDecoder(strict=False)
_LONGEST = 1 << 40  # a length that no dimension and no tensor has


def header_bytes(signature: Signature) -> int:
    """Return the length of the JSON of every request of a model: a power of two, 1,024 or more."""
    inputs = [
        (spec.name, str(spec.datatype), [_LONGEST] * len(spec.shape), _LONGEST)
        for spec in signature.inputs
    ]
    longest, length = len(_head(inputs, signature.output_names)), _LEAST_BYTES
    while length < longest:
        length *= 2
    return length


def content_type(header: int) -> str:
    """Return the content type of a request whose JSON has *header* bytes."""
    return f"{_CONTENT_TYPE}{header}"


def encode_body(tensors: Sequence[Tensor], outputs: Sequence[str], header: int) -> bytes:
    """Return a request for *outputs*, all of them as raw values.

    Args:
        tensors: the model's inputs.
        outputs: names of those that are wanted.
        header: bytes of its JSON, as `header_bytes` gives them.

    Raises:
        ValueError: the JSON has no room in so many bytes.
    """
    raws = [raw_tensor.raw_values(tensor) for tensor in tensors]
    described = [
        (tensor.name, str(tensor.datatype), list(tensor.shape), raw.nbytes)
        for tensor, raw in zip(tensors, raws, strict=True)
    ]
    text = _head(described, outputs)
    if len(text) > header:
        raise ValueError(f"the JSON of a request has {len(text)} bytes, and {header} are its room")
    return b"".join([text.ljust(header), *raws])


def decode_output(body: bytes, content: str, specs: Sequence[TensorSpec]) -> tuple[Tensor, ...]:
    """Return the outputs that an answer holds, in the order of *specs*.

    Args:
        body: of the answer.
        content: its content type.
        specs: the outputs that were asked for.

    Raises:
        InvalidInput: it is no answer to that; nothing else is raised, whatever the bytes.
    """
    view = memoryview(body)
    length = _told_length(content, view) or _json_length(view)
    head = read_json(view[:length])
    if not isinstance(head, dict):
        raise InvalidInput("the answer is no JSON object")
    found = _tensors(objects(head, "outputs"), view[length:])
    return tuple(_wanted(found, spec) for spec in specs)


def _told_length(content: str, view: memoryview) -> int:
    """Return how long the JSON is by the content type; 0 where that is another's, or says nothing.

    What stores an answer may give it the type of the request.
    """
    size = _SIZE.search(content)
    length = 0 if size is None else int(size[1])
    try:
        read_json(view[:length])
    except InvalidInput:
        return 0
    return length if length <= len(view) else 0


def _json_length(view: memoryview) -> int:
    """Return how long the JSON is with which an answer begins, by itself."""
    text = str(view[:_LONGEST_HEAD_BYTES], "latin-1")
    try:
        return _DECODER.raw_decode(text)[1]
    except (ValueError, RecursionError):
        return len(view)


def _head(inputs: Sequence[tuple[str, str, list[int], int]], outputs: Sequence[str]) -> bytes:
    return write_json(
        {
            "inputs": [
                {
                    "name": name,
                    "shape": shape,
                    "datatype": datatype,
                    "parameters": {"binary_data_size": size},
                }
                for name, datatype, shape, size in inputs
            ],
            "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in outputs],
        }
    )


def _tensors(described: Sequence[dict[str, object]], raw: memoryview) -> dict[str, Tensor]:
    found, position = dict[str, Tensor](), 0
    for index, plain in enumerate(described):
        where = f"outputs[{index}]"
        name, datatype = member(plain, "name", str, where), datatype_of_input(plain, where)
        shape = checked_shape(plain.get("shape"), f"{where}.shape")
        size = size_of(parameters_of(plain, where), where)
        if size is None:
            found[name] = tensor_from_json(name, datatype, shape, plain.get("data"))
            continue
        values = raw[position : position + size]
        found[name] = raw_tensor.from_bytes(name, datatype, shape, values)
        position += size
    if position != len(raw):
        raise InvalidInput(f"the answer has {len(raw)} bytes of values, its JSON says {position}")
    return found


def _wanted(found: dict[str, Tensor], spec: TensorSpec) -> Tensor:
    tensor = found.get(spec.name)
    if tensor is None:
        raise InvalidInput(f"the answer lacks output {spec.name!r}")
    if tensor.datatype is not spec.datatype:
        raise InvalidInput(
            f"output {spec.name!r} is {tensor.datatype} in the answer, {spec.datatype} by the model"
        )
    return tensor
