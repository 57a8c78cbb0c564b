"""Arrays of records → tensors of a model's datatypes, with no silent coercion.

A float becomes any float, rounded, and a whole number any number that holds it; a fraction never
becomes a whole number, a number never true or text. A record with an element that is out of range
is named, the others go on.
"""

import math
from typing import Any

import numpy as np

from headrace_runtime.codec.records import BadRow, Records, record_shape, without
from headrace_runtime.errors import InvalidInput, MissingInput
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Array, Datatype, Tensor


def shaped(
    spec: TensorSpec, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the shape of one record, for an array of that dtype and shape as this input.

    Raises:
        InvalidInput: neither its elements nor its shape can be the input's.
    """
    if not _kind_fits(dtype, spec.datatype):
        raise InvalidInput(f"input {spec.name!r} takes {spec.datatype}, the array holds {dtype}")
    wanted = record_shape(spec)
    inner = shape[1:]
    if 0 in inner or not dtype.itemsize:
        raise InvalidInput(f"the array has shape {list(shape)}: its records hold nothing")
    if len(inner) == len(wanted) and all(
        w in (FREE, g) for w, g in zip(wanted, inner, strict=True)
    ):
        return inner
    if shape and FREE not in wanted and math.prod(wanted) == math.prod(inner):
        return wanted
    raise InvalidInput(
        f"input {spec.name!r} takes records of shape {list(wanted)} (-1 is any length), the array "
        f"has shape {list(shape)}: its first dimension must be the records"
    )


def array_records(arrays: dict[str, Array], signature: Signature, first_row: int) -> Records:
    """Return the records of *arrays*, the first of which has the number *first_row*.

    Args:
        arrays: one for each input, of shapes that `shaped` gave, as many records each.
        signature: the model's.
        first_row: counts from 1.

    Raises:
        MissingInput: an input has no array.
    """
    missing = [name for name in signature.input_names if name not in arrays]
    if missing:
        raise MissingInput(missing[0], signature.input_names)
    count = len(arrays[signature.inputs[0].name])
    values: dict[str, Array] = {}
    wrong: dict[int, str] = {}
    for spec in signature.inputs:
        values[spec.name], out = _cast(arrays[spec.name], spec.datatype)
        reason = f"input {spec.name!r}: a value is out of the range of {spec.datatype}"
        wrong |= dict.fromkeys(np.flatnonzero(out).tolist(), reason)
    rows = first_row + np.arange(count)
    bad = [BadRow(first_row + p, first_row + p, InvalidInput.code, wrong[p]) for p in sorted(wrong)]
    kept = without(rows, sorted(wrong)) if wrong else rows
    tensors = tuple(
        Tensor(spec.name, spec.datatype, without(values[spec.name], sorted(wrong)))
        for spec in signature.inputs
    )
    numbers = kept.astype(np.int64)
    return Records(numbers, numbers, tensors, tuple(bad))


def _kind_fits(dtype: np.dtype[np.generic], datatype: Datatype) -> bool:
    kinds = "fiu" if datatype.is_float else "iu" if datatype.is_integer else "b"
    return dtype.kind in ("SUO" if datatype is Datatype.BYTES else kinds)


def _cast(array: Any, datatype: Datatype) -> tuple[Array, Array]:
    """Return the values, and for each record whether one of them is out of range."""
    count = len(array)
    none = np.zeros(0, np.bool_)
    if array.dtype == datatype.dtype:
        return array, none
    if datatype is Datatype.BYTES:
        texts = np.empty(array.size, np.object_)
        try:
            texts[:] = [t if isinstance(t, bytes) else t.encode() for t in array.ravel().tolist()]
        except ValueError:
            raise InvalidInput("the array holds text that is not Unicode") from None
        return texts.reshape(array.shape), none
    with np.errstate(over="ignore"):
        values = array.astype(datatype.dtype)
    if datatype.is_float:
        out = np.isinf(values) & (np.isfinite(array) if array.dtype.kind == "f" else True)
    else:
        bounds = np.iinfo(datatype.dtype.name)
        out = (array < bounds.min) | (array > bounds.max)
    return values, out.reshape(count, -1).any(axis=1) if count else none
