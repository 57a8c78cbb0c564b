"""Records become bodies, and what is made of the bodies becomes the same records' answers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.bodies import Regarded, bodies
from headrace_runtime.batch.handed import Handed
from headrace_runtime.batch.output_runs import OutputRuns, OutputsUnfit
from headrace_runtime.codec.records import Records
from headrace_runtime.tensor import Datatype, Tensor


def blocks(lengths: list[int]) -> list[Records]:
    """Return blocks of so many records; the record of row r holds r, and is written `r`."""
    made, row = [], 1
    for length in lengths:
        rows = np.arange(row, row + length)
        values = rows.astype(np.float32).reshape(-1, 1)
        texts = [b"%d" % number for number in rows]
        made.append(Records(rows, rows, (Tensor("x", Datatype.FP32, values),), texts=texts))
        row += length
    return made


def doubled(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (Tensor("y", Datatype.FP32, tensors[0].array * 2),)


def cut(total: int, at: list[int]) -> list[int]:
    """Return the lengths of the blocks in which so many records come, cut at some places."""
    places = sorted({0, total, *(place for place in at if place < total)})
    return [stop - start for start, stop in pairwise(places)]


PLACES = st.lists(st.integers(0, 40), max_size=6)


@given(
    total=st.integers(0, 40),
    first=PLACES,
    second=PLACES,
    rows_at_once=st.integers(1, 9),
    answered=st.integers(0, 40),
)
def test_each_record_gets_its_own_answer_however_its_file_is_read_again(
    total, first, second, rows_at_once, answered
):
    outputs = [doubled(body) for body in bodies(blocks(cut(total, first)), rows_at_once)]
    sizes = tuple(len(some[0].array) for some in outputs)
    handed = Handed(1, sizes, 5, "2026-11-26T09:00:00+00:00")
    done = min(answered, total)  # in parts that were written of the shard since
    runs = OutputRuns(outputs.__getitem__, handed, answered=5 + done, one_by_one=False)

    answers = [
        answer
        for block in blocks(cut(total, second))
        for answer in runs.answers(block.since(done + 1))
    ]

    rows = [int(row) for answer in answers for row in answer.rows]
    values = [float(v) for answer in answers for v in answer.outputs[0].array[:, 0]]
    texts = [text for answer in answers for text in answer.texts or ()]
    assert rows == list(range(done + 1, total + 1))
    assert values == [2.0 * row for row in rows]
    assert texts == [b"%d" % row for row in rows]


@given(total=st.integers(1, 40), at=PLACES, rows_at_once=st.integers(1, 9))
def test_bodies_are_full_but_for_the_last(total, at, rows_at_once):
    lengths = [len(body[0].array) for body in bodies(blocks(cut(total, at)), rows_at_once)]

    assert sum(lengths) == total
    assert set(lengths[:-1]) <= {rows_at_once}


def test_outputs_of_another_number_of_records_are_refused():
    handed = Handed(1, (3,), 0, "2026-11-26T09:00:00+00:00")
    short = (Tensor("y", Datatype.FP32, np.zeros((2, 1), np.float32)),)
    runs = OutputRuns(lambda _: short, handed, answered=0, one_by_one=False)

    with pytest.raises(OutputsUnfit, match=r"output 'y' of body 0 has shape \[2, 1\], and 3"):
        list(runs.answers(blocks([3])[0]))


def test_a_file_of_more_records_than_were_sent_is_refused():
    handed = Handed(1, (2,), 0, "2026-11-26T09:00:00+00:00")
    two = (Tensor("y", Datatype.FP32, np.zeros((2, 1), np.float32)),)
    runs = OutputRuns(lambda _: two, handed, answered=0, one_by_one=False)

    with pytest.raises(OutputsUnfit, match="more records than 2"):
        list(runs.answers(blocks([3])[0]))


def test_a_model_of_one_record_may_give_it_no_dimension():
    handed = Handed(1, (1, 1), 0, "2026-11-26T09:00:00+00:00")
    whole = (Tensor("y", Datatype.FP32, np.float32([1, 2, 3])),)
    runs = OutputRuns(lambda _: whole, handed, answered=0, one_by_one=True)

    answers = list(runs.answers(blocks([2])[0]))

    assert [answer.outputs[0].shape for answer in answers] == [(1, 3), (1, 3)]


def test_records_that_do_not_look_alike_are_in_different_bodies():
    def block(row: int, length: int) -> Records:
        values = np.zeros((2, length), np.float32)
        rows = np.arange(row, row + 2)
        return Records(rows, rows, (Tensor("x", Datatype.FP32, values),))

    made = list(bodies([block(1, 3), block(3, 3), block(5, 7)], 100))

    assert [body[0].shape for body in made] == [(4, 3), (2, 7)]


def test_large_records_make_bodies_of_few(monkeypatch):
    monkeypatch.setattr("headrace_runtime.batch.bodies.MAX_BYTES", 10)

    made = list(bodies(blocks([7]), 100))

    assert [len(body[0].array) for body in made] == [2, 2, 2, 1]


def test_what_passes_by_is_plain_until_something_is_not():
    tensors = (Tensor("x", Datatype.FP32, np.zeros((1, 1), np.float32)),)
    one = np.arange(1, 2)
    passing = Regarded([Records(one, one, tensors), Records(one, one, tensors, texts=[b"a"])])

    seen = [passing.plain for _ in passing]

    assert seen == [True, False]
