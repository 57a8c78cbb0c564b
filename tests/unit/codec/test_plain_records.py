"""Records whose values are known to be fine are the same without a look at them."""

import io
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headrace_runtime.codec import line_blocks, npy_array
from headrace_runtime.codec.csv_head import COMMAS, TABS
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.npy_array import open_npy
from headrace_runtime.codec.records import BadRow, PlainFile, Position, Records
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

TWO = Signature((TensorSpec("x", Datatype.FP32, (-1, 2)),), ())
ONE = np.arange(1, 2)


def plain(body: bytes) -> PlainFile:
    return lambda offset: io.BytesIO(body[offset:])


def rows(records: Iterable[Records]) -> list[tuple[int, int, bytes | None]]:
    """Return the number, the line and the text of each record."""
    return [
        (row, line, text)
        for some in records
        for row, line, text in zip(
            some.rows.tolist(), some.lines.tolist(), some.texts or [None] * len(some), strict=True
        )
    ]


CELLS = st.sampled_from(["1", "-2.5", "3e4", "nan", "", "%b", '"5"', "=1", "word", " 6 "])


@given(
    lines=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8),
    head=st.sampled_from([[], ["a", "b"], ['"a"', '"b"']]),
    delimiters=st.sampled_from([COMMAS, TABS]),
    end=st.sampled_from(["\n", "\r\n"]),
    ends=st.booleans(),
    blocks=st.tuples(*[st.sampled_from([5, 16, 1 << 17])] * 2),
)
@example([["1", "2"]] * 5, ['"a"', '"b"'], COMMAS, "\r\n", False, (5, 1 << 17))
def test_plain_lines_are_rows_however_they_are_read_again(
    lines, head, delimiters, end, ends, blocks
):
    text = end.join(delimiters[0].join(cells) for cells in [head or ["7", "8"], *lines])
    file = plain((text + end * ends).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", blocks[0])
        first = list(open_csv(file, TWO, delimiters)[1])
        if not all(records.plain for records in first):
            return
        patch.setattr(line_blocks, "BLOCK_BYTES", blocks[1])

        again = list(open_csv(file, TWO, delimiters, values=False)[1])

    assert rows(again) == rows(first)
    assert sum(len(records) for records in first) == len(lines) + (not head)
    assert not any(records.tensors for records in again)


@pytest.mark.parametrize(
    "line", [b'"1",2', b"word,2", b"1", b"1,2,3", b"1,%b", b"1,", b"", b"1,\r2"]
)
def test_a_line_of_anything_but_numbers_is_not_plain(line):
    records = open_csv(plain(b"a,b\n1,2\n" + line + b"\n"), TWO)[1]

    assert not all(some.plain for some in records)


@pytest.mark.parametrize(("start", "stop"), [(0, None), (0, 3), (3, 7), (3, None), (10, None)])
def test_an_array_has_its_records_by_its_header_alone(start, stop, monkeypatch):
    monkeypatch.setattr(npy_array, "BLOCK_BYTES", 24)
    monkeypatch.setattr(npy_array, "_NUMBERED_AT_ONCE", 3)
    written = io.BytesIO()
    np.save(written, np.zeros((10, 2), np.float32))
    whole = written.getvalue()
    data = len(whole) - 80
    begin = Position(data + 8 * start, start + 1, start + 1) if start else Position(0, 1, 1)
    end = None if stop is None else data + 8 * stop
    first = list(open_npy(plain(whole), TWO, begin, end)[1])

    again = list(open_npy(plain(whole[:data]), TWO, begin, end, values=False)[1])

    assert rows(again) == rows(first)
    assert [some.origin for some in again] == [some.origin for some in first]
    assert all(some.plain for some in first)


def test_a_number_that_is_out_of_range_makes_an_array_less_than_plain():
    written = io.BytesIO()
    np.save(written, np.float64([[1, 2], [3, 1e39]]))

    (records,) = open_npy(plain(written.getvalue()), TWO)[1]

    assert not records.plain


def test_records_with_rows_of_their_own_to_repeat_are_not_plain():
    tensors = (Tensor("x", Datatype.FP32, np.zeros((1, 2), np.float32)),)
    bad = (BadRow(2, 2, "INVALID_INPUT", "it is none"),)

    assert Records(ONE, ONE, tensors).plain
    assert not Records(ONE, ONE, tensors, bad).plain
    assert not Records(ONE, ONE, tensors, texts=[b'{"x": [1, 2]}']).plain
