"""How many records stand in files of arrays: NPY, NPZ and infer requests."""

import json
import zipfile
import zlib
from typing import IO

from headrace_runtime.codec.npy_header import read_header
from headrace_runtime.errors import InvalidInput

# What the service holds of a file at most that it cannot read piece by piece.
_MOST_BYTES = 256 << 20


def npy_rows(stream: IO[bytes]) -> int:
    """Return the first dimension of an NPY file.

    Raises:
        InvalidInput: it is no plain array of records.
    """
    shape = read_header(stream).shape
    if not shape:
        raise InvalidInput("the NPY array is a single value: its first dimension must be records")
    return shape[0]


def npz_rows(stream: IO[bytes]) -> int:
    """Return the first dimension of the arrays of an NPZ file.

    Raises:
        InvalidInput: it has no arrays, or they have not as many records each.
    """
    counts = {}
    try:
        with zipfile.ZipFile(stream) as archive:
            for name in archive.namelist():
                with archive.open(name) as entry:
                    counts[name.removesuffix(".npy")] = npy_rows(entry)
    # RuntimeError is of entries that are encrypted, or compressed in a way zipfile does not know.
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise InvalidInput(f"the NPZ archive is damaged: {error}") from None
    if len(set(counts.values())) != 1:
        raise InvalidInput(f"every array must have as many records as the others, got {counts}")
    return next(iter(counts.values()))


def request_rows(stream: IO[bytes]) -> int:
    """Return the first dimension of an infer request's inputs.

    Raises:
        InvalidInput: it is none.
    """
    text = stream.read(_MOST_BYTES).decode("latin-1")  # raw values may follow the JSON
    try:
        head, _ = json.JSONDecoder().raw_decode(text, len(text) - len(text.lstrip()))
        count = head["inputs"][0]["shape"][0]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InvalidInput("the infer request cannot be read") from None
    if type(count) is not int or count < 0:
        raise InvalidInput("the infer request says no number of records")
    return count
