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


class ParquetSource:
    """A RandomFile as a file object, which fetches ahead where it is read in order.

    It is a RandomFile, too, and knows what was read of it last.

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

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return self._file.size_bytes

    def read(self, size: int = -1) -> bytes:
        """Return *size* bytes, less at the end, all that are left if it is negative."""
        left = max(0, self.size_bytes - self._at)
        data = self.read_at(self._at, left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def read_at(self, offset: int, size: int, /) -> bytes:
        """Return the *size* bytes that begin at *offset*."""
        in_order, self._next = offset == self._next, offset + size
        place = offset - self._window_at
        if place < 0 or place + size > len(self._window):
            ahead = min(self.size_bytes - offset, max(size, _AHEAD_BYTES)) if in_order else size
            known = self._window[place:] if place >= 0 else b""
            self._window = known + self._fetched(offset + len(known), ahead - len(known))
            self._window_at, place = offset, 0
        return self._window[place : place + size]

    def close(self) -> None:
        """Forget what was fetched."""
        self.closed, self._window = True, b""

    def _fetched(self, offset: int, size: int) -> bytes:
        try:
            return self._file.read_at(offset, size)
        except Exception as error:
            self.failure = error
            raise


def opened(source: ParquetSource, **options: Any) -> pq.ParquetFile:
    """Return the file as pyarrow has it, its footer read; ask `row_groups` for the footer first.

    Raises:
        InvalidInput: it has no footer that can be read.
    """
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
