"""Rows of cells → records, column by column: a row with a bad cell is named, the others go on."""

import numpy as np

from headrace_runtime.codec.csv_cells import column
from headrace_runtime.codec.csv_layout import CsvLayout, InputColumns
from headrace_runtime.codec.line_blocks import BadLine
from headrace_runtime.codec.records import BadRow, Records, without
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array, Tensor

TextRow = tuple[int, list[str] | BadLine]


def text_records(rows: list[TextRow], first_row: int, layout: CsvLayout) -> Records:
    """Return the records of *rows*, the first of which has the number *first_row*.

    Args:
        rows: the line on which each begins, and its cells or why it has none.
        first_row: counts from 1.
        layout: the file's columns.
    """
    width = len(layout.header)
    bad: dict[int, str] = {}
    good: list[int] = []
    table: list[list[str]] = []
    for position, (_, cells) in enumerate(rows):
        if isinstance(cells, BadLine):
            bad[position] = cells.error
        elif len(cells) != width:
            bad[position] = f"the row has {len(cells)} cells, the header has {width}"
        else:
            good.append(position)
            table.append(cells)
    columns = list(zip(*table, strict=True)) or [()] * width
    arrays = [_input(part, columns, good, bad, layout) for part in layout.inputs]
    gone = [index for index, position in enumerate(good) if position in bad]
    lines = np.array([line for line, _ in rows], np.int64)
    kept = np.array([position for position in good if position not in bad], np.int64)
    return Records(
        rows=first_row + kept,
        lines=lines[kept],
        tensors=tuple(
            Tensor(part.name, part.datatype, without(array, gone))
            for part, array in zip(layout.inputs, arrays, strict=True)
        ),
        bad=tuple(
            BadRow(first_row + position, rows[position][0], InvalidInput.code, bad[position])
            for position in sorted(bad)
        ),
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
            bad.setdefault(good[position], f"column {layout.header[index][:80]!r}: {reason}")
    return values.reshape(len(good), *part.shape)
