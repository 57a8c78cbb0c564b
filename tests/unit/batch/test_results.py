"""Answers become CSV and JSON Lines that read back as the same numbers."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.file_formats import Results
from headrace_runtime.batch.parts import layout_bytes
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.batch.results_csv import CsvResults, Table
from headrace_runtime.batch.results_json import JsonResults
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Datatype, Tensor, datatype_of


def answers(*outputs: tuple[str, object], first: int = 1) -> Answers:
    tensors = [tensor(name, np.asarray(value)) for name, value in outputs]
    return Answers(np.arange(first, first + len(tensors[0].array)), tuple(tensors))


def tensor(name: str, array: np.ndarray) -> Tensor:
    datatype = datatype_of(array)
    assert datatype is not None
    return Tensor(name, datatype, array)


def written(results: Results, *given: Answers) -> bytes:
    """Return a file of one part."""
    lines = b"".join(map(results.encode, given)) + results.end(len(given) + 1)
    return layout_bytes(results.layout()) + lines


def texts(*values: str) -> np.ndarray:
    array = np.empty(len(values), np.object_)
    array[:] = [value.encode() for value in values]
    return array


def spec(name: str, shape: tuple[int, ...] = (-1,), labels: tuple[str, ...] = ()) -> TensorSpec:
    return TensorSpec(name, Datatype.FP32, shape, labels)


def test_a_csv_has_a_column_for_each_element():
    given = answers(
        ("score", np.array([0.1, 2], np.float32)),
        ("one", np.array([[1], [2]], np.int64)),
        ("p", np.array([[0.25, 0.75], [1, 0]], np.float64)),
        ("grid", np.zeros((2, 1, 2), np.uint8)),
        ("yes", np.array([True, False])),
    )
    specs = [spec("score"), spec("one"), spec("p", labels=("no", "yes")), spec("grid"), spec("yes")]

    assert written(CsvResults(specs, Table()), given) == (
        b"row,score,one,p_no,p_yes,grid_0,grid_1,yes\n"
        b"1,0.1,1,0.25,0.75,0,0,true\n"
        b"2,2.0,2,1.0,0.0,0,0,false\n"
    )


def test_the_header_comes_once_even_where_nothing_else_does():
    empty, some = CsvResults([spec("p", (-1, 2))], Table()), CsvResults([spec("y")], Table())
    one = answers(("y", np.array([1], np.int32)))

    assert written(empty) == b"row,p_0,p_1\n"
    assert written(some, one, one) == b"row,y\n1,1\n1,1\n"


def test_numbers_that_are_not_finite_have_names():
    y = np.array([np.nan, np.inf, -np.inf, 1.5], np.float32)

    assert CsvResults([spec("y")], Table()).encode(answers(("y", y))).splitlines() == [
        b"1,nan",
        b"2,inf",
        b"3,-inf",
        b"4,1.5",
    ]
    assert JsonResults().encode(answers(("y", y.reshape(2, 2)))).splitlines() == [
        b'{"row":1,"y":[NaN,Infinity]}',
        b'{"row":2,"y":[-Infinity,1.5]}',
    ]


def test_text_that_a_spreadsheet_would_run_is_made_harmless():
    labels = texts("=1+1", "@SUM(A1)", "-cmd", "-1.5", "+1", 'a "b", c', "\tx", "two\nlines", "é")

    text = written(CsvResults([spec("label")], Table()), answers(("label", labels))).decode()

    assert [row[1] for row in csv.reader(io.StringIO(text, newline=""), strict=True)] == [
        "label",
        "'=1+1",
        "'@SUM(A1)",
        "'-cmd",
        "-1.5",
        "+1",
        'a "b", c',
        "'\tx",
        "two\nlines",
        "é",
    ]


def test_records_of_another_width_are_refused_in_a_csv():
    results = CsvResults([spec("y")], Table())
    results.encode(answers(("y", np.zeros((1, 2), np.float32))))

    with pytest.raises(ModelUnfit, match="record 7 has outputs of shape"):
        results.encode(answers(("y", np.zeros((1, 3), np.float32)), first=7))


def test_json_lines_keep_the_shape_of_every_output():
    given = answers(
        ("100%", np.array([[1], [2]], np.int8)),
        ("grid", np.arange(8, dtype=np.float32).reshape(2, 2, 2)),
        ("label", texts("=a", "b\u2028")),
        ("on", np.array([True, False])),
    )

    lines = JsonResults().encode(given).decode().split("\n")

    assert [json.loads(line) for line in lines[:-1]] == [
        {"row": 1, "100%": [1], "grid": [[0.0, 1.0], [2.0, 3.0]], "label": "=a", "on": True},
        {"row": 2, "100%": [2], "grid": [[4.0, 5.0], [6.0, 7.0]], "label": "b\u2028", "on": False},
    ]


FLOATS = st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), min_size=1, max_size=5)


@given(FLOATS, st.sampled_from([np.float16, np.float32, np.float64]))
def test_floats_read_back_as_they_were(rows, dtype):
    with np.errstate(over="ignore"):
        array = np.array(rows, np.float64).astype(dtype)
    given = answers(("y", array))

    table = CsvResults([spec("y")], Table()).encode(given).decode().splitlines()
    lines = JsonResults().encode(given).decode().splitlines()

    for back in (
        [[float(cell) for cell in line.split(",")[1:]] for line in table],
        [json.loads(line)["y"] for line in lines],
    ):
        assert np.array_equal(np.array(back).astype(dtype), array, equal_nan=True)
