r"""JSON Lines → tensors: one record a line, many lines at a time.

A line is an object by the inputs' names (other members are ignored) or, for a model with one
input, the value itself: a number, text, true or false, or lists nested as the input's shape or
flat. An empty line is no record. Lines end at `\n` and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from headrace_runtime.codec.json_lists import list_rows
from headrace_runtime.codec.json_tensor import tensor_from_json
from headrace_runtime.codec.json_text import read_json
from headrace_runtime.codec.line_blocks import BadLine, LineBlocks
from headrace_runtime.codec.records import START, BadRow, Position, Records, record_shape
from headrace_runtime.codec.shapes import element_count
from headrace_runtime.errors import HeadraceError, InvalidInput, MissingInput
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Tensor

_BOM = b"\xef\xbb\xbf"
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Record:
    """A record's values, one for each input, and the shapes they have."""

    row: int
    line: int
    text: bytes
    values: list[Any]
    shapes: Shapes


@dataclass(slots=True)
class _Block:
    """What the lines of one block gave."""

    records: list[_Record] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_json_lines(
    blocks: LineBlocks, signature: Signature, start: Position = START
) -> Iterator[Records]:
    """Yield the records of a JSON Lines file for a model of this signature, in order.

    Records that come together have one shape; where the model leaves lengths open, a change of
    shape begins new ones. A line that cannot be read stands in `Records.bad`.

    Args:
        blocks: the file's lines from *start* on.
        signature: the model's.
        start: where they begin.
    """
    row, line = start.row, start.line
    while True:
        origin = Position(blocks.offset, row, line)
        block = next(blocks, None)
        if block is None:
            return
        read = None if isinstance(block, BadLine) else list_rows(block, signature)
        if read is not None:
            tensors, texts = read
            numbers = np.arange(len(texts))
            yield Records(row + numbers, line + numbers, tensors, (), texts, origin)
            row, line = row + len(texts), line + len(texts)
            continue
        lines = [block] if isinstance(block, BadLine) else block.removesuffix(b"\n").split(b"\n")
        for records in _records(lines, origin, signature):
            yield replace(records, origin=origin)
            row += records.count
        line += len(lines)


def _records(lines: list[Any], origin: Position, signature: Signature) -> Iterator[Records]:
    tensors = _at_once(lines, signature)
    if tensors is None:
        yield from _grouped(_one_by_one(lines, origin.row, origin.line, signature), signature)
        return
    numbers = np.arange(len(lines))
    texts = [text.strip() for text in lines]
    yield Records(origin.row + numbers, origin.line + numbers, tensors, (), texts)


def _at_once(lines: list[Any], signature: Signature) -> tuple[Tensor, ...] | None:
    """Return the tensors of lines that are all as they should be and of one kind, else None."""
    shapes = [record_shape(spec) for spec in signature.inputs]
    if any(FREE in shape for shape in shapes):
        return None
    try:
        values = list(map(orjson.loads, lines))
        objects = set(map(type, values)) == {dict}
        if not objects and len(shapes) != 1:
            return None
        return tuple(
            tensor_from_json(
                spec.name,
                spec.datatype,
                (len(lines), *shape),
                list(map(itemgetter(spec.name), values)) if objects else values,
            )
            for spec, shape in zip(signature.inputs, shapes, strict=True)
        )
    except (orjson.JSONDecodeError, KeyError, InvalidInput):
        return None


def _one_by_one(lines: list[Any], row: int, line: int, signature: Signature) -> "_Block":
    """Read the lines, of which the first is record *row* on *line*; empty ones are no records."""
    read = _Block()
    for text in lines:
        if text not in (b"", b"\r"):
            _read(text, row, line, signature, read)
            row += 1
        line += 1
    return read


def _read(text: bytes | BadLine, row: int, line: int, signature: Signature, block: _Block) -> None:
    try:
        if isinstance(text, BadLine):
            raise InvalidInput(text.error)
        text = text.removeprefix(_BOM) if line == 1 else text
        value = read_json(text, "the line")
        values = _values(value, signature)
        shapes = tuple(map(_shape, signature.inputs, values))
    except HeadraceError as error:
        block.bad.append(BadRow(row, line, error.code, error.sentence))
    else:
        block.records.append(_Record(row, line, text.strip(), values, shapes))


def _values(value: Any, signature: Signature) -> list[Any]:
    names = signature.input_names
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                raise MissingInput(name, names)
        return [value[name] for name in names]
    if len(names) != 1:
        raise InvalidInput(
            f"the model has {len(names)} inputs: the line must be an object with the members "
            + ", ".join(map(repr, names))
        )
    return [value]


def _shape(spec: TensorSpec, value: Any) -> tuple[int, ...]:
    """Return the shape that a value has for this input, where the input leaves it open."""
    wanted = record_shape(spec)
    if FREE not in wanted:
        return wanted
    lengths: list[int] = []
    inner = value
    while isinstance(inner, list) and len(lengths) < len(wanted):
        lengths.append(len(inner))
        inner = inner[0] if inner else None
    lengths += [0] * (len(wanted) - len(lengths)) if 0 in lengths else []
    fits = len(lengths) == len(wanted) and all(
        want in (FREE, got) for want, got in zip(wanted, lengths, strict=True)
    )
    if not fits:
        raise InvalidInput(
            f"input {spec.name!r} takes records of shape {list(wanted)} (-1 is any length), "
            f"got {lengths}"
        )
    return tuple(lengths)


def _grouped(block: _Block, signature: Signature) -> Iterator[Records]:
    """Yield the records by shape; the bad ones go with the first that come after them."""
    waiting = block.bad
    for shapes, group in groupby(block.records, key=lambda record: record.shapes):
        records = list(group)
        records, tensors, unfit = _tensors(records, shapes, signature)
        last = max([r.row for r in records] + [b.row for b in unfit])
        before = [b for b in waiting if b.row < last]
        waiting = [b for b in waiting if b.row > last]
        yield _as_records(records, tensors, before + unfit)
    if waiting:
        empty = tuple(
            (0 if d == FREE else d for d in record_shape(spec)) for spec in signature.inputs
        )
        yield _as_records([], _stacked([], tuple(map(tuple, empty)), signature), waiting)


def _tensors(
    records: list[_Record], shapes: Shapes, signature: Signature
) -> tuple[list[_Record], tuple[Tensor, ...], list[BadRow]]:
    """Return the tensors of *records*, less those whose values do not fit, and why."""
    try:
        return records, _stacked(records, shapes, signature), []
    except InvalidInput:
        fit, unfit, single = [], [], []
        for record in records:
            try:
                single.append(_single(record, signature))
                fit.append(record)
            except InvalidInput as error:
                unfit.append(BadRow(record.row, record.line, error.code, error.sentence))
    if not fit:
        return [], _stacked([], shapes, signature), unfit
    joined = tuple(
        Tensor(spec.name, spec.datatype, np.stack([tensors[i].array for tensors in single]))
        for i, spec in enumerate(signature.inputs)
    )
    return fit, joined, unfit


def _stacked(records: list[_Record], shapes: Shapes, signature: Signature) -> tuple[Tensor, ...]:
    return tuple(
        tensor_from_json(
            spec.name, spec.datatype, (len(records), *shape), [r.values[i] for r in records]
        )
        for i, (spec, shape) in enumerate(zip(signature.inputs, shapes, strict=True))
    )


def _single(record: _Record, signature: Signature) -> tuple[Tensor, ...]:
    """Return the tensors of one record; a value of one element may stand without a list."""
    parts = zip(signature.inputs, record.shapes, record.values, strict=True)
    return tuple(
        tensor_from_json(spec.name, spec.datatype, shape, _listed(value, shape))
        for spec, shape, value in parts
    )


def _listed(value: Any, shape: tuple[int, ...]) -> Any:
    bare = not isinstance(value, list | dict) and value is not None
    return [value] if bare and shape and element_count(shape) == 1 else value


def _as_records(records: list[_Record], tensors: tuple[Tensor, ...], bad: list[BadRow]) -> Records:
    return Records(
        np.array([r.row for r in records], np.int64),
        np.array([r.line for r in records], np.int64),
        tensors,
        tuple(sorted(bad, key=lambda b: b.row)),
        [r.text for r in records],
    )
