"""Records read from a file: tensors for those that can be read, a reason for those that cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Array, Tensor

Numbers = NDArray[np.int64]


class ByteStream(Protocol):
    """What a file is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes, b"" at the end."""
        ...


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
    """

    rows: Numbers
    lines: Numbers
    tensors: tuple[Tensor, ...]
    bad: tuple[BadRow, ...] = ()
    texts: Sequence[bytes] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def count(self) -> int:
        """How many records these are, the bad ones included."""
        return len(self.rows) + len(self.bad)

    def part(self, start: int, stop: int) -> "Records":
        """Return the readable records *start* to *stop*, as positions; the bad ones stay here."""
        tensors = tuple(Tensor(t.name, t.datatype, t.array[start:stop]) for t in self.tensors)
        texts = None if self.texts is None else self.texts[start:stop]
        return Records(self.rows[start:stop], self.lines[start:stop], tensors, (), texts)


def record_shape(spec: TensorSpec) -> tuple[int, ...]:
    """Return the shape of one record's value for an input: all dimensions but the first."""
    return spec.shape[1:]


def without(array: Array, positions: list[int]) -> Array:
    """Return *array* less those positions of its first dimension."""
    return np.delete(array, positions, axis=0) if positions else array
