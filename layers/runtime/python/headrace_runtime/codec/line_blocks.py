"""A byte stream as blocks of whole lines, in the memory of one block whatever the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from headrace_runtime.codec.records import ByteStream

# 1,500 rows of twenty numbers. Smaller ones are read as fast, but then a model of trees gives way
# in the processor's cache to the text between every two runs, and loses a seventh.
BLOCK_BYTES = 256 << 10
MAX_LINE_BYTES = 8 << 20
_EMPTY = (b"", b"\r")
_TOO_LONG = f"the line is longer than {MAX_LINE_BYTES:,} bytes"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that no record can be read from, and why.

    Attributes:
        size_bytes: of a line that was read past.
    """

    error: str
    size_bytes: int = 0


class LineBlocks:
    r"""The lines of a stream, many at a time, in order.

    A block ends with a newline, the last one perhaps without. A line of more than MAX_LINE_BYTES
    is read past and comes as a `BadLine`. Lines end at `\n` and nowhere else.

    Args:
        block_bytes: of a block, about; BLOCK_BYTES where nobody says otherwise.

    Attributes:
        offset: the file's bytes before the next block.
    """

    def __init__(self, stream: ByteStream, offset: int = 0, block_bytes: int | None = None) -> None:
        self.offset = offset
        self._blocks = _blocks(stream, block_bytes or BLOCK_BYTES)
        self._next: bytes | BadLine | None = None

    def __iter__(self) -> Iterator[bytes | BadLine]:
        return self

    def __next__(self) -> bytes | BadLine:
        block, self._next = self._next, None
        if block is None:
            block = next(self._blocks)
        self.offset += block.size_bytes if isinstance(block, BadLine) else len(block)
        return block

    def first(self) -> bytes | BadLine:
        """Return the next block, b"" at the end; it stays the next."""
        if self._next is None:
            self._next = next(self._blocks, None)
        return b"" if self._next is None else self._next


def filled_and_all(block: bytes | BadLine) -> tuple[int, int]:
    """Return the lines of a block that are not empty, and all of them."""
    if isinstance(block, BadLine):
        return 1, 1
    whole = block if block.endswith(b"\n") else block + b"\n"
    lines = whole.count(b"\n")
    if b"\n\n" in whole or b"\n\r\n" in whole or whole.startswith((b"\n", b"\r\n")):
        return sum(line not in _EMPTY for line in whole[:-1].split(b"\n")), lines
    return lines, lines


def _blocks(stream: ByteStream, block_bytes: int) -> Iterator[bytes | BadLine]:
    waiting: list[bytes] = []
    length = 0
    while data := stream.read(block_bytes):
        end = data.find(b"\n") + 1
        if length + (end or len(data)) > MAX_LINE_BYTES:
            passed, data = (end, data[end:]) if end else _past_line(stream, len(data))
            yield BadLine(_TOO_LONG, length + passed)
            waiting, length = [], 0
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join([*waiting, memoryview(data)[:cut]])
            waiting, length = [], 0
        if cut < len(data):
            waiting.append(data[cut:])
            length += len(data) - cut
    if waiting:
        yield b"".join(waiting)


def _past_line(stream: ByteStream, passed: int) -> tuple[int, bytes]:
    """Read to the end of the line; return the bytes passed, and what was read of the next one."""
    while data := stream.read(BLOCK_BYTES):
        if cut := data.find(b"\n") + 1:
            return passed + cut, data[cut:]
        passed += len(data)
    return passed, b""
