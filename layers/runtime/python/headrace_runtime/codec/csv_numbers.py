"""A block of CSV that is numbers and nothing else → tensors, at once."""

import numpy as np
import orjson
from numpy.typing import NDArray

from headrace_runtime.codec.csv_cells import NUMBER_CHARACTERS, fitted
from headrace_runtime.codec.csv_layout import CsvLayout, InputColumns
from headrace_runtime.codec.number_block import MARK, line_count, marked_rows
from headrace_runtime.codec.row_texts import RowTexts
from headrace_runtime.tensor import Array, Datatype, Tensor

Numbers = list[int | float]
_BOTH_KINDS = (NUMBER_CHARACTERS, NUMBER_CHARACTERS.replace(b"\t", b""))


def number_tensors(block: bytes, layout: CsvLayout) -> tuple[tuple[Tensor, ...], RowTexts] | None:
    """Return the inputs' tensors and each row's text; None if a row needs to be looked at.

    Args:
        block: whole lines.
        layout: the file's columns.
    """
    texts = line_texts(block)
    text, count = texts.whole, len(texts)
    tensors = _floats(text, count, layout) or _numbers(text, count, layout)
    return None if tensors is None else (tensors, texts)


def line_texts(block: bytes) -> RowTexts:
    """Return each row's text of a block whose lines are known to be numbers and nothing else."""
    text = block if block.endswith(b"\n") else block + b"\n"
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    return RowTexts(text, line_count(text))


def _floats(text: bytes, count: int, layout: CsvLayout) -> tuple[Tensor, ...] | None:
    """Return the inputs' tensors where all are floats, read as one JSON list."""
    delimiter = layout.delimiter.encode()
    # A list within the list would be flattened; a carriage return is white space to JSON.
    foreign = b"[" in text or b"\r" in text or (delimiter != b"," and b"," in text)
    if foreign or not all(part.datatype.is_float for part in layout.inputs):
        return None
    flat = text if delimiter == b"," else text.replace(delimiter, b",")
    matrix = marked_rows(flat.replace(b"\n", MARK), count, len(layout.names))
    return None if matrix is None else _narrowed(matrix, layout)


def _narrowed(matrix: NDArray[np.float64], layout: CsvLayout) -> tuple[Tensor, ...] | None:
    tensors = []
    for part in layout.inputs:
        start, stop = part.columns[0], part.columns[-1] + 1
        together = part.columns == tuple(range(start, stop))
        wide = matrix[:, start:stop] if together else matrix[:, part.columns]
        with np.errstate(over="ignore"):
            narrow = np.ascontiguousarray(wide, part.datatype.dtype)
        if not np.isfinite(narrow).all():  # too large for this datatype
            return None
        tensors.append(_tensor(part, narrow))
    return tuple(tensors)


def _numbers(text: bytes, count: int, layout: CsvLayout) -> tuple[Tensor, ...] | None:
    width = len(layout.names)
    delimiter = layout.delimiter.encode()
    # Less the characters of numbers, only the skeleton of a rectangle may be left: no quote, no
    # word, no missing or additional cell. So no JSON but a flat list of numbers can come of it.
    skeleton = (delimiter * (width - 1) + b"\n") * count
    if text.translate(None, _BOTH_KINDS[delimiter == b"\t"]) != skeleton:
        return None
    flat = text[:-1].replace(b"\n", b",")
    flat = b"[" + (flat if delimiter == b"," else flat.replace(delimiter, b",")) + b"]"
    try:
        numbers: Numbers = orjson.loads(flat)
    except orjson.JSONDecodeError:
        return None
    if len(numbers) != width * count:  # a single empty line is an empty list
        return None
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
