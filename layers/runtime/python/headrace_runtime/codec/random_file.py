"""Files that are read at random."""

from typing import Protocol


class RandomFile(Protocol):
    """What is read at random."""

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        ...

    def read_at(self, offset: int, size: int, /) -> bytes:
        """Return the *size* bytes that begin at *offset*; all of them are in the file."""
        ...
