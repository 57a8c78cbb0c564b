"""A block of CSV that is numbers and nothing else → tensors, at once."""

import numpy as np
import orjson

from headrace_runtime.codec.csv_cells import NUMBER_CHARACTERS, fitted
from headrace_runtime.codec.csv_layout import CsvLayout, InputColumns
from headrace_runtime.tensor import Array, Datatype, Tensor

Numbers = list[int | float]


def number_tensors(block: bytes, layout: CsvLayout) -> tuple[Tensor, ...] | None:
    """Return the inputs' tensors, or None if any row needs to be looked at by itself.

    Args:
        block: whole lines.
        layout: the file's columns.
    """
    text = block if block.endswith(b"\n") else block + b"\n"
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    width, count = len(layout.header), text.count(b"\n")
    # Less the characters of numbers, only the skeleton of a rectangle may be left: no quote, no
    # word, no missing or additional cell. So no JSON but a flat list of numbers can come of it.
    skeleton = (b"," * (width - 1) + b"\n") * count
    if text.translate(None, NUMBER_CHARACTERS) != skeleton:
        return None
    try:
        numbers = orjson.loads(b"[" + text[:-1].replace(b"\n", b",") + b"]")
    except orjson.JSONDecodeError:
        return None
    if len(numbers) != width * count:  # a single empty line is an empty list
        return None
    if layout.in_order and len({part.datatype for part in layout.inputs}) == 1:
        return _whole(numbers, width, layout)
    return _by_column(numbers, width, layout)


def _whole(numbers: Numbers, width: int, layout: CsvLayout) -> tuple[Tensor, ...] | None:
    datatype = layout.inputs[0].datatype
    array = _fitted(numbers, datatype)
    if array is None:
        return None
    matrix = array.reshape(-1, width)
    ends = np.cumsum([len(part.columns) for part in layout.inputs]).tolist()
    return tuple(
        _tensor(part, matrix[:, end - len(part.columns) : end])
        for part, end in zip(layout.inputs, ends, strict=True)
    )


def _by_column(numbers: Numbers, width: int, layout: CsvLayout) -> tuple[Tensor, ...] | None:
    tensors = []
    for part in layout.inputs:
        columns = [_fitted(numbers[column::width], part.datatype) for column in part.columns]
        known = [column for column in columns if column is not None]
        if len(known) < len(columns):
            return None
        tensors.append(_tensor(part, np.stack(known, axis=1)))
    return tuple(tensors)


def _fitted(numbers: Numbers, datatype: Datatype) -> Array | None:
    number = datatype.is_float or datatype.is_integer
    return fitted(numbers, datatype) if number else None


def _tensor(part: InputColumns, matrix: Array) -> Tensor:
    return Tensor(part.name, part.datatype, matrix.reshape(len(matrix), *part.shape))
