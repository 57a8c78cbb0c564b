"""Where a dropped file is cut into shards, by what it is."""

from collections.abc import Callable, Iterator
from functools import partial

from headrace_runtime.batch.plan import SMALL_COMPRESSED_BYTES, shard_size
from headrace_runtime.codec import line_blocks
from headrace_runtime.codec.csv_head import COMMAS, TABS
from headrace_runtime.codec.csv_rows import layout_and_blocks
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.codec.npy_array import npy_boundaries, open_npy
from headrace_runtime.codec.plain_file import plain_file
from headrace_runtime.codec.records import START, PlainFile, Position
from headrace_runtime.codec.text_cuts import (
    Boundaries,
    csv_boundaries,
    line_boundaries,
    shard_ends,
)
from headrace_runtime.model.signature import Signature

# So a shard is a quarter longer than it is to be, at most, or some rows.
_BLOCKS_A_SHARD, _LEAST_BLOCK_BYTES = 4, 4 << 10

Ends = Iterator[tuple[Position, bool]]  # where a shard ends, and whether the file does, too
GoOn = Callable[[], bool]


def ends(
    stored: PlainFile,
    content: Content,
    signature: Signature,
    *,
    size_bytes: int,
    start: Position,
    shard_bytes: int,
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
        shard_bytes: plain bytes of a shard, about.
        go_on: asked now and then; where it says no, nothing more comes.

    Raises:
        InvalidInput, UnfitInput, TooLarge: the file as a whole is damaged, or unfit for the model.
    """
    plain = content.compression is Compression.NONE
    cutter = _CUTTERS.get(content.format)
    if cutter is None or size_bytes <= (shard_bytes if plain else SMALL_COMPRESSED_BYTES):
        return iter([(START, True)])
    file = plain_file(stored, content.compression)
    size = shard_size(size_bytes, shard_bytes)
    return cutter(file, signature, start, size, go_on)


def _csv(
    file: PlainFile,
    signature: Signature,
    start: Position,
    shard_bytes: int,
    go_on: GoOn,
    *,
    delimiters: tuple[str, ...] = COMMAS,
) -> Ends:
    layout, blocks = layout_and_blocks(file, signature, delimiters, start, _block(shard_bytes))
    return shard_ends(csv_boundaries(blocks, layout, start), start, shard_bytes, go_on)


def _json_lines(
    file: PlainFile, _: Signature, start: Position, shard_bytes: int, go_on: GoOn
) -> Ends:
    blocks = LineBlocks(file(start.offset), start.offset, _block(shard_bytes))
    return shard_ends(line_boundaries(blocks, start), start, shard_bytes, go_on)


def _npy(file: PlainFile, signature: Signature, start: Position, shard_bytes: int, _: GoOn) -> Ends:
    header, _records = open_npy(file, signature)
    places: Boundaries = npy_boundaries(header, shard_bytes)
    later = [place for place in places if place.row >= start.row][1:] or [start]
    return iter([(place, place == later[-1]) for place in later])


def _block(shard_bytes: int) -> int | None:
    """Return the bytes of the blocks behind which shards may end; None where the usual ones do."""
    fine = max(_LEAST_BLOCK_BYTES, shard_bytes // _BLOCKS_A_SHARD)
    return fine if fine < line_blocks.BLOCK_BYTES else None


_CUTTERS: dict[FileFormat, Callable[[PlainFile, Signature, Position, int, GoOn], Ends]] = {
    FileFormat.CSV: _csv,
    FileFormat.TSV: partial(_csv, delimiters=TABS),
    FileFormat.JSON_LINES: _json_lines,
    FileFormat.NPY: _npy,
}
