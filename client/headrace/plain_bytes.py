"""A file on disk as plain bytes: what it was compressed with is undone as it is read."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from headrace_runtime.errors import InvalidInput

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SUFFIXES = (".gz", ".gzip", ".zst", ".zstd")


def is_compressed(path: Path) -> bool:
    """Whether a file is gzip or zstd, by its first bytes."""
    return _magic(path).startswith((_GZIP, _ZSTD))


def plain_name(name: str) -> str:
    """Return a file's name without the suffix that says how it is compressed."""
    ending = next((one for one in _SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(ending)]


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the plain bytes of a file; they can be sought, in a compressed one slowly.

    Raises:
        InvalidInput: its compressed data is damaged or cut short, or it is zstd, and nothing is
            installed that undoes it.
    """
    undone, damage = _undoing(path)
    with undone(path) as stream:
        try:
            yield stream
        except damage as error:
            raise InvalidInput(f"{path.name} is damaged or cut short: {error}") from None


def _undoing(path: Path) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return what opens a file for reading, and what it raises where the data is damaged."""
    magic = _magic(path)
    if magic.startswith(_ZSTD):
        zstd = _zstd()
        return zstd.open, (EOFError, zstd.ZstdError)
    if magic.startswith(_GZIP):
        return gzip.open, (EOFError, gzip.BadGzipFile, zlib.error)
    return partial(Path.open, mode="rb"), ()


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _zstd() -> Any:
    """Return what undoes zstd: the standard library does from Python 3.14 on."""
    try:
        home = "compression" if sys.version_info >= (3, 14) else "backports"
        return import_module(f"{home}.zstd")
    except ImportError:
        raise InvalidInput(
            "the file is compressed with zstd, which nothing here undoes: install backports.zstd"
        ) from None
