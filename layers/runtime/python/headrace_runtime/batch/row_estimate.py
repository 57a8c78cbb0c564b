"""How many records a file has, told from its beginning and its size: near enough to place its job.

Nobody reads a file through for it. What each shard holds is counted as it is worked.
"""

import io

from headrace_runtime.batch.extent import ARRAYS, Extent, extent, record_bytes
from headrace_runtime.codec.decompression import decompressed_head
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.npy_header import read_header
from headrace_runtime.codec.parquet_footer import row_groups
from headrace_runtime.codec.random_file import RandomFile
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature

# A head of compressed bytes is undone up to so many times its size, and what it became is held to
# be what all of the file becomes: tables of numbers become 2 to 60 times as large.
_MAX_GROWTH = 32
# A longer footer of Parquet is read by who cuts the file: in Python it takes seconds.
_MAX_FOOTER_BYTES = 256 << 10
_LINES = (FileFormat.CSV, FileFormat.TSV, FileFormat.JSON_LINES)


def extent_of(head: bytes, size_bytes: int, content: Content, signature: Signature) -> Extent:
    """Return about how much a file holds.

    Lines are counted by the mean length of those at its beginning, arrays by their header, all
    else by the bytes that the model takes of a record; `parquet_extent` knows better of Parquet.

    Args:
        head: its first bytes as they are stored; some 100 kB and more, or all of it.
        size_bytes: of all of it as it is stored, at least 1.
        content: what it is.
        signature: of the model that answers it.
    """
    plain, whole_bytes = head, size_bytes
    if content.compression is not Compression.NONE:
        plain = decompressed_head(head, content.compression, _MAX_GROWTH * len(head))
        whole_bytes = max(1, size_bytes * len(plain) // len(head))
    told = _rows(plain, whole_bytes, content.format)
    rows = max(1, told or whole_bytes // record_bytes(signature))
    tensors = whole_bytes if content.format in ARRAYS else rows * record_bytes(signature)
    exact = content.format is FileFormat.NPY and told > 0
    return Extent(rows, whole_bytes, content.format, tensors, exact)


def parquet_extent(file: RandomFile, signature: Signature) -> Extent:
    """Return how much a Parquet file holds, by its footer, or else as `extent_of` would.

    Raises:
        What reading *file* raises.
    """
    length = int.from_bytes(file.read_at(max(0, file.size_bytes - 8), 8)[:4], "little")
    try:
        groups = row_groups(file) if length <= _MAX_FOOTER_BYTES else ()
    except InvalidInput:
        groups = ()  # who cuts the file will say what is wrong with it
    rows = sum(group.rows for group in groups)
    if not rows:
        return extent_of(b"", file.size_bytes, Content(FileFormat.PARQUET), signature)
    plain_bytes = max(1, sum(group.plain_bytes for group in groups))
    return extent(rows, plain_bytes, FileFormat.PARQUET, signature)


def _rows(plain: bytes, whole_bytes: int, file_format: FileFormat) -> int:
    """Return the records of a file; 0 where its beginning does not tell."""
    if file_format is FileFormat.NPY:
        return _npy_rows(plain)
    if file_format in _LINES and b"\n" in plain:
        return whole_bytes * plain.count(b"\n") // (plain.rindex(b"\n") + 1)
    return 0


def _npy_rows(plain: bytes) -> int:
    try:
        shape = read_header(io.BytesIO(plain)).shape
    except InvalidInput:
        return 0  # who cuts the file will say what is wrong with it
    return shape[0] if shape else 0
