"""CSV → tensors, block by block, in the memory of one block whatever the file.

The first row names the columns (`csv_layout.py`). Blocks of plain numbers are read at once as
JSON, four times as fast as numpy reads text (`csv_numbers.py`); all others row by row and column by
column (`csv_text.py`, `csv_columns.py`). Both ways give the same values and the same bad rows.
Empty lines are no records, except in a file of one column, where they are missing values.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from headrace_runtime.codec.csv_columns import text_records
from headrace_runtime.codec.csv_layout import CsvLayout, csv_layout
from headrace_runtime.codec.csv_numbers import number_tensors
from headrace_runtime.codec.csv_text import CsvText
from headrace_runtime.codec.line_blocks import BadLine, line_blocks
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature

_BOM = b"\xef\xbb\xbf"
_ROWS_AT_ONCE = 4096  # of text: as cells it takes ten times the memory that it takes in the file


def read_csv(stream: ByteStream, signature: Signature) -> Iterator[Records]:
    """Yield the records of a CSV file for a model of this signature, in order.

    A row that cannot be read stands in `Records.bad`; the others go on.

    Raises:
        InvalidInput: there is no header, or its columns do not fit the model.
    """
    blocks = line_blocks(stream)
    text = CsvText(1, lambda: next(blocks, None))
    first = next(blocks, b"")
    text.add(first.removeprefix(_BOM) if isinstance(first, bytes) else first)
    layout = csv_layout(_header(text), signature)
    row = 1
    for records in _text_blocks(text, layout, row):
        yield records
        row += records.count
    for block in blocks:
        for records in _block(block, text, layout, row):
            yield records
            row += records.count


def _header(text: CsvText) -> list[str]:
    for _, cells in text.rows():
        if isinstance(cells, BadLine):
            raise InvalidInput(f"the header row cannot be read: {cells.error}")
        if cells:
            return cells
    raise InvalidInput("the file has no header: the first row must name the columns")


def _block(block: bytes | BadLine, text: CsvText, layout: CsvLayout, row: int) -> Iterator[Records]:
    tensors = number_tensors(block, layout) if isinstance(block, bytes) else None
    if tensors is None:
        text.add(block)
        yield from _text_blocks(text, layout, row)
        return
    count = len(tensors[0].array)
    yield Records(np.arange(row, row + count), np.arange(text.line, text.line + count), tensors)
    text.line += count


def _text_blocks(text: CsvText, layout: CsvLayout, row: int) -> Iterator[Records]:
    alone = len(layout.header) == 1
    rows = ((line, cells or [""]) for line, cells in text.rows() if cells or alone)
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        records = text_records(chunk, row, layout)
        yield records
        row += records.count
