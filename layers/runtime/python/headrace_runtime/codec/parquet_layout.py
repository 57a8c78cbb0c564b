"""Which columns of a Parquet file feed which inputs of a model, from the file's schema."""

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyarrow import types

from headrace_runtime.codec.csv_layout import InputColumns, csv_layout
from headrace_runtime.codec.records import record_shape
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
_TEXTS = (
    types.is_string,
    types.is_large_string,
    types.is_string_view,
    types.is_binary,
    types.is_large_binary,
    types.is_binary_view,
    types.is_fixed_size_binary,
)


def parquet_layout(schema: pa.Schema, signature: Signature) -> tuple[InputColumns, ...]:
    """Return how a file of this schema feeds a model of this signature.

    Columns go as those of CSV do (`csv_layout.py`): by name where each input takes one value a
    record, else in order. Besides, where every input's name is a column's, a column of lists feeds
    an input of several values a record; the shape of its record may be FREE in one dimension. The
    index that pandas writes is no column.

    Raises:
        InvalidInput: neither fits, or a column holds what its input does not take.
    """
    names = [name.strip() for name in schema.names]
    by_name = {spec.name for spec in signature.inputs} <= set(names)
    if by_name and any(is_list(schema.field(names.index(n)).type) for n in signature.input_names):
        inputs = tuple(_named(spec, names, schema) for spec in signature.inputs)
    else:
        inputs = _scalars(names, signature)
    for part in inputs:
        for column in part.columns:
            _check(part, names[column], schema.field(column).type)
    return inputs


def is_list(kind: pa.DataType) -> bool:
    """Whether values of this type are several."""
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _scalars(names: list[str], signature: Signature) -> tuple[InputColumns, ...]:
    kept = [i for i, name in enumerate(names) if not _PANDAS_INDEX.fullmatch(name)]
    layout = csv_layout([names[i] for i in kept], signature)
    return tuple(
        InputColumns(part.name, part.datatype, part.shape, tuple(kept[i] for i in part.columns))
        for part in layout.inputs
    )


def _named(spec: TensorSpec, names: list[str], schema: pa.Schema) -> InputColumns:
    if names.count(spec.name) > 1:
        raise InvalidInput(f"the schema names column {spec.name!r} {names.count(spec.name)} times")
    column, shape = names.index(spec.name), record_shape(spec)
    kind = schema.field(column).type
    one = all(length == 1 for length in shape)
    if not is_list(kind) and not one:
        raise InvalidInput(
            f"input {spec.name!r} takes records of shape {list(shape)}, the column of its name "
            f"holds {kind}, one value each: write a column of lists"
        )
    if shape.count(FREE) > 1:
        raise InvalidInput(
            f"input {spec.name!r} takes records of any shape {list(shape)}, which the length of a "
            "list cannot tell: send JSON Lines"
        )
    return InputColumns(spec.name, spec.datatype, shape, (column,))


def _check(part: InputColumns, column: str, kind: pa.DataType) -> None:
    value = kind
    while is_list(value) and len(part.columns) == 1:
        value = value.value_type
        if not types.is_fixed_size_list(value):
            break
    if types.is_dictionary(value):
        value = value.value_type
    if not _fits(value, part.datatype):
        raise InvalidInput(
            f"input {part.name!r} takes {part.datatype}, column {column[:80]!r} holds "
            f"{str(kind)[:80]}{_advice(value)}"
        )


def _fits(kind: pa.DataType, datatype: Datatype) -> bool:
    if types.is_null(kind):
        return True  # all of its values are missing, and each row says so
    if datatype is Datatype.BYTES:
        return any(is_text(kind) for is_text in _TEXTS)
    if datatype is Datatype.BOOL:
        return bool(types.is_boolean(kind))
    integer = bool(types.is_integer(kind))
    return integer or bool(types.is_floating(kind)) if datatype.is_float else integer


def _advice(kind: Any) -> str:
    numbers: Sequence[Any] = (types.is_decimal, types.is_temporal)
    if any(is_number(kind) for is_number in numbers):
        return ": write the number that is meant, no date or decimal is turned into one"
    return ""
