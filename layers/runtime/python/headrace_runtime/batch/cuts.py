"""Where a dropped file is cut into shards, by what it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from headrace_runtime.batch.plan import SMALL_COMPRESSED_BYTES, shard_size
from headrace_runtime.codec.csv_head import COMMAS, TABS
from headrace_runtime.codec.csv_rows import layout_and_blocks
from headrace_runtime.codec.decompression import most_plain_bytes
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.line_blocks import BLOCK_BYTES, LineBlocks
from headrace_runtime.codec.npy_array import npy_ends, open_npy
from headrace_runtime.codec.plain_file import plain_file
from headrace_runtime.codec.records import START, PlainFile, Position
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.codec.text_cuts import (
    csv_boundaries,
    line_boundaries,
    shard_ends,
)
from headrace_runtime.model.signature import Signature

# Where records count, shards end behind blocks of this size: a thousand shards have four each.
_MOST_BLOCKS, _LEAST_BLOCK_BYTES = 4000, 64

Ends = Iterator[tuple[Position, bool]]  # where a shard ends, and whether the file does, too
GoOn = Callable[[], bool]


def ends(
    stored: PlainFile,
    content: Content,
    signature: Signature,
    *,
    size_bytes: int,
    start: Position,
    limit: ShardLimit,
    go_on: GoOn,
) -> Ends:
    """Yield the end of each shard of a file from *start* on.

    A file that is small, or whose format is one piece, is one shard, and is not looked into.

    Args:
        stored: opens the file as it is stored.
        content: what it is.
        signature: of the model that answers it.
        size_bytes: of the file as it is stored.
        start: where the first shard begins, a boundary itself.
        limit: what a shard holds.
        go_on: asked now and then; where it says no, nothing more comes.

    Raises:
        InvalidInput, UnfitInput, TooLarge: the file as a whole is damaged, or unfit for the model.
    """
    plain = content.compression is Compression.NONE
    cutter = _CUTTERS.get(content.format)
    small = size_bytes <= (limit.size_bytes if plain else SMALL_COMPRESSED_BYTES)
    if cutter is None or (small and not limit.rows):
        return iter([(START, True)])
    file = plain_file(stored, content.compression)
    cut = _Cut(
        signature,
        start,
        ShardLimit(shard_size(size_bytes, limit.size_bytes), limit.rows),
        block_bytes=_fine(size_bytes) if limit.rows else None,
        most_bytes=size_bytes if plain else most_plain_bytes(size_bytes),
    )
    return cutter(file, cut, go_on)


@dataclass(frozen=True, slots=True)
class _Cut:
    """How a file is cut.

    Attributes:
        signature: of the model that answers it.
        start: where the first shard begins.
        limit: what each holds.
        block_bytes: of the blocks of lines behind which one may end; None for the usual ones.
        most_bytes: of the file, uncompressed: of a compressed one as many as are undone of it.
    """

    signature: Signature
    start: Position
    limit: ShardLimit
    block_bytes: int | None
    most_bytes: int


def _fine(size_bytes: int) -> int:
    return min(BLOCK_BYTES, max(_LEAST_BLOCK_BYTES, size_bytes // _MOST_BLOCKS))


def _csv(file: PlainFile, cut: _Cut, go_on: GoOn, *, delimiters: tuple[str, ...] = COMMAS) -> Ends:
    start = cut.start
    layout, blocks = layout_and_blocks(file, cut.signature, delimiters, start, cut.block_bytes)
    return shard_ends(csv_boundaries(blocks, layout, start), start, cut.limit, go_on)


def _json_lines(file: PlainFile, cut: _Cut, go_on: GoOn) -> Ends:
    start = cut.start
    blocks = LineBlocks(file(start.offset), start.offset, cut.block_bytes)
    return shard_ends(line_boundaries(blocks, start), start, cut.limit, go_on)


def _npy(file: PlainFile, cut: _Cut, go_on: GoOn) -> Ends:
    header, _records = open_npy(file, cut.signature)
    header.check_is_in(cut.most_bytes)
    return npy_ends(header, cut.start, cut.limit, go_on)


_CUTTERS: dict[FileFormat, Callable[[PlainFile, _Cut, GoOn], Ends]] = {
    FileFormat.CSV: _csv,
    FileFormat.TSV: partial(_csv, delimiters=TABS),
    FileFormat.JSON_LINES: _json_lines,
    FileFormat.NPY: _npy,
}
