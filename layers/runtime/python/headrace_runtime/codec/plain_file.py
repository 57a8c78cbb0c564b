"""A file's plain bytes, from any offset on and up to any."""

from headrace_runtime.codec.decompression import decompressed
from headrace_runtime.codec.file_format import Compression
from headrace_runtime.codec.records import ByteStream, PlainFile


def plain_file(stored: PlainFile, compression: Compression) -> PlainFile:
    """Return what opens the plain bytes of a file.

    A compressed file is undone from its beginning each time, as far as the offset: what is passed
    over costs a third of a second a 100 MB.

    Args:
        stored: opens the bytes that are stored.
        compression: theirs.
    """
    if compression is Compression.NONE:
        return stored

    def opened(offset: int) -> ByteStream:
        stream = decompressed(stored(0), compression)
        while offset:
            passed = len(stream.read(min(offset, 1 << 20)))
            if not passed:
                break
            offset -= passed
        return stream

    return opened


def ending_at(file: PlainFile, stop: int | None) -> PlainFile:
    """Return what opens the file as if it ended at *stop*; None is its own end."""
    if stop is None:
        return file

    def opened(offset: int) -> ByteStream:
        return _Ending(file(offset), max(0, stop - offset))

    return opened


class _Ending:
    def __init__(self, stream: ByteStream, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        return data
