"""CSV becomes tensors: the quick way and the right way agree, and nothing is coerced."""

import io
import tracemalloc
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace_runtime.codec import csv_cells, csv_numbers, csv_rows, csv_text, line_blocks
from headrace_runtime.codec.csv_head import COMMAS, TABS
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.codec.records import BadRow, PlainFile, Position
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype


def signature(*inputs: tuple[str, Datatype, Sequence[int]]) -> Signature:
    return Signature(tuple(TensorSpec(n, d, tuple(shape)) for n, d, shape in inputs), ())


def matrix(columns: int, datatype: Datatype = Datatype.FP32) -> Signature:
    return signature(("x", datatype, (-1, columns)))


def column(datatype: Datatype) -> Signature:
    return signature(("x", datatype, (-1,)))


def plain(body: bytes) -> PlainFile:
    return lambda offset: io.BytesIO(body[offset:])


def read(
    body: bytes, takes: Signature, texts: dict[int, bytes] | None = None
) -> tuple[dict[int, list], list[BadRow]]:
    """Return the values of every good row by its number, and the bad rows; note the rows' texts."""
    good: dict[int, list] = {}
    bad: list[BadRow] = []
    for records in open_csv(plain(body), takes)[1]:
        assert list(records.rows) == sorted(records.rows)
        for position, row in enumerate(records.rows.tolist()):
            good[row] = [tensor.array.tolist()[position] for tensor in records.tensors]
        bad += records.bad
        assert records.texts is not None
        if texts is not None:
            texts |= dict(zip(records.rows.tolist(), records.texts, strict=True))
    return good, bad


def reasons(body: bytes, takes: Signature) -> dict[tuple[int, int], str]:
    return {(b.row, b.line): b.error for b in read(body, takes)[1]}


TWO_BY_NAME = signature(("a", Datatype.FP32, (-1, 1)), ("b", Datatype.FP32, (-1, 1)))


@pytest.mark.parametrize(
    "body",
    [
        b"a,b\n1,2\n3,4\n",
        b"a,b\n1,2\n3,4",
        b"a,b\r\n1,2\r\n3,4\r\n",
        b"\xef\xbb\xbfa,b\n1,2\n3,4\n",
        b'"a","b"\n"1","2"\n3,4\n',
        b"\n\na,b\n\n1,2\n\r\n3,4\n\n",
        b"a,b\n 1 ,2\n3,\t4\n",
        b"a,b\n1.0,2e0\n+3,04\n",
    ],
)
def test_these_are_the_same_two_records(body):
    assert read(body, matrix(2)) == ({1: [[1.0, 2.0]], 2: [[3.0, 4.0]]}, [])


def test_columns_go_by_name_in_any_order_and_others_are_ignored():
    takes = signature(("age", Datatype.INT64, (-1, 1)), ("name", Datatype.BYTES, (-1,)))

    good, bad = read(b'id,name,age\n7,"Ada, ""A""",36\nx,,1\n', takes)

    assert good == {1: [[36], b'Ada, "A"'], 2: [[1], b""]}
    assert bad == []


def test_columns_without_the_inputs_names_go_in_order():
    takes = signature(("left", Datatype.FP32, (-1, 2)), ("right", Datatype.INT32, (-1, 1)))

    assert read(b"a,b,c\n1.5,2,3\n", takes)[0] == {1: [[1.5, 2.0], [3]]}


@pytest.mark.parametrize(
    ("body", "delimiters"),
    [(b"a;b\n1;2\n3;4\n", COMMAS), (b"a\tb\n1\t2\n 3\t4\n", TABS), (b"1,2\n3,4\n", COMMAS)],
)
def test_semicolons_tabs_and_no_header_are_the_same_two_records(body, delimiters):
    _, records = open_csv(plain(body), matrix(2), delimiters)

    assert np.concatenate([r.tensors[0].array for r in records]).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("width", "delimiter"), [(3, ","), (2, ";")])
def test_the_delimiter_is_the_one_that_fits_the_model(width, delimiter):
    layout, _ = open_csv(plain(b"a,b;c,d\n"), matrix(width))

    assert layout.delimiter == delimiter


def test_a_row_is_told_from_a_header_by_its_numbers():
    headless, _ = open_csv(plain(b"1.5,2\n"), matrix(2))
    counted, _ = open_csv(plain(b"0,1\n7,8\n"), matrix(2))

    assert (headless.header, headless.names) == (None, ("1", "2"))
    assert counted.header == b"0,1"


def test_rows_from_the_middle_of_a_file_are_read_with_the_layout_of_its_head():
    layout, _ = open_csv(plain(b"b,a\n1,2\n"), TWO_BY_NAME)

    start = Position(40, row=8, line=10)
    middle = next(csv_rows.read_csv(LineBlocks(io.BytesIO(b"3,4\n"), 40), layout, start))

    assert [t.array.tolist() for t in middle.tensors] == [[[4.0]], [[3.0]]]
    assert (middle.rows.tolist(), middle.lines.tolist()) == ([8], [10])


def test_rows_keep_their_own_text_but_for_what_a_spreadsheet_would_run():
    takes = signature(("name", Datatype.BYTES, (-1, 1)), ("n", Datatype.FP32, (-1, 1)))
    texts: dict[int, bytes] = {}

    read(b'n,name\r\n 1.50,"a ""b"""\r\n-2,=A1\r\n+3,"x\r\ny"\r\n4,"@SUM(1,2)"\r\n', takes, texts)

    assert texts == {
        1: b' 1.50,"a ""b"""',
        2: b"-2,'=A1",
        3: b'+3,"x\r\ny"',
        4: b'4,"\'@SUM(1,2)"',
    }


def test_quotes_that_stay_open_line_after_line_are_given_up_in_bounded_time(monkeypatch):
    monkeypatch.setattr(csv_text, "MAX_BYTES_IN_VAIN", 1 << 20)

    with pytest.raises(InvalidInput, match="opened and not closed again and again"):
        read(b"a,b\n" + b'x",""",\n' * 20_000, matrix(2))


def test_one_open_input_takes_all_columns():
    assert read(b"a,b,c\n1,2,3\n", matrix(-1))[0] == {1: [[1.0, 2.0, 3.0]]}


def test_pixels_take_the_shape_of_a_record():
    takes = signature(("image", Datatype.UINT8, (-1, 2, 2)))

    assert read(b"0,1,2,3\n9,8,7,6\n", takes)[0] == {1: [[[9, 8], [7, 6]]]}


@pytest.mark.parametrize(
    ("body", "takes", "sentence"),
    [
        (b"", matrix(2), "the file has no header: the first row must name the columns"),
        (b"a,b,c\n", matrix(2), "the file has 3 columns, the model takes 2 values a record"),
        (b"x,x\n1,2\n", column(Datatype.FP32), "the header names column 'x' 2 times"),
        (b"a,b\n", signature(("x", Datatype.FP32, (-1, -1, 2))), "send JSON Lines"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(body, takes, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        read(body, takes)


@pytest.mark.parametrize(
    ("datatype", "cell", "reason"),
    [
        (Datatype.FP32, "abc", "'abc' is not a number"),
        (Datatype.FP32, "1_000", "'1_000' is not a number"),
        (Datatype.FP32, "true", "'true' is not a number"),
        (Datatype.FP32, "0x10", "'0x10' is not a number"),
        (Datatype.FP32, "\u0661", "'\u0661' is not a number"),
        (Datatype.FP32, "1\0", r"'1\x00' is not a number"),
        (Datatype.FP32, "1e39", "'1e39' is out of the range of FP32"),
        (Datatype.FP64, "1e999", "'1e999' is out of the range of FP64"),
        (Datatype.FP16, "70000", "'70000' is out of the range of FP16"),
        (Datatype.FP32, " ", "the value is missing"),
        (Datatype.INT64, "1.7", "'1.7' is not a whole number"),
        (Datatype.INT64, "1.0", "'1.0' is not a whole number"),
        (Datatype.INT64, "1e3", "'1e3' is not a whole number"),
        (Datatype.INT64, "9223372036854775808", "is out of the range of INT64"),
        (Datatype.UINT8, "256", "'256' is out of the range of UINT8"),
        (Datatype.UINT8, "-1", "'-1' is out of the range of UINT8"),
        (Datatype.BOOL, "2", "'2' is neither true nor false"),
        (Datatype.BOOL, "yes", "'yes' is neither true nor false"),
    ],
)
def test_a_cell_that_is_no_such_value_costs_its_row_only(datatype, cell, reason):
    good, bad = read(f"x\n1\n{cell}\n0\n".encode(), column(datatype))

    assert list(good) == [1, 3]
    assert [(b.row, b.line) for b in bad] == [(2, 3)]
    assert reason in bad[0].error
    assert bad[0].error.startswith("column 'x': ")


@pytest.mark.parametrize(
    ("datatype", "cell", "value"),
    [
        (Datatype.FP32, "-inf", -np.inf),
        (Datatype.FP32, "Infinity", np.inf),
        (Datatype.FP64, "0.1", 0.1),
        (Datatype.FP32, "0.1", float(np.float32(0.1))),
        (Datatype.UINT64, "18446744073709551615", 2**64 - 1),
        (Datatype.INT8, "-128", -128),
        (Datatype.BOOL, "TRUE", True),
        (Datatype.BOOL, "0", False),
        (Datatype.BYTES, "naïve", "naïve".encode()),
        (Datatype.BYTES, "1_000", b"1_000"),
    ],
)
def test_a_cell_is_read_as_the_datatype_has_it(datatype, cell, value):
    assert read(f"x\n{cell}\n".encode(), column(datatype)) == ({1: [value]}, [])


def test_a_missing_value_in_a_file_of_one_column_is_a_bad_row():
    assert reasons(b"x\n1\n\n3\n", column(Datatype.FP32)) == {
        (2, 3): "column 'x': the value is missing"
    }


def test_malformed_rows_cost_themselves_only():
    body = b'a,b\n1,2,3\n"quoted\nnewline",2\n"closed"wrong,2\n\xff,2\n1\r2,2\n5,6\n"open,2\n7,8\n'

    assert reasons(body, matrix(2)) == {
        (1, 2): "the row has 3 cells, the file has 2 columns",
        (2, 3): "column 'a': 'quoted\\nnewline' is not a number",
        (3, 5): "the row is not CSV: ',' expected after '\"'",
        (4, 6): "the line is not UTF-8 text",
        (5, 7): "a carriage return stands inside the row: lines end with LF or CRLF",
        (7, 9): "a quote that opens a cell is not closed",
    }
    assert read(body, matrix(2))[0] == {6: [[5.0, 6.0]], 8: [[7.0, 8.0]]}


def test_a_line_longer_than_the_bound_is_a_bad_row(monkeypatch):
    monkeypatch.setattr(line_blocks, "MAX_LINE_BYTES", 1 << 20)
    body = b"a,b\n1,2\n" + b"9" * (3 << 20) + b"\n3,4\n"

    good, bad = read(body, matrix(2))

    assert good == {1: [[1.0, 2.0]], 3: [[3.0, 4.0]]}
    assert [(b.row, b.line) for b in bad] == [(2, 3)]


CELLS = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.floats(width=32).map(repr),
    st.floats().map(repr),
    st.sampled_from(["", " ", "1_0", "x", "nan", "-0", "-0.0", "1e39", "1.", ".5", "007", "+1"]),
    st.sampled_from(['"1"', '"', '"1', '1"', '"1\n2"', "\r", "\0", "1 2", " 7\t", "true", "[1]"]),
)


@example(["1,1e39"], "\n", (Datatype.FP32,) * 2, 64)
@example(["1,65520", "1,65519"], "\n", (Datatype.FP16,) * 2, 64)
@example(["1,9223372036854775808", "-9223372036854775808,0"], "\n", (Datatype.INT64,) * 2, 64)
@example(["-0,-0.0", "1,2.0"], "\n", (Datatype.FP32, Datatype.INT64), 64)
@settings(max_examples=150)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2).map(",".join) | CELLS, max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    kinds=st.tuples(*[st.sampled_from([Datatype.FP32, Datatype.FP16, Datatype.INT64])] * 2),
    block=st.sampled_from([7, 64, 1 << 17]),
)
def test_the_quick_ways_and_the_right_way_agree(rows, end, kinds, block):
    takes = signature(*((name, kind, (-1, 1)) for name, kind in zip("ab", kinds, strict=True)))
    body = end.join(["a,b", *rows]).encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block)
        texts: list[dict[int, bytes]] = [{}, {}, {}, {}]
        quick = read(body, takes, texts[0])
        patch.setattr(csv_numbers, "marked_rows", lambda *_: None)
        as_json = read(body, takes, texts[1])
        patch.setattr(csv_rows, "number_tensors", lambda *_: None)
        by_column = read(body, takes, texts[2])
        patch.setattr(csv_cells, "_numbers", lambda *_: None)
        right = read(body, takes, texts[3])

    assert repr(quick) == repr(as_json) == repr(by_column) == repr(right)
    assert texts[0] == texts[1] == texts[2] == texts[3]


@given(
    st.lists(
        st.lists(
            st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3
        ),
        min_size=1,
    )
)
def test_numbers_come_through_as_they_were_written(rows):
    array = np.array(rows, np.float32)
    body = "a,b,c\n" + "".join(",".join(map(str, row)) + "\n" for row in array)

    good, bad = read(body.encode(), matrix(3))

    assert bad == []
    assert np.array_equal(np.array([row[0] for row in good.values()], np.float32), array)


class Endless:
    """A file of many rows that is never whole in memory."""

    def __init__(self, rows: int, line: bytes) -> None:
        self._lines = self._parts(rows, line)

    @staticmethod
    def _parts(rows: int, line: bytes) -> Iterator[bytes]:
        yield b"a,b,c,d\n"
        for _ in range(rows // 1000):
            yield line * 1000

    def read(self, size: int, /) -> bytes:
        return next(self._lines, b"")


@pytest.mark.parametrize("line", [b"1.25,2.5,3.75,4\n", b'"1.25",2.5,x,4\n'])
def test_memory_is_a_block_whatever_the_file(line):
    tracemalloc.start()
    count = sum(
        records.count for records in open_csv(lambda _: Endless(40_000, line), matrix(4))[1]
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 40_000
    assert peak < 24 << 20


@pytest.mark.parametrize(
    ("block", "width", "rows"),
    [
        (b"1,2\n3,4\n", 2, 2),
        (b"1\n2,3,4\n", 2, None),  # as many cells as two rows of two have
        (b"1,8e307\n3,4\n", 2, None),  # the mark itself is a cell
        (b"1,8e307,2\n", 1, None),
        (b"8e307\n", 1, None),
        (b"[1,2]\n3,4\n", 2, None),
        (b"1,2\n\n3,4\n", 2, None),
        (b"\n", 1, None),
        (b"1,true\n", 2, None),
        (b"1\r,2\n", 2, None),
        (b"1,1e39\n", 2, None),  # no FP32
    ],
)
def test_only_rows_of_as_many_numbers_as_columns_are_read_at_once(block, width, rows):
    layout, _ = open_csv(plain(b",".join([b"c"] * width) + b"\n"), matrix(width))

    read = csv_numbers.number_tensors(block, layout)

    assert (None if read is None else len(read[1])) == rows
