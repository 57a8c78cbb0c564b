"""Arrays of numbers → text, the shortest that reads back as the same number."""

from collections.abc import Iterable

import numpy as np
import orjson

from headrace_runtime.tensor import Array

Spelling = tuple[bytes, bytes, bytes]  # of NaN, infinity and minus infinity


def number_texts(array: Array, spelling: Spelling) -> list[bytes]:
    """Return the text of each element of a one-dimensional array of numbers or booleans."""
    if not array.size:
        return []
    texts = _dumped(array).split(b",")
    for index in _not_finite(array):
        texts[index] = _spelt(float(array[index]), spelling)
    return texts


def row_texts(matrix: Array, spelling: Spelling) -> Iterable[bytes]:
    """Return the text of each row of a two-dimensional array, its elements joined by commas."""
    rows, columns = matrix.shape
    if columns == 0:
        return [b""] * rows
    if columns == 1 or len(_not_finite(matrix.ravel())):
        texts = number_texts(matrix.ravel(), spelling)
        return texts if columns == 1 else _joined(texts, columns)
    return _dumped(matrix)[1:-1].split(b"],[")


def _dumped(array: Array) -> bytes:
    contiguous = np.ascontiguousarray(array)
    return orjson.dumps(contiguous, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def _not_finite(array: Array) -> list[int]:
    if array.dtype.kind != "f":
        return []
    return [int(index) for index in np.flatnonzero(~np.isfinite(array))]


def _spelt(number: float, spelling: Spelling) -> bytes:
    nan, infinity, minus_infinity = spelling
    return nan if np.isnan(number) else infinity if number > 0 else minus_infinity


def _joined(texts: list[bytes], columns: int) -> list[bytes]:
    return [b",".join(texts[i : i + columns]) for i in range(0, len(texts), columns)]
