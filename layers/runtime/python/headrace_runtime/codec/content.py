"""What a file is: how it is compressed, and what it holds."""

from headrace_runtime.codec.decompression import compression_of, decompressed_head
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.plain_format import HEAD_BYTES, format_of
from headrace_runtime.errors import InvalidInput


def content_of(head: bytes, name: str) -> Content:
    """Return what a file is.

    Args:
        head: its first HEAD_BYTES, or all of it.
        name: its name or key.

    Raises:
        InvalidInput: it is empty, damaged, or of a format that is not read; the sentence says what.
    """
    compression = compression_of(head)
    plain = decompressed_head(head, compression, HEAD_BYTES)
    if compression is not Compression.NONE and compression_of(plain) is not Compression.NONE:
        raise InvalidInput("the file is compressed twice: compress it once, or not at all")
    format_ = format_of(plain, name)
    if format_ is FileFormat.PARQUET and compression is not Compression.NONE:
        raise InvalidInput(
            f"the file is Parquet inside {compression}, and Parquet is read at random: drop the "
            "Parquet file itself, its columns are compressed already"
        )
    return Content(format_, compression)
