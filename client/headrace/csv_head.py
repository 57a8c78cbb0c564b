"""The first row of a CSV file, read as the service reads it, but that no model is at hand."""

from dataclasses import dataclass

from headrace_runtime.codec.csv_head import BOM, COMMAS, TABS, first_row
from headrace_runtime.codec.csv_layout import is_record
from headrace_runtime.codec.line_blocks import BadLine
from headrace_runtime.errors import InvalidInput

DELIMITERS = {"csv": COMMAS, "tsv": TABS}


@dataclass(frozen=True, slots=True)
class CsvHead:
    """What the first row says of a file.

    Attributes:
        delimiter: stands between cells.
        line: of the first row, from 1: empty lines may stand before it.
        columns: cells of a row.
        has_header: whether the first row names them, and is no record.
    """

    delimiter: str
    line: int
    columns: int
    has_header: bool


def head_of(block: bytes | BadLine, kind: str) -> CsvHead:
    """Return the head of a file that begins with *block*, whole lines.

    The delimiter is the one that stands most often in the first line, if the first row can be read
    with it. The service takes another, too, where the columns do not fit the model otherwise.

    Args:
        block: the file's first.
        kind: `csv` or `tsv`.

    Raises:
        InvalidInput: there is no first row, or it cannot be read.
    """
    line = block.partition(b"\n")[0] if isinstance(block, bytes) else b""
    there = [one for one in DELIMITERS[kind] if one.encode() in line] or DELIMITERS[kind][:1]
    why = ""
    for delimiter in sorted(there, key=lambda one: -line.count(one.encode())):
        row = first_row(block, delimiter)
        if not isinstance(row.cells, BadLine):
            header = not is_record(_stripped(row.cells))
            return CsvHead(delimiter, row.line, len(row.cells), header)
        why = why or row.cells.error
    raise InvalidInput(f"the header row cannot be read: {why}")


def is_first_record(text: bytes, delimiter: str) -> bool:
    """Whether a row, were it the first of a file, would be taken as a record and no header."""
    try:
        cells = first_row(text + b"\n", delimiter).cells
    except InvalidInput:  # it is empty
        return False
    return not isinstance(cells, BadLine) and is_record(_stripped(cells))


def without_mark(block: bytes | BadLine) -> bytes | BadLine:
    """Return a file's first block without the byte order mark that may stand before it."""
    return block.removeprefix(BOM) if isinstance(block, bytes) else block


def _stripped(cells: list[str]) -> list[str]:
    return [cell.strip() for cell in cells]
