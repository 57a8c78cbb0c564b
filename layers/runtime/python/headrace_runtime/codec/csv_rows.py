"""CSV → tensors, block by block, in the memory of one block whatever the file.

Blocks of plain numbers are read at once as JSON (`csv_numbers.py`); all others row by row and
column by column (`csv_text.py`, `csv_columns.py`). Both ways give the same values, the same texts
and the same bad rows. Empty lines are no records, except in a file of one column, where they are
missing values.
"""

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np

from headrace_runtime.codec.csv_columns import text_records
from headrace_runtime.codec.csv_head import BOM, COMMAS, layout_of
from headrace_runtime.codec.csv_layout import CsvLayout
from headrace_runtime.codec.csv_numbers import number_tensors
from headrace_runtime.codec.csv_text import CsvText
from headrace_runtime.codec.line_blocks import BadLine, line_blocks
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.model.signature import Signature

_ROWS_AT_ONCE = 4096  # of text: as cells it takes ten times the memory that it takes in the file

Blocks = Iterator[bytes | BadLine]


def open_csv(
    stream: ByteStream, signature: Signature, delimiters: tuple[str, ...] = COMMAS
) -> tuple[CsvLayout, Iterator[Records]]:
    """Return the layout of a CSV file, and its records for a model of this signature, in order.

    Raises:
        InvalidInput: the first row does not fit the model.
    """
    blocks = line_blocks(stream)
    first = next(blocks, b"")
    layout = layout_of(first, signature, delimiters)
    return layout, read_csv(chain([first], blocks), layout)


def read_csv(
    blocks: Blocks, layout: CsvLayout, *, row: int = 1, line: int = 1, at_start: bool = True
) -> Iterator[Records]:
    """Yield records in order; a row that cannot be read stands in `Records.bad`.

    Args:
        blocks: whole lines each.
        layout: of the file.
        row: number of the first record among them.
        line: number of their first line.
        at_start: whether they begin with the file's own beginning, its header perhaps.

    Raises:
        InvalidInput: the file is not CSV at all.
    """
    text = CsvText(line, lambda: next(blocks, None), layout.delimiter)
    if at_start:
        first = next(blocks, b"")
        text.add(first.removeprefix(BOM) if isinstance(first, bytes) else first)
        if layout.header is not None:
            next((one for one in text.rows() if one.cells), None)
        for records in _text_blocks(text, layout, row):
            yield records
            row += records.count
    for block in blocks:
        for records in _block(block, text, layout, row):
            yield records
            row += records.count


def _block(block: bytes | BadLine, text: CsvText, layout: CsvLayout, row: int) -> Iterator[Records]:
    read = number_tensors(block, layout) if isinstance(block, bytes) else None
    if read is None:
        text.add(block)
        yield from _text_blocks(text, layout, row)
        return
    tensors, texts = read
    lines = np.arange(text.line, text.line + len(texts))
    yield Records(np.arange(row, row + len(texts)), lines, tensors, (), texts)
    text.line += len(texts)


def _text_blocks(text: CsvText, layout: CsvLayout, row: int) -> Iterator[Records]:
    alone = len(layout.names) == 1
    rows = (one for one in text.rows() if one.cells or alone)
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        records = text_records(chunk, row, layout)
        yield records
        row += records.count
