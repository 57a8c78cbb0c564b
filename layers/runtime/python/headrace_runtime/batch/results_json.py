"""Answers → JSON Lines: each record's own object with the outputs added, values nested as they are.

A record that is no object stands as `input`; without the records there is their number, `row`.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

from headrace_runtime.batch.number_text import number_texts, row_texts
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.codec.json_text import read_json
from headrace_runtime.codec.row_texts import RowTexts
from headrace_runtime.tensor import Datatype, Tensor

_SPELLING = (b"NaN", b"Infinity", b"-Infinity")


class JsonResults:
    """Writes one part of a file of results.

    NaN and infinities are tokens, as `codec/json_text.py` reads them.

    An output whose name the record's object has, too, is `<name>_output` in that line.
    """

    def __init__(self, *, joined: bool = False) -> None:
        self._joined = joined

    def encode(self, answers: Answers) -> bytes:
        """Return the lines of *answers*."""
        names = [output.name for output in answers.outputs]
        columns = [_values(output) for output in answers.outputs]
        texts = answers.texts if self._joined else None
        if texts is None:
            numbers = number_texts(answers.rows, _SPELLING)
            return _filled(b'{"row":%b,' + _members(names) + b"}\n", [numbers, *columns])
        if isinstance(texts, RowTexts):
            return _rows_filled(
                texts, names, tuple(chain.from_iterable(zip(*columns, strict=True)))
            )
        ends = {text[-1:] for text in texts}
        if b"}" not in ends:
            return _filled(b'{"input":%b,' + _members(names) + b"}\n", [texts, *columns])
        if ends == {b"}"} and not _may_clash(texts, names):
            heads = [text[:-1] for text in texts]
            return _filled(b"%b," + _members(names) + b"}\n", [heads, *columns])
        return b"".join(
            _line(text, names, values)
            for text, values in zip(texts, zip(*columns, strict=True), strict=True)
        )

    def end(self, next_row: int) -> bytes:
        """Return what is still missing: nothing."""
        del next_row
        return b""

    def layout(self) -> str:
        """Return what stands above the lines: nothing."""
        return ""


def _rows_filled(texts: RowTexts, names: list[str], values: tuple[bytes, ...]) -> bytes:
    """Return lines of numbers with the outputs; all are lists, or objects of one same member."""
    if not texts.first.endswith(b"}"):
        begin = b'{"input":'
        more = texts.filled(b"\n", b"," + _members(names) + b"}\n" + begin, values)
        return begin + more[: -len(begin)]
    taken = set(read_json(texts.first, "the record"))
    return texts.filled(b"}\n", b"," + _members(_free_names(names, taken)) + b"}\n", values)


def _members(names: list[str]) -> bytes:
    return b",".join(orjson.dumps(name).replace(b"%", b"%%") + b":%b" for name in names)


def _filled(line: bytes, columns: Sequence[Iterable[bytes]]) -> bytes:
    values = _in_turn(columns)
    return (line * (len(values) // len(columns))) % values


def _in_turn(columns: Sequence[Iterable[bytes]]) -> tuple[bytes, ...]:
    return tuple(chain.from_iterable(zip(*columns, strict=True)))


def _may_clash(texts: Sequence[bytes], names: list[str]) -> bool:
    """Whether a name may stand in one of the objects; where letters are escaped, any may."""
    together = b"\n".join(texts)
    return b"\\" in together or any(orjson.dumps(name) in together for name in names)


def _line(text: bytes, names: list[str], values: tuple[bytes, ...]) -> bytes:
    if not text.endswith(b"}"):
        return _filled(b'{"input":%b,' + _members(names) + b"}\n", [[v] for v in (text, *values)])
    free = _free_names(names, set(read_json(text, "the record")))
    return _filled(b"%b," + _members(free) + b"}\n", [[v] for v in (text[:-1], *values)])


def _free_names(names: list[str], taken: set[str]) -> list[str]:
    return [_free(name, taken, [other for other in names if other != name]) for name in names]


def _free(name: str, taken: set[str], others: list[str]) -> str:
    while name in taken or name in others:
        name += "_output"
    return name


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
