"""A caller's lists and arrays → tensors of exactly the model's datatypes; nothing is coerced."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from headrace.records import TensorInfo
from headrace_runtime.errors import DatatypeMismatch, InvalidInput, MissingInput, UnknownInput
from headrace_runtime.tensor import Array, Datatype, Tensor, datatype_of

Values = Array | Sequence[Any] | float | str | bytes
Inputs = Mapping[str, Values] | Values


def tensors_of(takes: Sequence[TensorInfo], inputs: Inputs) -> list[Tensor]:
    """Return *inputs* as the tensors that a model takes.

    Args:
        takes: the model's inputs.
        inputs: values by the input's name; or the values alone, where the model has one input.

    Raises:
        MissingInput, UnknownInput: the names are not the model's.
        DatatypeMismatch: an array of another dtype; none is converted.
        InvalidInput: a list is ragged, or holds what the datatype cannot.
    """
    known = {info.name: info for info in takes}
    if not isinstance(inputs, Mapping):
        if len(takes) != 1:
            names = ", ".join(map(repr, known))
            raise InvalidInput(f"the model has {len(takes)} inputs: give them by name: {names}")
        inputs = {takes[0].name: inputs}
    for name in inputs:
        if name not in known:
            raise UnknownInput(name, list(known))
    for name in known:
        if name not in inputs:
            raise MissingInput(name, list(known))
    return [_tensor(known[name], values) for name, values in inputs.items()]


def _tensor(info: TensorInfo, values: Values) -> Tensor:
    if isinstance(values, Sequence) and len(values) and _all_arrays(values):
        values = np.stack(values)
    if isinstance(values, np.ndarray | np.generic):
        return Tensor(info.name, info.datatype, _fitting(info, np.asarray(values)))
    return Tensor(info.name, info.datatype, _from_list(info, values))


def _all_arrays(values: Sequence[Any]) -> bool:
    """Whether these are arrays of one shape and dtype, as rows picked out of a larger one are."""
    return (
        all(isinstance(value, np.ndarray | np.generic) for value in values)
        and len({(value.shape, value.dtype) for value in values}) == 1
    )


def _fitting(info: TensorInfo, array: Array) -> Array:
    """Return *array* in the machine's byte order; texts as UTF-8 where the model takes bytes."""
    if info.datatype is Datatype.BYTES and array.dtype.kind in "SUO":
        return _from_list(info, array.tolist())
    if datatype_of(array) is not info.datatype:
        raise _other_dtype(info, array)
    return array.astype(info.datatype.dtype, copy=False)


def _other_dtype(info: TensorInfo, array: Array) -> DatatypeMismatch:
    got = str(datatype_of(array) or f"numpy's {array.dtype}")
    if info.datatype is not Datatype.BYTES:
        got += f": convert it yourself, .astype(np.{info.datatype.dtype.name})"
    return DatatypeMismatch(info.name, info.datatype, got)


def _from_list(info: TensorInfo, values: Any) -> Array:
    flat, shape = _flattened(info, values)
    kinds = set(map(type, flat))
    if info.datatype is Datatype.BYTES:
        _allow(info, kinds, {str, bytes})
        array = np.empty(len(flat), np.object_)
        array[:] = [value.encode() if isinstance(value, str) else value for value in flat]
        return array.reshape(shape)
    if info.datatype is Datatype.BOOL:
        _allow(info, kinds, {bool})
    elif info.datatype.is_integer:
        _allow(info, kinds, {int})
    else:
        _allow(info, kinds, {int, float})
    return _numbers(info, flat).reshape(shape)


def _flattened(info: TensorInfo, values: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the leaves of nested lists in row-major order, and the shape of the nest."""
    level, shape = [values], []
    while level and set(map(type, level)) <= {list, tuple}:
        lengths = set(map(len, level))
        if len(lengths) != 1:
            raise InvalidInput(f"input {info.name!r} is ragged: its lists have {sorted(lengths)}")
        shape.append(lengths.pop())
        level = list(chain.from_iterable(level))
    return level, tuple(shape)


def _allow(info: TensorInfo, kinds: set[type], allowed: set[type]) -> None:
    for kind in kinds - allowed:
        raise InvalidInput(
            f"input {info.name!r} takes {info.datatype}, and a list for it may hold "
            f"{' or '.join(sorted(kind.__name__ for kind in allowed))}, got {kind.__name__}"
        )


def _numbers(info: TensorInfo, flat: list[Any]) -> Array:
    dtype = info.datatype.dtype
    try:
        with np.errstate(over="ignore"):
            array = np.array(flat, dtype)
    except OverflowError:
        raise _out_of_range(info) from None
    if info.datatype.is_float and np.isinf(array).any():
        for value, held in zip(flat, array.tolist(), strict=True):
            if math.isinf(held) and not math.isinf(value):
                raise _out_of_range(info)
    return array


def _out_of_range(info: TensorInfo) -> InvalidInput:
    return InvalidInput(f"input {info.name!r} takes {info.datatype}: a number is out of its range")
