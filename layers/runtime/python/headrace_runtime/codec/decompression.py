"""gzip and zstd, undone block by block, in bounded memory and up to a bounded size."""

import sys
import zlib
from typing import Protocol

from headrace_runtime.codec.file_format import Compression
from headrace_runtime.codec.records import ByteStream
from headrace_runtime.errors import InvalidInput

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A bomb is told by what it becomes. Zeros shrink 1,030 times under gzip, tables of numbers 2 to 60
# times; small files may shrink as they like.
MAX_RATIO = 300
RATIO_COUNTS_FROM_BYTES = 256 << 20
MAX_BYTES = 1 << 40
# What zstd itself takes without being asked; a larger window is memory that a stranger chooses.
_MAX_WINDOW_LOG = 27
_READ_BYTES = 64 << 10


_MAGIC = {Compression.GZIP: b"\x1f\x8b", Compression.ZSTD: b"\x28\xb5\x2f\xfd"}


class _Decoder(Protocol):
    """One member of gzip, or one frame of zstd."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, data: bytes, size: int) -> bytes: ...

    @property
    def hungry(self) -> bool: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return not self._inner.unconsumed_tail and not self._full

    def feed(self, data: bytes, size: int) -> bytes:
        plain = self._inner.decompress(self._inner.unconsumed_tail + data, size)
        self._full = len(plain) == size  # there may be more, though no input is left
        return plain


class _Zstd:
    def __init__(self) -> None:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _MAX_WINDOW_LOG}
        self._inner = zstd.ZstdDecompressor(options=options)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return self._inner.needs_input

    def feed(self, data: bytes, size: int) -> bytes:
        return self._inner.decompress(data, size)


_DECODERS: dict[Compression, type[_Gzip] | type[_Zstd]] = {
    Compression.GZIP: _Gzip,
    Compression.ZSTD: _Zstd,
}


class Decompressed:
    """The plain bytes of a compressed stream; of all its members, one after the other."""

    def __init__(self, stream: ByteStream, compression: Compression) -> None:
        self._stream = stream
        self._compression = compression
        self._decoder: _Decoder = _DECODERS[compression]()
        self._waiting = b""
        self._taken = self._given = 0

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes, b"" at the end.

        Raises:
            InvalidInput: the data is damaged, cut short, or a bomb.
        """
        while True:
            if self._decoder.eof and not self._next_member():
                return b""
            data = self._waiting or (self._more() if self._decoder.hungry else b"")
            self._waiting = b""
            try:
                plain = self._decoder.feed(data, size)
            except (zlib.error, zstd.ZstdError) as error:
                raise InvalidInput(
                    f"the file's {self._compression} data is damaged after {self._given:,} bytes "
                    f"of content: {error}"
                ) from None
            if plain:
                self._given += len(plain)
                self._check_size()
                return plain

    def _more(self) -> bytes:
        data = self._stream.read(_READ_BYTES)
        if not data:
            raise InvalidInput(
                f"the file's {self._compression} data is cut short after {self._given:,} bytes of "
                "content: it was not copied whole"
            )
        self._taken += len(data)
        return data

    def _next_member(self) -> bool:
        rest = self._decoder.unused_data
        while not rest.strip(b"\0"):  # zeros after the end are padding
            rest = self._stream.read(_READ_BYTES)
            if not rest:
                return False
            self._taken += len(rest)
        magic = _MAGIC[self._compression]
        rest += b"" if len(rest) >= len(magic) else self._stream.read(_READ_BYTES)
        if not rest.startswith(magic):
            raise InvalidInput(
                f"after {self._given:,} bytes of content the file goes on with what is no "
                f"{self._compression} data"
            )
        self._decoder = _DECODERS[self._compression]()
        self._waiting = rest
        return True

    def _check_size(self) -> None:
        bomb = self._given > MAX_RATIO * self._taken and self._given > RATIO_COUNTS_FROM_BYTES
        if bomb or self._given > MAX_BYTES:
            raise InvalidInput(
                f"the file's {self._compression} data is refused as a bomb: {self._taken:,} bytes "
                f"became {self._given:,} and more"
            )


def compression_of(head: bytes) -> Compression:
    """Return how a file is compressed, by its first bytes."""
    magics = _MAGIC.items()
    return next((kind for kind, magic in magics if head.startswith(magic)), Compression.NONE)


def most_plain_bytes(stored_bytes: int) -> int:
    """Return how many bytes are undone, at most, of a file of so many that is no bomb."""
    return min(MAX_BYTES, max(RATIO_COUNTS_FROM_BYTES, MAX_RATIO * stored_bytes))


def decompressed(stream: ByteStream, compression: Compression) -> ByteStream:
    """Return the plain bytes of *stream*."""
    return stream if compression is Compression.NONE else Decompressed(stream, compression)


class _Head:
    def __init__(self, head: bytes) -> None:
        self._rest = head

    def read(self, size: int, /) -> bytes:
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def decompressed_head(head: bytes, compression: Compression, size: int) -> bytes:
    """Return at most *size* plain bytes of a file of which *head* is the beginning.

    Raises:
        InvalidInput: *head* is damaged, or gives not a single byte.
    """
    if compression is Compression.NONE:
        return head[:size]
    stream, plain = Decompressed(_Head(head), compression), b""
    while len(plain) < size:
        try:
            data = stream.read(size - len(plain))
        except InvalidInput:
            if not plain:
                raise
            break  # the head ends in the midst of a block
        if not data:
            break
        plain += data
    return plain
