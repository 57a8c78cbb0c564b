"""The lines of a CSV file as rows of cells (RFC 4180), when they are not numbers alone."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from headrace_runtime.codec.line_blocks import MAX_LINE_BYTES, BadLine
from headrace_runtime.errors import InvalidInput

# The csv module refuses cells above 128 kB unless told otherwise; it has one limit a process.
csv.field_size_limit(MAX_LINE_BYTES)

# Each quote that is not closed costs a search to its end; a file of nothing else would cost hours.
MAX_BYTES_IN_VAIN = 16 * MAX_LINE_BYTES

_UNCLOSED = BadLine("a quote that opens a cell is not closed")


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row as it stands in a file.

    Attributes:
        line: on which it begins, from 1.
        cells: what it holds, or why it has none; none in an empty line.
        text: its own, without the end of its line.
    """

    line: int
    cells: list[str] | BadLine
    text: str


@dataclass(slots=True)
class CsvText:
    """Lines still to be read, and where the next ones come from.

    Attributes:
        line: the number of the next line, from 1.
        delimiter: stands between cells.
        refill: gives the next block of the file, None at its end; asked only where a quoted cell
            runs past the lines at hand.
    """

    line: int
    refill: Callable[[], bytes | BadLine | None]
    delimiter: str = ","
    _lines: list[str | BadLine] = field(default_factory=list)
    _next: int = 0
    _in_vain: int = 0

    def add(self, block: bytes | BadLine) -> None:
        """Take the lines of one more block."""
        self._lines = self._lines[self._next :] + _lines(block)
        self._next = 0

    def rows(self) -> Iterator[TextRow]:
        """Yield the rows.

        A malformed row costs itself only: reading goes on at the line after its first.

        Raises:
            InvalidInput: quotes are opened and not closed again and again.
        """
        while self._next < len(self._lines):
            number, line = self.line, self._lines[self._next]
            if isinstance(line, str) and '"' in line:
                cells, taken = self._quoted()
            else:
                cells, taken = self._plain(line), 1
            whole = self._lines[self._next : self._next + taken]
            text = "\n".join([one for one in whole if isinstance(one, str)]).removesuffix("\r")
            self._next += taken
            self.line += taken
            yield TextRow(number, cells, text)
        self._lines, self._next = [], 0

    def _quoted(self) -> tuple[list[str] | BadLine, int]:
        """Return the cells of a row with quotes and the lines it takes."""
        reader = csv.reader(self._following(), strict=True, delimiter=self.delimiter)
        try:
            return next(reader), reader.line_num
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                return BadLine(f"the row is not CSV: {error}"), 1
            return _UNCLOSED, 1

    def _following(self) -> Iterator[str]:
        """Yield lines with their ends until a quoted cell has grown past what one may hold."""
        position, length = self._next, 0
        while length <= MAX_LINE_BYTES:
            if position == len(self._lines):
                block = self.refill()
                if block is None:
                    self._note(length)
                    return
                self._lines += _lines(block)
            line = self._lines[position]
            if isinstance(line, BadLine):
                self._note(length)
                return
            yield line + "\n"
            length += len(line)
            position += 1
        self._note(length)

    def _note(self, length: int) -> None:
        self._in_vain += length
        if self._in_vain > MAX_BYTES_IN_VAIN:
            raise InvalidInput(
                f"quotes are opened and not closed again and again, last in line {self.line}: "
                "the file is not CSV"
            )

    def _plain(self, line: str | BadLine) -> list[str] | BadLine:
        if isinstance(line, BadLine):
            return line
        line = line.removesuffix("\r")
        if "\r" in line:
            return BadLine("a carriage return stands inside the row: lines end with LF or CRLF")
        return line.split(self.delimiter) if line else []


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
