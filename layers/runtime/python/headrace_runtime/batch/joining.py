"""How parts become one object: most are copied within S3, what is too small goes through memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Of a multipart upload, by S3's rules: every piece but the last has at least 5 MiB; at most 5 GiB
# are copied at once, which is a gigabyte here, so that copies run alongside each other.
MIN_PIECE_BYTES = 5 << 20
MAX_COPY_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a part.

    Attributes:
        part: which one, from 0.
        start, stop: the first byte, and the first that is not among them.
    """

    part: int
    start: int
    stop: int

    @property
    def size_bytes(self) -> int:
        """How many they are."""
        return self.stop - self.start


Piece = tuple[Span, ...]  # one span is copied if it is large enough; several go through memory


def pieces(sizes: Sequence[int]) -> Iterator[Piece]:
    """Yield the pieces of a multipart upload that make one object of parts of these sizes.

    Every piece but the last has MIN_PIECE_BYTES or more, and one of several spans little more.
    """
    small: list[Span] = []
    for part, size in enumerate(sizes):
        start = 0
        if small:
            missing = MIN_PIECE_BYTES - sum(span.size_bytes for span in small)
            start = missing if size - missing >= MIN_PIECE_BYTES else size
            small += _spans(part, 0, start)
        if sum(span.size_bytes for span in small) >= MIN_PIECE_BYTES:
            yield tuple(small)
            small = []
        while size - start >= MIN_PIECE_BYTES:
            stop = (
                size if size - start < MAX_COPY_BYTES + MIN_PIECE_BYTES else start + MAX_COPY_BYTES
            )
            yield (Span(part, start, stop),)
            start = stop
        small += _spans(part, start, size)
    if small:
        yield tuple(small)


def _spans(part: int, start: int, stop: int) -> list[Span]:
    return [Span(part, start, stop)] if stop > start else []
