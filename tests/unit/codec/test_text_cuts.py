"""Cut anywhere it may be cut, a file gives the same records as a whole."""

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace_runtime.codec import line_blocks
from headrace_runtime.codec.csv_head import COMMAS
from headrace_runtime.codec.csv_rows import layout_and_blocks, open_csv
from headrace_runtime.codec.json_lines import read_json_lines
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.codec.npy_array import npy_ends, open_npy
from headrace_runtime.codec.npy_header import read_header
from headrace_runtime.codec.plain_file import ending_at
from headrace_runtime.codec.records import START, PlainFile, Position, Records
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.codec.text_cuts import csv_boundaries, line_boundaries, shard_ends
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype

PAIRS = Signature((TensorSpec("x", Datatype.FP32, (-1, 2)),), ())
SINGLE = Signature((TensorSpec("x", Datatype.FP32, (-1, 1)),), ())

ROWS = st.sampled_from(
    [
        "1,2\n",
        "3.5,-4\r\n",
        "\n",
        "\r\n",
        '"5",6\n',
        '"a\nb",7\n',
        '8,"9\n',
        "x,y\n",
        "1\n",
        "é,2\n",
        '"1\n2\n',
        '1,""\n',
        "\x85,1\n",
        '"""",3\n',
        "1,2",
    ]
)


def plain(body: bytes) -> PlainFile:
    return lambda offset: io.BytesIO(body[offset:])


def seen(blocks: list[Records]) -> tuple[list, list, list, list]:
    """Return numbers, lines and values of the good records, and all that is said of bad ones."""
    good = [row for block in blocks for row in block.rows.tolist()]
    lines = [line for block in blocks for line in block.lines.tolist()]
    values = [v for block in blocks for v in block.tensors[0].array.tolist()]
    return good, lines, values, [bad for block in blocks for bad in block.bad]


def read_in_shards(
    ends: list[Position], read: Callable[[Position, int | None], list[Records]]
) -> list[Records]:
    places = [START, *ends]
    return [
        block
        for begin, end in pairwise(places)
        for block in read(begin, None if end is ends[-1] else end.offset)
    ]


LIMITS = st.builds(ShardLimit, st.integers(1, 40), st.integers(0, 5))


@settings(max_examples=400)
@given(
    st.lists(ROWS, max_size=30),
    LIMITS,
    st.integers(4, 64),
    st.none() | st.integers(1, 64),
    st.booleans(),
)
def test_a_csv_in_shards_gives_what_it_gives_as_a_whole(rows, limit, block_bytes, fine, pairs):
    body = ("a,b\n" if pairs else "a\n").encode() + "".join(rows).encode()
    takes = PAIRS if pairs else SINGLE

    def read(start: Position, stop: int | None) -> list[Records]:
        return list(open_csv(ending_at(plain(body), stop), takes, COMMAS, start)[1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block_bytes)
        layout, blocks = layout_and_blocks(plain(body), takes, COMMAS, START, fine)
        boundaries = csv_boundaries(blocks, layout, START)
        ends = [end for end, _ in shard_ends(boundaries, START, limit, lambda: True)]
        whole, shards = read(START, None), read_in_shards(ends, read)

    assert seen(shards) == seen(whole)
    assert ends[-1].offset == len(body)


LINES = st.sampled_from(["[1,2]\n", "\n", "\r\n", '{"x":[1,2]}\n', "[1]\n", "nonsense\n", "[3,4]"])


@given(st.lists(LINES, max_size=30), LIMITS, st.integers(4, 64))
def test_json_lines_in_shards_give_what_they_give_as_a_whole(lines, limit, block_bytes):
    body = "".join(lines).encode()

    def read(start: Position, stop: int | None) -> list[Records]:
        stream = ending_at(plain(body), stop)(start.offset)
        return list(read_json_lines(LineBlocks(stream, start.offset), PAIRS, start))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block_bytes)
        boundaries = line_boundaries(LineBlocks(io.BytesIO(body)), START)
        ends = [end for end, _ in shard_ends(boundaries, START, limit, lambda: True)]
        whole, shards = read(START, None), read_in_shards(ends, read)

    assert seen(shards) == seen(whole)


@pytest.mark.parametrize(
    ("limit", "shards"),
    [
        (ShardLimit(1), 20),
        (ShardLimit(24), 7),
        (ShardLimit(100), 2),
        (ShardLimit(10_000), 1),
        (ShardLimit(10_000, rows=6), 4),
        (ShardLimit(24, rows=6), 7),
        (ShardLimit(10_000, rows=20), 1),
    ],
)
def test_an_array_in_shards_gives_what_it_gives_as_a_whole(limit, shards):
    written = io.BytesIO()
    np.save(written, np.arange(40, dtype=np.float32).reshape(20, 2))
    body = written.getvalue()
    header = read_header(io.BytesIO(body))

    def read(start: Position, stop: int | None) -> list[Records]:
        return list(open_npy(plain(body), PAIRS, start, stop)[1])

    ends = [end for end, _ in npy_ends(header, START, limit, lambda: True)]
    begun = next(npy_ends(header, START, limit, lambda: False))[0]

    assert seen(read_in_shards(ends, read)) == seen(read(START, None))
    assert len(ends) == shards
    again = [] if begun == ends[-1] else npy_ends(header, begun, limit, lambda: True)
    assert [begun, *(end for end, _ in again)] == ends


def test_records_can_be_read_again_from_their_origin():
    body = b"a,b\n" + b'1,2\n"3",4\n5,x\n' * 50

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", 32)
        whole = list(open_csv(plain(body), PAIRS)[1])
        late = whole[20]
        again = next(open_csv(plain(body), PAIRS, COMMAS, late.origin)[1])

    assert again.rows[0] == late.rows[0]
    assert again.tensors[0].array[0].tolist() == late.tensors[0].array[0].tolist()


def test_what_is_passed_is_passed_again_when_a_cutting_is_broken_off():
    body = b"a,b\n" + b"1,2\n" * 30
    asked = iter([True] * 6 + [False])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", 16)
        layout, blocks = layout_and_blocks(plain(body), PAIRS, COMMAS, START)
        boundaries = csv_boundaries(blocks, layout, START)
        first = list(shard_ends(boundaries, START, ShardLimit(40), lambda: next(asked)))
        begin = first[-1][0]
        _, blocks = layout_and_blocks(plain(body), PAIRS, COMMAS, begin)
        rest = list(
            shard_ends(csv_boundaries(blocks, layout, begin), begin, ShardLimit(40), lambda: True)
        )

    assert [complete for _, complete in first] == [False, False]
    assert rest[-1] == (Position(124, 31, 32), True)
