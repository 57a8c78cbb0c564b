"""Rows of cells → records, column by column: a row with a bad cell is named, the others go on."""

import numpy as np

from headrace_runtime.codec.csv_cells import column
from headrace_runtime.codec.csv_harmless import row_text
from headrace_runtime.codec.csv_layout import CsvLayout, InputColumns
from headrace_runtime.codec.csv_text import TextRow
from headrace_runtime.codec.line_blocks import BadLine
from headrace_runtime.codec.records import BadRow, Records, without
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array, Tensor


def text_records(rows: list[TextRow], first_row: int, layout: CsvLayout) -> Records:
    """Return the records of *rows*, the first of which has the number *first_row*.

    Args:
        rows: as they stand in the file.
        first_row: counts from 1.
        layout: the file's columns.
    """
    width = len(layout.names)
    bad: dict[int, str] = {}
    good: list[int] = []
    table: list[list[str]] = []
    for position, row in enumerate(rows):
        cells = row.cells or [""] * (width == 1)  # an empty line is a missing value there
        if isinstance(cells, BadLine):
            bad[position] = cells.error
        elif len(cells) != width:
            bad[position] = f"the row has {len(cells)} cells, the file has {width} columns"
        else:
            good.append(position)
            table.append(cells)
    columns = list(zip(*table, strict=True)) or [()] * width
    arrays = [_input(part, columns, good, bad, layout) for part in layout.inputs]
    gone = [index for index, position in enumerate(good) if position in bad]
    lines = np.array([row.line for row in rows], np.int64)
    read = zip(good, table, strict=True)
    answered = [(position, cells) for position, cells in read if position not in bad]
    kept = np.array([position for position, _ in answered], np.int64)
    return Records(
        rows=first_row + kept,
        lines=lines[kept],
        tensors=tuple(
            Tensor(part.name, part.datatype, without(array, gone))
            for part, array in zip(layout.inputs, arrays, strict=True)
        ),
        bad=tuple(
            BadRow(first_row + position, rows[position].line, InvalidInput.code, bad[position])
            for position in sorted(bad)
        ),
        texts=[row_text(rows[p].text, cells, layout.delimiter) for p, cells in answered],
    )


def _input(
    part: InputColumns,
    columns: list[tuple[str, ...]],
    good: list[int],
    bad: dict[int, str],
    layout: CsvLayout,
) -> Array:
    """Return one input's values; note in *bad* which rows have a cell that cannot be read."""
    values: Array = np.empty((len(good), len(part.columns)), part.datatype.dtype)
    for place, index in enumerate(part.columns):
        values[:, place], wrong = column(columns[index], part.datatype)
        for position, reason in wrong.items():
            bad.setdefault(good[position], f"column {layout.names[index][:80]!r}: {reason}")
    return values.reshape(len(good), *part.shape)
