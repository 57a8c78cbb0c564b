"""Raw requests of the binary tensor extension: a body that is one input's value, nothing else."""

from headrace_runtime.codec import raw_tensor
from headrace_runtime.codec.shapes import element_count
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import FREE, Signature
from headrace_runtime.tensor import Datatype, Tensor


def tensor_from_raw_request(raw: memoryview, signature: Signature) -> Tensor:
    """Return *raw* as the model's only input, its one free length computed from the size.

    A body of BYTES is one element, without its length before it.

    Raises:
        ModelUnfit: the model has not exactly one input with at most one free length.
        InvalidInput: the size does not fit.
    """
    spec = signature.inputs[0] if len(signature.inputs) == 1 else None
    if spec is None or spec.shape.count(FREE) > 1:
        raise ModelUnfit(
            "a raw request (Inference-Header-Content-Length: 0) needs a model with exactly one "
            "input of at most one free length: send JSON with the values or their sizes"
        )
    if spec.datatype is Datatype.BYTES:
        framed = len(raw).to_bytes(4, "little") + bytes(raw)
        shape = tuple(1 if length == FREE else length for length in spec.shape)
        return raw_tensor.from_bytes(spec.name, spec.datatype, shape, framed)
    row = element_count(tuple(length for length in spec.shape if length != FREE))
    free = len(raw) // max(1, row * spec.datatype.size_bytes)
    shape = tuple(free if length == FREE else length for length in spec.shape)
    return raw_tensor.from_bytes(spec.name, spec.datatype, shape, raw)
