"""How many rows a Parquet file has, by its footer: no Parquet library is needed to know."""

from typing import IO

from headrace_runtime.codec.parquet_footer import row_groups


def num_rows(file: IO[bytes]) -> int:
    """Return how many rows the file has.

    Raises:
        InvalidInput: it has no footer that can be read.
    """
    return sum(group.rows for group in row_groups(_OnDisk(file)))


class _OnDisk:
    """An open file, read at random."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size_bytes = file.seek(0, 2)

    def read_at(self, offset: int, size: int, /) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)
