"""Values to try a model with, made from nothing but its signature."""

from collections.abc import Iterator

import numpy as np

from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Array, Datatype

# Lengths for free dimensions other than the first: a sequence, a scalar's, images for networks
# that halve their input five times or more. The first that runs is kept.
FREE_LENGTHS = (8, 1, 32, 224)

KINDS = ("zeros", "ones", "typical")


def samples(signature: Signature, *, batch: int, length: int, kind: str) -> dict[str, Array]:
    """Return a value for each input: shapes from the signature, free dimensions filled in.

    Args:
        signature: of the model.
        batch: length of a free first dimension.
        length: length of all other free dimensions.
        kind: one of KINDS; `typical` are normal floats, small whole numbers, words.
    """
    return {
        spec.name: _values(spec.datatype, _shape(spec, batch, length), kind)
        for spec in signature.inputs
    }


def lengths(signature: Signature) -> Iterator[int]:
    """Yield the lengths worth trying: one where no dimension but the first is free."""
    several = any(FREE in spec.shape[1:] for spec in signature.inputs)
    yield from FREE_LENGTHS if several else FREE_LENGTHS[:1]


def _shape(spec: TensorSpec, batch: int, length: int) -> tuple[int, ...]:
    filled = [length if size == FREE else size for size in spec.shape]
    if spec.shape[:1] == (FREE,):
        filled[0] = batch
    return tuple(filled)


def _values(datatype: Datatype, shape: tuple[int, ...], kind: str) -> Array:
    if datatype is Datatype.BYTES:
        # ONNX Runtime takes and gives strings as str.
        return np.full(shape, {"zeros": "", "ones": "1", "typical": "a word"}[kind], np.object_)
    if kind != "typical":
        return np.full(shape, 1 if kind == "ones" else 0, datatype.dtype)
    draw = np.random.default_rng(0)
    if datatype.is_float:
        return draw.standard_normal(shape).astype(datatype.dtype)
    return draw.integers(0, 2 if datatype is Datatype.BOOL else 5, shape).astype(datatype.dtype)
