"""Where a file is cut where its records count."""

import io

from headrace_runtime.batch.cuts import ends
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.records import START
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype

PAIRS = Signature((TensorSpec("x", Datatype.FP32, (FREE, 2)),), ())
BODY = b"a,b\n" + b"1,2\n" * 20_000


class Watched(io.BytesIO):
    """Bytes that note the largest read of them."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, size or 0)
        return super().read(size)


def cut(size_bytes: int, rows: int) -> tuple[list[int], int]:
    """Return the rows of each shard, and how much was read at a time, at most."""
    streams = []

    def opened(offset: int) -> Watched:
        streams.append(Watched(BODY[offset:]))
        return streams[-1]

    found = ends(
        opened,
        Content(FileFormat.CSV),
        PAIRS,
        size_bytes=size_bytes,
        start=START,
        limit=ShardLimit(64 << 20, rows),
        go_on=lambda: True,
    )
    last, counts = 1, []
    for end, _ in found:
        counts.append(end.row - last)
        last = end.row
    return counts, max(stream.largest for stream in streams)


def test_shards_have_the_records_that_they_are_to_have_and_a_quarter_more_at_most():
    counts, _ = cut(len(BODY), rows=1000)

    assert sum(counts) == 20_000
    assert all(1000 <= count <= 1250 for count in counts[:-1])


def test_however_large_a_file_no_more_of_it_is_read_at_a_time():
    assert cut(10**12, rows=1000)[1] == 256 << 10
