"""The lines of a CSV file as rows of cells (RFC 4180), when they are not numbers alone."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from headrace_runtime.codec.line_blocks import MAX_LINE_BYTES, BadLine

# The csv module refuses cells above 128 kB unless told otherwise; it has one limit a process.
csv.field_size_limit(MAX_LINE_BYTES)

_UNCLOSED = BadLine("a quote that opens a cell is not closed")


@dataclass(slots=True)
class CsvText:
    """Lines still to be read, and where the next ones come from.

    Attributes:
        line: the number of the next line, from 1.
        refill: gives the next block of the file, None at its end; asked only where a quoted cell
            runs past the lines at hand.
    """

    line: int
    refill: Callable[[], bytes | BadLine | None]
    _lines: list[str | BadLine] = field(default_factory=list)
    _next: int = 0

    def add(self, block: bytes | BadLine) -> None:
        """Take the lines of one more block."""
        self._lines = self._lines[self._next :] + _lines(block)
        self._next = 0

    def rows(self) -> Iterator[tuple[int, list[str] | BadLine]]:
        """Yield the line on which each row begins, and its cells or why it has none.

        A malformed row costs itself only: reading goes on at the line after its first. An empty
        line is a row without cells.
        """
        while self._next < len(self._lines):
            number, line = self.line, self._lines[self._next]
            if isinstance(line, str) and '"' in line:
                cells, taken = self._quoted()
            else:
                cells, taken = _plain(line), 1
            self._next += taken
            self.line += taken
            yield number, cells
        self._lines, self._next = [], 0

    def _quoted(self) -> tuple[list[str] | BadLine, int]:
        """Return the cells of a row with quotes and the lines it takes."""
        reader = csv.reader(self._following(), strict=True)
        try:
            return next(reader), reader.line_num
        except csv.Error as error:
            at_end = "unexpected end of data" in str(error)
            return _UNCLOSED if at_end else BadLine(f"the row is not CSV: {error}"), 1

    def _following(self) -> Iterator[str]:
        """Yield lines with their ends until a quoted cell has grown past what one may hold."""
        position, length = self._next, 0
        while length <= MAX_LINE_BYTES:
            if position == len(self._lines):
                block = self.refill()
                if block is None:
                    return
                self._lines += _lines(block)
            line = self._lines[position]
            if isinstance(line, BadLine):
                return
            yield line + "\n"
            length += len(line)
            position += 1


def _lines(block: bytes | BadLine) -> list[str | BadLine]:
    if isinstance(block, BadLine):
        return [block]
    lines = block.removesuffix(b"\n")
    try:
        return [*lines.decode().split("\n")]
    except UnicodeDecodeError:
        return [_decoded(line) for line in lines.split(b"\n")]


def _decoded(line: bytes) -> str | BadLine:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return BadLine("the line is not UTF-8 text")


def _plain(line: str | BadLine) -> list[str] | BadLine:
    if isinstance(line, BadLine):
        return line
    line = line.removesuffix("\r")
    if "\r" in line:
        return BadLine("a carriage return stands inside the row: lines end with LF or CRLF")
    return line.split(",") if line else []
