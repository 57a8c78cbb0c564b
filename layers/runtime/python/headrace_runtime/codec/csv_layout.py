"""Which columns of a CSV file feed which inputs of a model, from the file's first row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headrace_runtime.codec.records import record_shape
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype


@dataclass(frozen=True, slots=True)
class InputColumns:
    """The columns that make one input.

    Attributes:
        shape: of one record's value; its elements are the columns, in row-major order.
        columns: positions in the file, from 0.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The columns of a file.

    Attributes:
        names: as the file's header has them; `1`, `2`, … where it has none.
        inputs: those that are read, by input in the signature's order; others are ignored.
        delimiter: stands between cells.
        header: the header row as results repeat it, None where the first row is a record.
    """

    names: tuple[str, ...]
    inputs: tuple[InputColumns, ...]
    delimiter: str = ","
    header: bytes | None = None

    @property
    def in_order(self) -> bool:
        """Whether every column is read, each once, in the file's order."""
        used = [column for part in self.inputs for column in part.columns]
        return used == list(range(len(self.names)))


def csv_layout(first: Sequence[str], signature: Signature) -> CsvLayout:
    """Return how a file with this first row feeds a model of this signature.

    A row of numbers only is a record, and the file has no header. Where a header has every input's
    name and each takes one value a record, columns go by name, in any order, and others are
    ignored. Otherwise all columns go to the inputs in order, and there must be as many as the
    inputs have elements a record.

    Raises:
        InvalidInput: neither fits; the sentence says what would.
    """
    names = [name.strip() for name in first]
    by_name = {spec.name for spec in signature.inputs} <= set(names)
    if by_name and all(_elements(spec) == 1 for spec in signature.inputs):
        return CsvLayout(tuple(names), tuple(_named(spec, names) for spec in signature.inputs))
    if is_record(names):
        names = [str(number) for number in range(1, len(names) + 1)]
    return CsvLayout(tuple(names), _ordered(names, signature.inputs))


def is_record(first: Sequence[str]) -> bool:
    """Whether a first row is a record and no header: it holds numbers and nothing else.

    0, 1, 2, … is what pandas names columns without names; a single 0 is likelier a record.
    """
    counted = len(first) > 1 and list(first) == [str(i) for i in range(len(first))]
    return bool(first) and all(map(_is_number, first)) and not counted


def _elements(spec: TensorSpec) -> int:
    """Return how many values one record has, FREE where the model takes any number."""
    shape = record_shape(spec)
    return FREE if FREE in shape else math.prod(shape)


def _named(spec: TensorSpec, names: list[str]) -> InputColumns:
    if names.count(spec.name) > 1:
        raise InvalidInput(f"the header names column {spec.name!r} {names.count(spec.name)} times")
    return InputColumns(spec.name, spec.datatype, record_shape(spec), (names.index(spec.name),))


def _ordered(names: list[str], specs: Sequence[TensorSpec]) -> tuple[InputColumns, ...]:
    if len(specs) == 1 and len(specs[0].shape) == 2 and specs[0].shape[1] == FREE:
        spec, columns = specs[0], tuple(range(len(names)))
        return (InputColumns(spec.name, spec.datatype, (len(columns),), columns),)
    for spec in specs:
        if _elements(spec) == FREE:
            raise InvalidInput(
                f"input {spec.name!r} takes records of any shape {list(record_shape(spec))}, "
                "which columns cannot tell: send JSON Lines"
            )
    wanted = sum(map(_elements, specs))
    if wanted != len(names):
        takes = ", ".join(f"{spec.name!r}: {_elements(spec)}" for spec in specs)
        raise InvalidInput(
            f"the file has {len(names)} columns, the model takes {wanted} values a record "
            f"({takes}): send as many columns, or name columns as the inputs",
            expected=wanted,
            got=len(names),
        )
    parts, start = [], 0
    for spec in specs:
        columns = tuple(range(start, start + _elements(spec)))
        parts.append(InputColumns(spec.name, spec.datatype, record_shape(spec), columns))
        start += len(columns)
    return tuple(parts)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
