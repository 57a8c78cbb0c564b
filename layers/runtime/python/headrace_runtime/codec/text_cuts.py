"""Where a file of lines may be cut: true boundaries of records, found without reading a value.

A newline within quotes is no boundary, and quotes may be opened and never closed; so a CSV's
boundaries are found by the reader's own rules (`csv_text.py`), from the file's beginning on.
Blocks without a quote are only counted, at gigabytes a second.
"""

from collections.abc import Callable, Iterator

from headrace_runtime.codec.csv_layout import CsvLayout
from headrace_runtime.codec.csv_rows import is_row, past_header
from headrace_runtime.codec.csv_text import CsvText
from headrace_runtime.codec.line_blocks import LineBlocks, filled_and_all
from headrace_runtime.codec.records import Position
from headrace_runtime.codec.shard_limit import ShardLimit

Boundaries = Iterator[Position]


def line_boundaries(blocks: LineBlocks, start: Position) -> Boundaries:
    """Yield a boundary behind each block of JSON Lines, from *start* on; the last is the end."""
    row, line = start.row, start.line
    for block in blocks:
        rows, lines = filled_and_all(block)
        row, line = row + rows, line + lines
        yield Position(blocks.offset, row, line)


def csv_boundaries(blocks: LineBlocks, layout: CsvLayout, start: Position) -> Boundaries:
    """Yield a boundary behind each block of a CSV, from *start* on; the last is the end.

    Args:
        blocks: the file's lines from *start* on.
        layout: of the file.
        start: where they begin, a boundary itself.

    Raises:
        InvalidInput: the file is not CSV at all.
    """
    text = CsvText(start.line, lambda: next(blocks, None), layout.delimiter)
    row, at_start = start.row, not start.offset
    alone = len(layout.names) == 1
    for block in blocks:
        if at_start:
            past_header(block, text, layout)
        elif isinstance(block, bytes) and b'"' in block:
            text.add(block)
        else:
            rows, lines = filled_and_all(block)
            row, text.line = row + (lines if alone else rows), text.line + lines
        row += sum(is_row(one, layout) for one in text.rows())
        at_start = False
        yield Position(blocks.offset, row, text.line)


def shard_ends(
    boundaries: Boundaries, start: Position, limit: ShardLimit, go_on: Callable[[], bool]
) -> Iterator[tuple[Position, bool]]:
    """Yield where each shard ends, and whether the file ends there, too.

    Args:
        boundaries: of the file, from *start* on.
        start: where the first shard begins.
        limit: a shard ends at the first boundary at which it is reached.
        go_on: asked behind each block; where it says no, nothing more comes, and what was passed
            since the last end is passed again.
    """
    begin = last = start
    for boundary in boundaries:
        if limit.reached(begin, last):
            yield last, False
            begin = last
        last = boundary
        if not go_on():
            return
    yield last, True
