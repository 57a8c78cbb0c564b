"""Answers → JSON Lines: `{"row": 17, "<output>": value, …}`, values nested as the output is."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import orjson

from headrace_runtime.batch.number_text import number_texts, row_texts
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.tensor import Datatype, Tensor

_SPELLING = (b"NaN", b"Infinity", b"-Infinity")


class JsonResults:
    """Writes one file of results. NaN and infinities are tokens, as `codec/json_text.py` reads."""

    def encode(self, answers: Answers) -> bytes:
        """Return the lines of *answers*."""
        names = ["row", *(output.name for output in answers.outputs)]
        columns = [number_texts(answers.rows, _SPELLING), *map(_values, answers.outputs)]
        members = b",".join(orjson.dumps(name).replace(b"%", b"%%") + b":%b" for name in names)
        line = b"{" + members + b"}\n"
        values = chain.from_iterable(zip(*columns, strict=True))
        return (line * len(answers.rows)) % tuple(values)

    def end(self) -> bytes:
        """Return what is still missing: nothing."""
        return b""


def _values(output: Tensor) -> Iterable[bytes]:
    """Return each record's value as JSON."""
    if output.datatype is Datatype.BYTES:
        return [orjson.dumps(_text(value)) for value in output.array.tolist()]
    if output.array.ndim == 1:
        return number_texts(output.array, _SPELLING)
    if output.array.ndim == 2:
        return [b"[" + row + b"]" for row in row_texts(output.array, _SPELLING)]
    return [_nested(value) for value in output.array]


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(inner) for inner in value]
    return value.decode(errors="backslashreplace")


def _nested(value: np.ndarray[Any, Any]) -> bytes:
    if value.ndim == 1:
        return b"[" + b",".join(row_texts(value[np.newaxis], _SPELLING)) + b"]"
    return b"[" + b",".join(_nested(inner) for inner in value) + b"]"
