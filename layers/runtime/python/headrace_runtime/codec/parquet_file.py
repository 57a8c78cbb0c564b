"""A Parquet file as pyarrow reads it: at random, from wherever its bytes lie, and never trusted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headrace_runtime.codec.parquet_memory import bounded_memory
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.errors import InvalidInput

# A column chunk is one read; those of one row group lie side by side, and are fetched together.
_AHEAD_BYTES = 4 << 20
_TAIL_BYTES = 64 << 10  # what pyarrow itself reads first
_MAX_FOOTER_BYTES = 32 << 20
_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"


class ParquetSource:
    """A RandomFile as a file object, which fetches ahead where it is read in order.

    Attributes:
        failure: what the file itself raised, once it did.
    """

    closed = False

    def __init__(self, file: RandomFile) -> None:
        self.failure: Exception | None = None
        self._file = file
        self._at = self._next = 0
        self._window, self._window_at = b"", 0

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read at random: yes."""
        return True

    def writable(self) -> bool:
        """Whether it can be written: no."""
        return False

    def tell(self) -> int:
        """Return where it is read next."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to *offset* from the beginning (0), from here (1) or from the end (2)."""
        self._at = offset + (0, self._at, self._file.size_bytes)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return *size* bytes, less at the end, all that are left if it is negative."""
        left = max(0, self._file.size_bytes - self._at)
        size = left if size < 0 else min(size, left)
        start, self._at = self._at, self._at + size
        in_order, self._next = start == self._next, self._at
        known = self._window[start - self._window_at :] if start >= self._window_at else b""
        if len(known) < size:
            ahead = min(left, max(size, _AHEAD_BYTES)) if in_order else size
            self._window = known + self._fetched(start + len(known), ahead - len(known))
            self._window_at, known = start, self._window
        return known[:size]

    def close(self) -> None:
        """Forget what was fetched."""
        self.closed, self._window = True, b""

    def _fetched(self, offset: int, size: int) -> bytes:
        try:
            return self._file.read_at(offset, size)
        except Exception as error:
            self.failure = error
            raise


def opened(source: ParquetSource, file: RandomFile, **options: Any) -> pq.ParquetFile:
    """Return the file as pyarrow has it, its footer read.

    Raises:
        InvalidInput: it has no footer that can be read.
    """
    _check_end(source, file)
    with reading(source, "the footer"):
        return pq.ParquetFile(
            pa.PythonFile(source, mode="r"),
            pre_buffer=False,
            page_checksum_verification=True,
            arrow_extensions_enabled=False,
            **options,
        )


@contextmanager
def reading(source: ParquetSource, what: str) -> Iterator[None]:
    """Bound the memory of what is read within; *what* names it.

    Raises:
        InvalidInput: it is damaged, or unfolds to more than may be held.
    """
    try:
        with bounded_memory():
            yield
    except MemoryError:
        raise InvalidInput(
            f"{what} of the Parquet file unfolds to more than can be held: write it with smaller "
            "row groups and pages"
        ) from None
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if source.failure is not None:
            raise source.failure from None
        reason = str(error).partition("\n")[0][:200]
        raise InvalidInput(f"{what} of the Parquet file cannot be read: {reason}") from None


def _check_end(source: ParquetSource, file: RandomFile) -> None:
    source.seek(max(0, file.size_bytes - _TAIL_BYTES))
    tail = source.read()
    magic, length = tail[-4:], int.from_bytes(tail[-8:-4], "little")
    if magic == _ENCRYPTED:
        raise InvalidInput("the Parquet file is encrypted: write it without encryption")
    if magic != _MAGIC:
        raise InvalidInput(
            "the Parquet file has no footer: it was not written or copied to its end"
        )
    if length > file.size_bytes - 12:
        raise InvalidInput("the Parquet file is cut: its footer is longer than the file")
    if length > _MAX_FOOTER_BYTES:
        raise InvalidInput(
            f"the footer of the Parquet file has {length:,} bytes, at most {_MAX_FOOTER_BYTES:,} "
            "are read: write fewer columns or larger row groups"
        )
