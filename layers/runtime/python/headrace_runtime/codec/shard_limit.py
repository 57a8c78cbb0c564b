"""How much of a file one shard holds."""

from dataclasses import dataclass

from headrace_runtime.codec.records import Position


@dataclass(frozen=True, slots=True)
class ShardLimit:
    """What one shard holds, about: whichever is reached first.

    Attributes:
        size_bytes: of the file, uncompressed.
        rows: records; 0 where they do not count.
    """

    size_bytes: int
    rows: int = 0

    def reached(self, start: Position, end: Position) -> bool:
        """Whether there is enough between two places."""
        long = end.offset - start.offset >= self.size_bytes
        return long or 0 < self.rows <= end.row - start.row
