"""Cells of one CSV column → values of a datatype, with no silent coercion.

A number is written with ASCII digits, spaces around it do not count: `1`, `-1.5`, `.5`, `6e-3`;
for floats also `nan`, `inf` and `infinity` with or without a sign. BOOL is `true`, `false`, `1` or
`0`, in capitals or not. BYTES takes the cell as it is, as UTF-8, the empty one too.
"""

import re
import struct
from collections.abc import Callable, Sequence

import numpy as np
import orjson

from headrace_runtime.tensor import Array, Datatype

Wrong = dict[int, str]  # positions of cells that cannot be read, and why

NUMBER_CHARACTERS = b"0123456789+-.eE \t"
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_JSON_NUMBER = re.compile(r"[ \t]*-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[ \t]*")
_NON_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def column(cells: Sequence[str], datatype: Datatype) -> tuple[Array, Wrong]:
    """Return the values of *cells*, shape `(len(cells),)`, and what cannot be read among them.

    Positions of cells that cannot be read hold a value of no meaning.
    """
    if datatype is Datatype.BYTES:
        texts = np.empty(len(cells), np.object_)
        texts[:] = [cell.encode() for cell in cells]
        return texts, {}
    if datatype is Datatype.BOOL:
        return _looked_at(np.zeros(len(cells), np.bool_), range(len(cells)), cells, datatype)
    quick = _numbers(cells, datatype)
    return (quick, {}) if quick is not None else _with_awkward(cells, datatype)


def fitted(numbers: list[int | float], datatype: Datatype) -> Array | None:
    """Return JSON numbers as an array, None if one is out of range or no whole number.

    struct refuses both, and is twice as fast as numpy; the array is read-only.
    """
    order = "=" if datatype.is_float else "@"  # "@" lets floats overflow; "=" has other int sizes
    try:
        packed = struct.pack(f"{order}{len(numbers)}{datatype.dtype.char}", *numbers)
    except (struct.error, OverflowError):
        return None
    return np.frombuffer(packed, datatype.dtype)


def _numbers(cells: Sequence[str], datatype: Datatype) -> Array | None:
    """Read all cells at once as JSON; None if one of them needs to be looked at by itself."""
    joined = ",".join(cells).encode()
    # What is left are numbers: each cell gives one, an empty one makes it no JSON (or no number).
    if joined.translate(None, NUMBER_CHARACTERS) != b"," * (len(cells) - 1):
        return None
    try:
        numbers = orjson.loads(b"[" + joined + b"]")
    except orjson.JSONDecodeError:
        return None
    return fitted(numbers, datatype) if len(numbers) == len(cells) else None


def _with_awkward(cells: Sequence[str], datatype: Datatype) -> tuple[Array, Wrong]:
    """Read a column in which some cells need to be looked at: those alone, if there is a way."""
    awkward = [i for i, cell in enumerate(cells) if not _JSON_NUMBER.fullmatch(cell)]
    plain = list(cells)
    for position in awkward:
        plain[position] = "0"
    quick = _numbers(plain, datatype)
    if quick is not None:
        return _looked_at(quick.copy(), awkward, cells, datatype)
    # A number is out of range, or a fraction stands where whole numbers belong.
    values: Array = np.zeros(len(cells), datatype.dtype)
    return _looked_at(values, range(len(cells)), cells, datatype)


def _looked_at(
    values: Array, positions: Sequence[int], cells: Sequence[str], datatype: Datatype
) -> tuple[Array, Wrong]:
    read = _READERS[datatype]
    wrong: Wrong = {}
    for position in positions:
        try:
            values[position] = read(cells[position], datatype)
        except ValueError as error:
            wrong[position] = str(error)
    return values, wrong


def _float(cell: str, datatype: Datatype) -> float:
    text = _present(cell)
    if _NON_FINITE.fullmatch(text):
        return float(text)
    if not _FLOAT.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a number")
    number = float(text)
    # -0 is the whole number 0, as in JSON; -0.0 keeps its sign.
    number += 0.0 if _INTEGER.fullmatch(text) else -0.0
    with np.errstate(over="ignore"):
        if np.isinf(datatype.dtype.type(number)):
            raise ValueError(f"{_shown(text)} is out of the range of {datatype}")
    return number


def _integer(cell: str, datatype: Datatype) -> int:
    text = _present(cell)
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a whole number")
    number, bounds = int(text), np.iinfo(datatype.dtype.name)
    if not bounds.min <= number <= bounds.max:
        raise ValueError(f"{_shown(text)} is out of the range of {datatype}")
    return number


def _bool(cell: str, _: Datatype) -> bool:
    value = _BOOLS.get(_present(cell).lower())
    if value is None:
        raise ValueError(f"{_shown(cell)} is neither true nor false")
    return value


def _present(cell: str) -> str:
    text = cell.strip(" \t")
    if not text:
        raise ValueError("the value is missing")
    return text


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:39] + "…")


_READERS: dict[Datatype, Callable[[str, Datatype], float | int | bool]] = {
    datatype: _float if datatype.is_float else _integer if datatype.is_integer else _bool
    for datatype in Datatype
    if datatype is not Datatype.BYTES
}
