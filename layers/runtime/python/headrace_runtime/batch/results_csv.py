"""Answers → CSV: each record as it came, or its number, and a column for each output's element."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headrace_runtime.batch.number_text import number_texts, row_texts
from headrace_runtime.batch.output_columns import declared_columns, free_names, output_columns
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.codec.csv_harmless import cell
from headrace_runtime.codec.row_texts import RowTexts
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

_SPELLING = (b"nan", b"inf", b"-inf")


@dataclass(frozen=True, slots=True)
class Table:
    """How a file of results looks.

    Attributes:
        delimiter: stands between cells.
        header: the input's own, which stands before the outputs' names; None where the input had
            none, and then the results have none either.
        names: the input's columns; an output of one of these names is `<name>_output`.
        joined: whether each record stands before its outputs; else its number does, as `row`.
    """

    delimiter: str = ","
    header: bytes | None = None
    names: tuple[str, ...] = ()
    joined: bool = False


class CsvResults:
    """Writes one part of a file of results, the columns as the first answers have them.

    An output of one element a record is a column of its name; one of more elements is
    `<name>_<label>` where the signature knows labels, else `<name>_0`, `<name>_1`, …, in
    row-major order. Text that a spreadsheet would run has an apostrophe before it.
    """

    def __init__(self, outputs: Sequence[TensorSpec], table: Table) -> None:
        self._specs = {spec.name: spec for spec in outputs}
        self._table = table
        self._delimiter = table.delimiter.encode()
        self._shapes: list[tuple[int, ...]] | None = None
        self._names = [name for spec in outputs for name in declared_columns(spec)]

    def encode(self, answers: Answers) -> bytes:
        """Return the lines of *answers*.

        Raises:
            ModelUnfit: a record has another number of elements than the first one had.
        """
        shapes = [output.shape[1:] for output in answers.outputs]
        if self._shapes is None:
            self._shapes = shapes
            self._names = [name for output in answers.outputs for name in self._columns(output)]
        if shapes != self._shapes:
            raise ModelUnfit(
                f"record {answers.rows[0]} has outputs of shape {shapes}, the first had "
                f"{self._shapes}: a CSV has as many columns in every row, send JSON Lines"
            )
        return self._lines(answers)

    def end(self, next_row: int) -> bytes:
        """Return what is still missing: nothing."""
        del next_row
        return b""

    def layout(self) -> str:
        """Return the header; its columns are the declared ones where there were no answers."""
        return self._header(self._names).decode("latin-1")

    def _lines(self, answers: Answers) -> bytes:
        texts = answers.texts if self._table.joined else None
        outputs = [self._cells(output) for output in answers.outputs]
        if isinstance(texts, RowTexts):
            together = map(self._delimiter.join, zip(*outputs, strict=True))
            cells = tuple(outputs[0] if len(outputs) == 1 else together)
            return texts.filled(b"\n", self._delimiter + b"%b\n", cells)
        first = number_texts(answers.rows, _SPELLING) if texts is None else texts
        lines = map(self._delimiter.join, zip(first, *outputs, strict=True))
        return b"\n".join([*lines, b""])

    def _header(self, names: list[str]) -> bytes:
        table = self._table
        if not table.joined:
            return self._line(["row", *names])
        if table.header is None:
            return b""
        return self._delimiter.join([table.header, self._line(free_names(names, table.names))])

    def _line(self, names: list[str]) -> bytes:
        return self._table.delimiter.join(map(cell, names)).encode() + b"\n"

    def _columns(self, output: Tensor) -> list[str]:
        labels = self._specs[output.name].labels
        return output_columns(output.name, math.prod(output.shape[1:]), labels)

    def _cells(self, output: Tensor) -> Iterable[bytes]:
        """Return each record's cells of one output, joined by delimiters."""
        matrix = output.array.reshape(len(output.array), math.prod(output.shape[1:]))
        if output.datatype is not Datatype.BYTES:
            rows = row_texts(matrix, _SPELLING)
            single = self._delimiter == b"," or matrix.shape[1] == 1
            return rows if single else [row.replace(b",", self._delimiter) for row in rows]
        return [
            self._table.delimiter.join(
                cell(text.decode(errors="backslashreplace")) for text in row
            ).encode()
            for row in matrix.tolist()
        ]
