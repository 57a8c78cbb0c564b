"""An infer request of the Open Inference Protocol as a file: JSON, and raw values right behind it.

Over HTTP a header says how long the JSON is. A file has none: its JSON ends where the one object at
its beginning is closed, whatever bytes follow.
"""

import json
from collections.abc import Iterator

from headrace_runtime.codec.array_records import shaped
from headrace_runtime.codec.npz_arrays import sliced, whole_body
from headrace_runtime.codec.open_inference import decode_request
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.errors import DatatypeMismatch, InvalidInput, UnknownInput
from headrace_runtime.model.signature import Signature

MAX_HEADER_BYTES = 1 << 20  # of JSON before raw values; without them the JSON may be all of it


def open_request(stream: ByteStream, signature: Signature) -> Iterator[Records]:
    """Return the records of an infer request: the inputs' first dimension.

    Raises:
        InvalidInput, UnfitInput: it is no infer request for a model of this signature.
        TooLarge: it is larger than can be held.
    """
    body = whole_body(stream, "an infer request")
    asked = decode_request(body, _header_length(body), signature)
    arrays = {}
    for tensor in asked.tensors:
        spec = signature.input(tensor.name)
        if tensor.name in arrays:
            raise UnknownInput(tensor.name, signature.input_names)
        if tensor.datatype is not spec.datatype:
            raise DatatypeMismatch(spec.name, spec.datatype, tensor.datatype)
        if not tensor.shape:
            raise InvalidInput(f"input {spec.name!r} is a single value, and not records")
        shape = shaped(spec, tensor.array.dtype, tensor.shape)
        arrays[spec.name] = tensor.array.reshape(len(tensor.array), *shape)
    if not arrays:
        raise InvalidInput("the infer request has no inputs")
    return sliced(arrays, signature)


def _header_length(body: bytes) -> str | None:
    """Return the length of the JSON as HTTP would say it; None where it is all of the body."""
    if body.rstrip().endswith(b"}") and b"binary_data_size" not in body[:MAX_HEADER_BYTES]:
        return None
    # In latin-1 a character is a byte; what follows the object is not looked at.
    text = body[:MAX_HEADER_BYTES].decode("latin-1")
    start = len(text) - len(text.lstrip())
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        raise InvalidInput(
            f"the file's JSON is not closed in its first {MAX_HEADER_BYTES:,} bytes, or is no JSON"
        ) from None
    return str(end)
