"""Rows of numbers in one piece of text, which are taken apart only where one is asked for."""

from collections.abc import Sequence
from functools import cached_property
from typing import overload


class RowTexts(Sequence[bytes]):
    """The rows of a text that ends with a newline and holds no percent sign: of numbers, say.

    Attributes:
        whole: the text.
    """

    def __init__(self, text: bytes, count: int) -> None:
        """Hold *text*, which has *count* rows."""
        self.whole = text
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        """Return a row, or some; all of them are this itself."""
        if isinstance(index, slice) and index.indices(self._count) == (0, self._count, 1):
            return self
        return self._rows[index]

    @property
    def first(self) -> bytes:
        """The first row."""
        return self.whole.partition(b"\n")[0]

    def filled(self, end: bytes, more: bytes, values: tuple[bytes, ...]) -> bytes:
        """Return the text, each *end* of a row as *more*, and its `%b` filled in order."""
        return self.whole.replace(end, more) % values

    @cached_property
    def _rows(self) -> list[bytes]:
        return self.whole.split(b"\n")[:-1]
