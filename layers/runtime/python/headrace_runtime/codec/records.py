"""Records read from a file: tensors for those that can be read, a reason for those that cannot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headrace_runtime.codec.row_texts import RowTexts
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Array, Tensor

Numbers = NDArray[np.int64]


class ByteStream(Protocol):
    """What a file is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes, b"" at the end."""
        ...


PlainFile = Callable[[int], ByteStream]  # opens a file's plain bytes from an offset on


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file where a record begins.

    Attributes:
        offset: plain bytes before it; of Parquet, rows.
        row: number of the record that begins there, from 1.
        line: number of the line that begins there, from 1.
    """

    offset: int
    row: int
    line: int


START = Position(0, 1, 1)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that has no answer, and why.

    Attributes:
        row: which record of the file, from 1; a header does not count.
        line: the line of the file on which it begins, from 1.
        code: stable name of the reason, `INVALID_INPUT`.
    """

    row: int
    line: int
    code: str
    error: str


class RowTable(Protocol):
    """Rows in columns, as their format has them in memory."""

    def __getitem__(self, rows: slice, /) -> "RowTable":
        """Return some of the rows."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Consecutive records of a file.

    Attributes:
        rows: numbers of the records that could be read, from 1, ascending.
        lines: the line on which each of them begins.
        tensors: one for each input of the model, their first dimension the records.
        bad: the records that could not be read, ascending.
        texts: what each of the readable ones is written as in results that repeat them, without
            the end of its line; None where the format has no text to repeat.
        origin: at or before the first of them; read from there, they come again.
        table: the readable ones' own columns, where results repeat columns and no text.
    """

    rows: Numbers
    lines: Numbers
    tensors: tuple[Tensor, ...]
    bad: tuple[BadRow, ...] = ()
    texts: Sequence[bytes] | None = None
    origin: Position = START
    table: RowTable | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def count(self) -> int:
        """How many records these are, the bad ones included."""
        return len(self.rows) + len(self.bad)

    @property
    def plain(self) -> bool:
        """Whether all could be read, as lines of nothing but numbers or as parts of an array.

        A range of a file in which all are can be read once more without a look at their values.
        """
        lines = self.texts is None or isinstance(self.texts, RowTexts)
        return lines and self.table is None and not self.bad

    def part(self, start: int, stop: int) -> "Records":
        """Return the readable records *start* to *stop*, as positions; the bad ones stay here."""
        tensors = tuple(Tensor(t.name, t.datatype, t.array[start:stop]) for t in self.tensors)
        texts = None if self.texts is None else self.texts[start:stop]
        table = None if self.table is None else self.table[start:stop]
        return Records(
            self.rows[start:stop], self.lines[start:stop], tensors, (), texts, self.origin, table
        )

    def since(self, row: int) -> "Records":
        """Return the records from number *row* on."""
        readable = self.part(int(np.searchsorted(self.rows, row)), len(self.rows))
        return replace(readable, bad=tuple(bad for bad in self.bad if bad.row >= row))


def record_shape(spec: TensorSpec) -> tuple[int, ...]:
    """Return the shape of one record's value for an input: all dimensions but the first."""
    return spec.shape[1:]


def without(array: Array, positions: list[int]) -> Array:
    """Return *array* less those positions of its first dimension."""
    return np.delete(array, positions, axis=0) if positions else array
