"""CSV → tensors, block by block, in the memory of one block whatever the file.

Blocks of plain numbers are read at once as JSON (`csv_numbers.py`); all others row by row and
column by column (`csv_text.py`, `csv_columns.py`). Both ways give the same values, the same texts
and the same bad rows. Empty lines are no records, except in a file of one column, where they are
missing values.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from headrace_runtime.codec.csv_columns import text_records
from headrace_runtime.codec.csv_head import BOM, COMMAS, layout_of
from headrace_runtime.codec.csv_layout import CsvLayout
from headrace_runtime.codec.csv_numbers import line_texts, number_tensors
from headrace_runtime.codec.csv_text import CsvText, TextRow
from headrace_runtime.codec.line_blocks import BadLine, LineBlocks
from headrace_runtime.codec.records import START, PlainFile, Position, Records
from headrace_runtime.codec.row_texts import RowTexts
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Tensor

_ROWS_AT_ONCE = 4096  # of text: as cells it takes ten times the memory that it takes in the file


def open_csv(
    file: PlainFile,
    signature: Signature,
    delimiters: tuple[str, ...] = COMMAS,
    start: Position = START,
    *,
    values: bool = True,
) -> tuple[CsvLayout, Iterator[Records]]:
    """Return the layout of a CSV file, and its records from *start* on, in order.

    Args:
        file: opens the file.
        signature: the model's.
        delimiters: that may stand between cells.
        start: where the first of them begins.
        values: False for records that are known to be plain: they come without tensors.

    Raises:
        InvalidInput: the first row does not fit a model of this signature.
    """
    layout, blocks = layout_and_blocks(file, signature, delimiters, start)
    records = read_csv(blocks, layout if values else replace(layout, inputs=()), start)
    return layout, records


def layout_and_blocks(
    file: PlainFile,
    signature: Signature,
    delimiters: tuple[str, ...],
    start: Position,
    block_bytes: int | None = None,
) -> tuple[CsvLayout, LineBlocks]:
    """Return the layout of a CSV file, and its lines from *start* on, in blocks as of `LineBlocks`.

    Raises:
        InvalidInput: the first row does not fit a model of this signature.
    """
    head = LineBlocks(file(0))
    layout = layout_of(head.first(), signature, delimiters)
    if block_bytes is None and not start.offset:
        return layout, head
    return layout, LineBlocks(file(start.offset), start.offset, block_bytes)


def read_csv(blocks: LineBlocks, layout: CsvLayout, start: Position = START) -> Iterator[Records]:
    """Yield records in order; a row that cannot be read stands in `Records.bad`.

    Args:
        blocks: whole lines each, from *start* on.
        layout: of the file; without inputs no row is looked at, and a line is a record.
        start: where they begin; at the file's own beginning there is a header, perhaps.

    Raises:
        InvalidInput: the file is not CSV at all.
    """
    text = CsvText(start.line, lambda: next(blocks, None), layout.delimiter)
    row = start.row
    while True:
        origin = Position(blocks.offset, row, text.line)
        block = next(blocks, None)
        if block is None:
            return
        begin = _first_block if origin.offset == 0 else _block
        for records in begin(block, text, layout, row):
            yield replace(records, origin=origin)
            row += records.count


def past_header(first: bytes | BadLine, text: CsvText, layout: CsvLayout) -> None:
    """Let *text* have a file's first block, and read its header off it if there is one.

    Where the block ends before the header, *text* has as many more as it takes.
    """
    text.add(first.removeprefix(BOM) if isinstance(first, bytes) else first)
    if layout.header is None:
        return
    while not any(one.cells for one in text.rows()):  # empty lines may stand before it
        block = text.refill()
        if block is None:
            return
        text.add(block)


def _first_block(
    block: bytes | BadLine, text: CsvText, layout: CsvLayout, row: int
) -> Iterator[Records]:
    if isinstance(block, bytes):
        head, end, rest = block.removeprefix(BOM).partition(b"\n")
        if layout.header is not None and head.strip() and b'"' not in head and end:
            text.line += 1
            if rest:
                yield from _block(rest, text, layout, row)
            return
    past_header(block, text, layout)
    yield from _text_blocks(text, layout, row)


def _block(block: bytes | BadLine, text: CsvText, layout: CsvLayout, row: int) -> Iterator[Records]:
    read: tuple[tuple[Tensor, ...], RowTexts] | None = None
    if isinstance(block, bytes):
        read = number_tensors(block, layout) if layout.inputs else ((), line_texts(block))
    if read is None:
        text.add(block)
        yield from _text_blocks(text, layout, row)
        return
    tensors, texts = read
    lines = np.arange(text.line, text.line + len(texts))
    yield Records(np.arange(row, row + len(texts)), lines, tensors, (), texts)
    text.line += len(texts)


def _text_blocks(text: CsvText, layout: CsvLayout, row: int) -> Iterator[Records]:
    rows = (one for one in text.rows() if is_row(one, layout))
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        records = text_records(chunk, row, layout)
        yield records
        row += records.count


def is_row(row: TextRow, layout: CsvLayout) -> bool:
    """Whether it counts as a record: an empty line does where the file has one column."""
    return bool(row.cells) or len(layout.names) == 1
