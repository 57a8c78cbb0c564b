"""Answers → CSV: the record's number, and a column for each element of each output."""

import math
import re
from collections.abc import Iterable, Sequence

from headrace_runtime.batch.number_text import number_texts, row_texts
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import FREE, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

_SPELLING = (b"nan", b"inf", b"-inf")
_QUOTED = re.compile(r'[",\r\n]')
_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")


class CsvResults:
    """Writes one file of results: `row,<column>…`, the columns as the first answers have them.

    An output of one element a record is a column of its name; one of more elements is
    `<name>_<label>` where the signature knows labels, else `<name>_0`, `<name>_1`, …, in
    row-major order. Text that a spreadsheet would run has an apostrophe before it.
    """

    def __init__(self, outputs: Sequence[TensorSpec]) -> None:
        self._specs = {spec.name: spec for spec in outputs}
        self._shapes: list[tuple[int, ...]] | None = None

    def encode(self, answers: Answers) -> bytes:
        """Return the lines of *answers*, below the header if they are the first.

        Raises:
            ModelUnfit: a record has another number of elements than the first one had.
        """
        shapes = [output.shape[1:] for output in answers.outputs]
        header = b""
        if self._shapes is None:
            self._shapes = shapes
            header = _header(answers.outputs, self._specs)
        if shapes != self._shapes:
            raise ModelUnfit(
                f"record {answers.rows[0]} has outputs of shape {shapes}, the first had "
                f"{self._shapes}: a CSV has as many columns in every row, send JSON Lines"
            )
        columns = [number_texts(answers.rows, _SPELLING), *map(_cells, answers.outputs)]
        return header + b"".join(_lines(columns))

    def end(self) -> bytes:
        """Return what is still missing: the header, where there were no answers."""
        if self._shapes is not None:
            return b""
        names = [n for spec in self._specs.values() for n in _declared_columns(spec)]
        return _line(["row", *names])


def _lines(columns: list[Iterable[bytes]]) -> Iterable[bytes]:
    rows = map(b",".join, zip(*columns, strict=True))
    return (b"\n".join(rows), b"\n")


def _header(outputs: Sequence[Tensor], specs: dict[str, TensorSpec]) -> bytes:
    names = ["row"]
    for output in outputs:
        names += _columns(output.name, math.prod(output.shape[1:]), specs[output.name].labels)
    return _line(names)


def _columns(name: str, count: int, labels: Sequence[str]) -> list[str]:
    if count == 1 and len(labels) != 1:
        return [name]
    ends = labels if len(labels) == count else map(str, range(count))
    return [f"{name}_{end}" for end in ends]


def _declared_columns(spec: TensorSpec) -> list[str]:
    inner = spec.shape[1:]
    count = len(spec.labels) or (1 if FREE in inner else math.prod(inner))
    return _columns(spec.name, count, spec.labels)


def _line(names: list[str]) -> bytes:
    return ",".join(_cell(name) for name in names).encode() + b"\n"


def _cells(output: Tensor) -> Iterable[bytes]:
    """Return each record's cells of one output, joined by commas."""
    count = len(output.array)
    matrix = output.array.reshape(count, math.prod(output.shape[1:]))
    if output.datatype is not Datatype.BYTES:
        return row_texts(matrix, _SPELLING)
    return [
        ",".join(_cell(text.decode(errors="backslashreplace")) for text in row).encode()
        for row in matrix.tolist()
    ]


def _cell(text: str) -> str:
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(text):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
