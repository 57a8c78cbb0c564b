"""JSON text ⇄ values, for text that may be hostile.

Strict as RFC 8259, but for one thing that tensors need: the tokens NaN, Infinity and -Infinity
are read and written, as Triton and TensorFlow Serving do. A whole number outside -2^63..2^64-1
is read as the nearest float, so it never passes for an integer. Of a key that comes twice the last
one counts: to refuse it would cost more than reading the text.
"""

import json
import re
from typing import Any

import numpy as np
import orjson

from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array

# A string, or a token that stands outside one; the string comes first, so nothing in it matches.
# Its end is optional: a string that never ends must not be tried again from each quote in it.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_INT64_MIN, _UINT64_MAX = -(1 << 63), (1 << 64) - 1


def read_json(text: bytes | memoryview, what: str = "the body") -> Any:
    """Return the value that *text* spells.

    Args:
        text: UTF-8, no byte order mark.
        what: how an error calls it.

    Raises:
        InvalidInput: it is not JSON, not UTF-8, nested too deep, or holds a number too large.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        plain = bytes(text)
        if b"NaN" in plain or b"Infinity" in plain:
            return _read_with_tokens(plain, what)
        raise InvalidInput(f"{what} is not JSON: {error}") from None


def write_json(value: Any) -> bytes:
    """Return *value* as JSON; numpy arrays of numbers and `number_list`s may stand in it."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def number_list(array: Array) -> Any:
    """Return what `write_json` writes as the flat list of *array*'s elements.

    Numbers and booleans only. Elements that are not finite are written as NaN and Infinity.
    """
    flat = array.ravel()
    if flat.dtype.kind != "f" or bool(np.isfinite(flat).all()):
        return flat
    parts = orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    for index in np.flatnonzero(~np.isfinite(flat)).tolist():
        number = float(flat[index])
        parts[index] = json.dumps(number).encode()
    return orjson.Fragment(b"[" + b",".join(parts) + b"]")


def _read_with_tokens(text: bytes, what: str) -> Any:
    """Read text whose numbers may be the tokens; orjson judges all the rest of it."""
    try:
        orjson.loads(_TOKENS.sub(lambda match: match[0] if match[0][:1] == b'"' else b"0", text))
        return json.loads(text, parse_constant=_NON_FINITE.__getitem__, parse_int=_whole)
    except RecursionError:
        raise InvalidInput(f"{what} is not JSON: nested too deep") from None
    except ValueError as error:
        raise InvalidInput(f"{what} is not JSON: {error}") from None


def _whole(digits: str) -> int | float:
    if len(digits) > 20:
        return float(digits)
    number = int(digits)
    return number if _INT64_MIN <= number <= _UINT64_MAX else float(digits)
