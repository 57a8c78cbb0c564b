"""JSON Lines become tensors, one record a line, with nothing coerced."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace_runtime.codec import json_lines, line_blocks
from headrace_runtime.codec.json_lines import read_json_lines
from headrace_runtime.codec.json_lists import list_rows
from headrace_runtime.codec.line_blocks import LineBlocks
from headrace_runtime.codec.records import BadRow
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype


def signature(*inputs: tuple[str, Datatype, Sequence[int]]) -> Signature:
    return Signature(tuple(TensorSpec(n, d, tuple(shape)) for n, d, shape in inputs), ())


TRIPLES = signature(("x", Datatype.FP32, (-1, 3)))
PERSON = signature(("age", Datatype.INT64, (-1, 1)), ("name", Datatype.BYTES, (-1,)))


def read(body: bytes, takes: Signature) -> tuple[dict[int, list], list[BadRow]]:
    """Return the values of every good row by its number, and the bad rows."""
    good: dict[int, list] = {}
    bad: list[BadRow] = []
    for records in read_json_lines(LineBlocks(io.BytesIO(body)), takes):
        for position, row in enumerate(records.rows.tolist()):
            good[row] = [tensor.array.tolist()[position] for tensor in records.tensors]
        bad += records.bad
    return good, bad


@pytest.mark.parametrize(
    "body",
    [
        b"[1,2,3]\n[4,5,6]\n",
        b'{"x":[1,2,3]}\n{"x":[4,5,6]}',
        b'\xef\xbb\xbf[1,2,3]\r\n\r\n{"x":[4,5,6],"id":"seven"}\r\n',
    ],
)
def test_these_are_the_same_two_records(body):
    assert read(body, TRIPLES) == ({1: [[1.0, 2.0, 3.0]], 2: [[4.0, 5.0, 6.0]]}, [])


def test_objects_name_the_inputs_and_a_value_alone_needs_no_list():
    body = '{"name":"Ada\u2028","age":36}\n{"age":[7],"name":""}\n'.encode()

    assert read(body, PERSON)[0] == {1: [[36], "Ada\u2028".encode()], 2: [[7], b""]}


def test_scalars_are_records_of_a_model_with_one_input():
    takes = signature(("x", Datatype.BOOL, (-1,)))

    assert read(b"true\nfalse\n1\n", takes) == (
        {1: [True], 2: [False]},
        [BadRow(3, 3, "INVALID_INPUT", "tensor 'x': element 0 cannot be BOOL: got the number 1")],
    )


def test_images_may_be_nested_or_flat():
    takes = signature(("x", Datatype.UINT8, (-1, 2, 2)))

    good, bad = read(b"[[0,1],[2,3]]\n[9,8,7,6]\n", takes)

    assert good == {1: [[[0, 1], [2, 3]]], 2: [[[9, 8], [7, 6]]]}
    assert bad == []


def test_records_of_other_lengths_come_in_other_batches():
    takes = signature(("x", Datatype.INT64, (-1, -1)))

    batches = [
        (r.rows.tolist(), r.tensors[0].shape)
        for r in read_json_lines(LineBlocks(io.BytesIO(b"[1,2]\n[3,4]\n[5]\n[]\n[6]\n")), takes)
    ]

    assert batches == [([1, 2], (2, 2)), ([3], (1, 1)), ([4], (1, 0)), ([5], (1, 1))]


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        (b"[1,2", "INVALID_INPUT", "the line is not JSON: "),
        (b"[1,2,3] [4,5,6]", "INVALID_INPUT", "the line is not JSON: "),
        (b"[" * 5000, "INVALID_INPUT", "the line is not JSON: "),
        (b"\xff", "INVALID_INPUT", "the line is not JSON: "),
        (b"null", "INVALID_INPUT", "tensor 'x': data must be a list, got null"),
        (b"7", "INVALID_INPUT", "tensor 'x': data must be a list, got the number 7"),
        (b"[1,2]", "INVALID_INPUT", "shape [3] has 3 elements, got 2"),
        (b'[1,2,"3"]', "INVALID_INPUT", "element 2 cannot be FP32: got text"),
        (b"[1,2,true]", "INVALID_INPUT", "element 2 cannot be FP32: got true"),
        (b"[1,2,null]", "INVALID_INPUT", "element 2 cannot be FP32: got null"),
        (b"[1,2,1e39]", "INVALID_INPUT", "element 2 cannot be FP32: got the number 1e+39"),
        (b'{"y":[1,2,3]}', "MISSING_INPUT", "input 'x' is missing: the model takes 'x'"),
    ],
)
def test_a_line_that_is_no_record_costs_itself_only(line, code, reason):
    good, bad = read(b"[1,2,3]\n" + line + b"\n[4,5,6]\n", TRIPLES)

    assert list(good) == [1, 3]
    assert [(b.row, b.line, b.code) for b in bad] == [(2, 2, code)]
    assert reason in bad[0].error


def test_a_model_of_several_inputs_takes_objects_only():
    assert read(b"[1]\n", PERSON)[1] == [
        BadRow(
            1,
            1,
            "INVALID_INPUT",
            "the model has 2 inputs: the line must be an object with the members 'age', 'name'",
        )
    ]


def test_a_line_longer_than_the_bound_is_a_bad_row(monkeypatch):
    monkeypatch.setattr(line_blocks, "MAX_LINE_BYTES", 1 << 20)

    good, bad = read(b"[1,2,3]\n[" + b" " * (3 << 20) + b"]\n[4,5,6]\n", TRIPLES)

    assert list(good) == [1, 3]
    assert [(b.row, b.line) for b in bad] == [(2, 2)]


LINES = st.sampled_from(
    [
        *(
            b"[1,2,3]",
            b'{"x":[1,2,3]}',
            b"[NaN,1,2]",
            b"[1,2]",
            b"",
            b"[1,2,3],[4,5,6]",
            b"[[1,2,3]]",
            b"1[2,3,4]",
            b"[1,2,3]4",
            b"[1 ,-2e3,\t3] ",
            b'{ "x" : [1,2,3]}',
            b'{"x":[1,2,3]',
            b"[1,2,3]}",
            b'{"x":[1,2,3],"x":[3]}',
        ),
        *(b'["1",2,3]', b"[1e39,0,0]", b"{}", b"[", b"[-0,-0.0,1e-400]", b'{"x":1,"x":[1,2,3]}'),
    ]
)


@settings(max_examples=100)
@given(st.lists(LINES, max_size=10), st.sampled_from([8, 16, 1 << 17]))
def test_many_at_once_and_one_by_one_agree(lines, block):
    body = b"\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block)
        quickest = read(body, TRIPLES)
        patch.setattr(json_lines, "list_rows", lambda *_: None)
        quick = read(body, TRIPLES)
        patch.setattr(json_lines, "_at_once", lambda *_: None)
        right = read(body, TRIPLES)

    assert repr(quickest) == repr(quick) == repr(right)


def test_every_line_is_counted_once():
    lines = [b"[1,2,3]", b"[", b"", b'{"x":[1,2,3]}'] * 50

    good, bad = read(b"\n".join(lines), TRIPLES)

    assert (len(good), len(bad)) == (100, 50)
    assert sorted([*good, *(b.row for b in bad)]) == np.arange(1, 151).tolist()


@pytest.mark.parametrize(
    ("block", "rows"),
    [
        (b"[1,2,3]\n[4,5,6]\n", 2),
        (b'{"x": [1,2,3]}\n{"x": [4,5,6]}\n', 2),
        (b"[1,2,3]\r\n[4,5,6]", 2),
        (b"1,2,3]\n[4,5,6]\n", None),
        (b"[1,2]\n[3,4,5,6]\n", None),  # as many numbers as two rows of three have
        (b"[1,2,8e307]\n", None),  # the mark itself
        (b"[1,2,3,8e307,4,5,6]\n", None),
        (b"[[1,2,3]]\n", None),
        (b"[1,2,\n3]\n", None),
        (b"[1,2,3]\n\n[4,5,6]\n", None),
        (b'{"x": [1,2,3]}\n{"x":[4,5,6]}\n', None),
        (b'{"x": [1,2,3], "y": [1]}\n', None),
        (b'{"x": [1,2,3]}\n[4,5,6]\n', None),
        (b"[1,2,true]\n", None),
        (b"\n", None),
    ],
)
def test_only_lists_of_as_many_numbers_as_the_input_takes_are_read_at_once(block, rows):
    read = list_rows(block, TRIPLES)

    assert (None if read is None else len(read[1])) == rows
