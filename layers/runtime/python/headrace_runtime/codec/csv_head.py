"""The layout of a CSV file, found once from its first bytes: delimiter, header, columns."""

from dataclasses import replace

from headrace_runtime.codec.csv_harmless import row_text
from headrace_runtime.codec.csv_layout import CsvLayout, csv_layout, is_record
from headrace_runtime.codec.csv_text import CsvText, TextRow
from headrace_runtime.codec.line_blocks import BadLine
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature

BOM = b"\xef\xbb\xbf"
COMMAS, TABS = (",", ";"), ("\t",)


def layout_of(
    head: bytes | BadLine, signature: Signature, delimiters: tuple[str, ...] = COMMAS
) -> CsvLayout:
    """Return the layout of a file that begins with *head*, for a model of this signature.

    The delimiter is the one with which the first row fits the model, tried from the one that
    stands most often in it.

    Args:
        head: whole lines; as many as the first row needs.
        signature: the model's.
        delimiters: those that may be.

    Raises:
        InvalidInput: there is no first row, or its columns do not fit the model.
    """
    first = head.partition(b"\n")[0] if isinstance(head, bytes) else b""
    there = [one for one in delimiters if one.encode() in first] or delimiters[:1]
    refused = None
    for delimiter in sorted(there, key=lambda one: -first.count(one.encode())):
        row = first_row(head, delimiter)
        try:
            return _layout(row, signature, delimiter)
        except InvalidInput as error:
            refused = refused or error
    raise refused or InvalidInput("the file has no first row")


def first_row(head: bytes | BadLine, delimiter: str) -> TextRow:
    """Return the first row that is not empty.

    Raises:
        InvalidInput: there is none.
    """
    text = CsvText(1, lambda: None, delimiter)
    text.add(head.removeprefix(BOM) if isinstance(head, bytes) else head)
    for row in text.rows():
        if row.cells:
            return row
    raise InvalidInput("the file has no header: the first row must name the columns")


def _layout(row: TextRow, signature: Signature, delimiter: str) -> CsvLayout:
    if isinstance(row.cells, BadLine):
        raise InvalidInput(f"the header row cannot be read: {row.cells.error}")
    layout = csv_layout(row.cells, signature)
    record = is_record([cell.strip() for cell in row.cells])
    header = None if record else row_text(row.text, row.cells, delimiter)
    return replace(layout, delimiter=delimiter, header=header)
