"""Some records of a file of lines, byte for byte as they stand there."""

import csv
from collections import deque
from collections.abc import Iterator

import numpy as np

from headrace.csv_head import without_mark
from headrace.failed import Numbers
from headrace_runtime.codec.csv_text import CsvText
from headrace_runtime.codec.line_blocks import BadLine, LineBlocks, filled_and_all


def some_lines(blocks: LineBlocks, wanted: Numbers) -> Iterator[bytes]:
    """Yield the lines of these numbers, from 1, ascending; one too long to be read is left out."""
    line = 1
    for block in blocks:
        yield from _of_block(block, line, wanted)
        line += filled_and_all(block)[1]


def some_rows(blocks: LineBlocks, wanted: Numbers, delimiter: str) -> Iterator[bytes]:
    """Yield the rows of a CSV file that begin on these lines, as `some_lines` does.

    A row may go on over several lines, where a cell is quoted. One whose quote is not closed is
    left out, too: the next one would be taken for its end.
    """
    rows = _QuotedRows(blocks, delimiter)
    for block in blocks:
        if isinstance(block, bytes) and b'"' in block:
            yield from rows.of(block, wanted)
        else:
            yield from _of_block(block, rows.line, wanted)
            rows.line += filled_and_all(block)[1]


class _QuotedRows:
    """Rows read with their quotes, beside the lines that they take."""

    def __init__(self, blocks: LineBlocks, delimiter: str) -> None:
        self._blocks = blocks
        self._delimiter = delimiter
        self._text = CsvText(1, self._refill, delimiter)
        self._held: deque[bytes | None] = deque()  # None for a line that was read past

    @property
    def line(self) -> int:
        """The number of the next row's first line."""
        return self._text.line

    @line.setter
    def line(self, number: int) -> None:
        self._text.line = number

    def of(self, block: bytes, wanted: Numbers) -> Iterator[bytes]:
        """Yield the wanted ones of the rows that begin in *block*, and in those that it needs."""
        self._hold(block)
        self._text.add(without_mark(block) if self.line == 1 else block)
        for row in self._text.rows():
            lines = [self._held.popleft() for _ in range(self.line - row.line)]
            raw = b"\n".join([one for one in lines if one is not None])
            lost = None in lines or (isinstance(row.cells, BadLine) and self._is_open(raw))
            if not lost and _is_in(wanted, row.line):
                yield raw

    def _is_open(self, raw: bytes) -> bool:
        """Whether a row that is no CSV opens a quote and does not close it."""
        text = raw.decode("latin-1")  # its structure is ASCII, whatever else it holds
        try:
            deque(csv.reader([text], strict=True, delimiter=self._delimiter), maxlen=0)
        except csv.Error as error:
            return "unexpected end of data" in str(error)
        return False

    def _refill(self) -> bytes | BadLine | None:
        block = next(self._blocks, None)
        if block is not None:
            self._hold(block)
        return block

    def _hold(self, block: bytes | BadLine) -> None:
        self._held.extend([None] if isinstance(block, BadLine) else _lines(block))


def _of_block(block: bytes | BadLine, line: int, wanted: Numbers) -> Iterator[bytes]:
    """Yield the wanted lines of a block, the first of which has the number *line*."""
    if isinstance(block, BadLine):
        return
    end = line + filled_and_all(block)[1]
    first, stop = np.searchsorted(wanted, [line, end])
    if first < stop:
        lines = _lines(block)
        for number in wanted[first:stop].tolist():
            yield lines[number - line]


def _lines(block: bytes) -> list[bytes]:
    return block.removesuffix(b"\n").split(b"\n")


def _is_in(wanted: Numbers, number: int) -> bool:
    at = int(np.searchsorted(wanted, number))
    return at < len(wanted) and int(wanted[at]) == number
