"""A byte stream as blocks of whole lines, in the memory of one block whatever the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from headrace_runtime.codec.records import ByteStream

# 1,500 rows of twenty numbers. Smaller ones are read as fast, but then a model of trees gives way
# in the processor's cache to the text between every two runs, and loses a seventh.
BLOCK_BYTES = 256 << 10
MAX_LINE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that no record can be read from, and why."""

    error: str


_TOO_LONG = BadLine(f"the line is longer than {MAX_LINE_BYTES:,} bytes")


def line_blocks(stream: ByteStream) -> Iterator[bytes | BadLine]:
    r"""Yield the lines of *stream*, many at a time, in order.

    A block ends with a newline, the last one perhaps without. A line of more than MAX_LINE_BYTES
    is read past and comes as a `BadLine`. Lines end at `\n` and nowhere else.
    """
    waiting: list[bytes] = []
    length = 0
    while data := stream.read(BLOCK_BYTES):
        cut = data.rfind(b"\n") + 1
        if not cut:
            waiting.append(data)
            length += len(data)
            if length > MAX_LINE_BYTES:
                waiting, length = [_past_line(stream)], 0
                yield _TOO_LONG
            continue
        end = data.find(b"\n") + 1
        if length + end > MAX_LINE_BYTES:
            yield _TOO_LONG
            waiting, whole = [], data[end:cut]
        else:
            whole = data[:cut]
        if whole:
            yield b"".join([*waiting, whole])
        waiting = [data[cut:]] if cut < len(data) else []
        length = len(data) - cut
    if rest := b"".join(waiting):
        yield rest


def _past_line(stream: ByteStream) -> bytes:
    """Read to the end of the line; return what was read of the next one."""
    while data := stream.read(BLOCK_BYTES):
        if cut := data.find(b"\n") + 1:
            return data[cut:]
    return b""
