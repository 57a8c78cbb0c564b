"""Answers become Parquet: the input's own columns and the outputs', parts joined by a footer."""

import io
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace_runtime.batch.parquet_join import JoinedFooter, join_parquet
from headrace_runtime.batch.record_runs import Answers, RecordRuns
from headrace_runtime.batch.results_csv import CsvResults, Table
from headrace_runtime.batch.results_parquet import ParquetResults
from headrace_runtime.codec.parquet_rows import open_parquet
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor
from tests.parquet_files import Stored, parquet

SUM = Signature(
    (TensorSpec("x", Datatype.FP32, (-1, 1)),), (TensorSpec("y", Datatype.FP32, (-1, 2)),)
)
INPUT = {
    "id": pa.array(["é", None, "c"], pa.large_string()),
    "x": pa.array([1.0, 2.0, 3.0]),
    "tags": pa.array([["u"], [], None], pa.list_(pa.string())),
    "at": pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
    "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
    "pair": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int8(), 2)),
}


def tensor(name: str, datatype: Datatype, values: object) -> Tensor:
    array = np.empty(np.shape(values), datatype.dtype)
    array[...] = values
    return Tensor(name, datatype, array)


def answers(rows: list[int], *outputs: tuple[str, Datatype, object], table=None) -> Answers:
    return Answers(np.array(rows), tuple(tensor(*o) for o in outputs), table=table)


def spec(name: str, datatype: Datatype, *shape: int, labels: tuple[str, ...] = ()) -> TensorSpec:
    return TensorSpec(name, datatype, (-1, *shape), labels)


def table_of(body: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(body))


def doubled(feeds: list[Tensor]) -> list[Tensor]:
    x = feeds[0].array
    with np.errstate(over="ignore"):  # a model's overflow is silent, too
        return [Tensor("y", Datatype.FP32, np.concatenate([x, 2 * x], axis=1))]


def results_of(file: Stored, start: int = 0, stop: int | None = None) -> bytes:
    """One part: what a model that gives x and 2x writes for some rows of a file."""
    columns, records = open_parquet(file, SUM, start, stop)
    results, runs = ParquetResults(SUM.outputs, columns), RecordRuns(doubled, SUM, rows_at_once=2)
    written = [results.encode(a) for block in records for a in runs.answers(block)]
    assert results.layout() == ""
    return b"".join([*written, results.end(0)])


def test_results_repeat_the_columns_as_they_came_and_add_the_outputs():
    given = pa.table(INPUT)

    joined = table_of(results_of(parquet(given)))

    assert joined.select(given.column_names).equals(given)
    assert joined.schema.names == [*given.column_names, "y_0", "y_1"]
    assert joined.column("y_1").to_pylist() == [2.0, 4.0, 6.0]
    assert joined.schema.field("y_1").type == pa.float32()


def test_a_record_without_an_answer_is_not_among_them():
    given = parquet({"id": ["a", "b", "c"], "x": pa.array([1.0, None, 3.0])})

    assert table_of(results_of(given)).to_pylist() == [
        {"id": "a", "x": 1.0, "y_0": 1.0, "y_1": 2.0},
        {"id": "c", "x": 3.0, "y_0": 3.0, "y_1": 6.0},
    ]


OUTPUTS = [
    ("score", Datatype.FP64, [0.1, 2.0]),
    ("one", Datatype.INT64, [[1], [2]]),
    ("p", Datatype.FP16, [[0.25, 0.75], [1, 0]]),
    ("grid", Datatype.UINT8, [[[0, 1]], [[2, 3]]]),
    ("yes", Datatype.BOOL, [True, False]),
    ("who", Datatype.BYTES, ["é".encode(), b"\xff"]),
]
SPECS = [
    spec("score", Datatype.FP64),
    spec("one", Datatype.INT64, 1),
    spec("p", Datatype.FP16, 2, labels=("no", "yes")),
    spec("grid", Datatype.UINT8, 1, 2),
    spec("yes", Datatype.BOOL),
    spec("who", Datatype.BYTES),
]


def test_predictions_alone_have_a_number_and_a_column_for_each_element_as_in_csv():
    results, as_csv = ParquetResults(SPECS), CsvResults(SPECS, Table())
    some = answers([3, 7], *OUTPUTS)
    body = results.encode(some) + results.end(8)
    as_csv.encode(some)

    table = table_of(body)

    assert ",".join(table.schema.names) + "\n" == as_csv.layout()
    assert table.to_pylist() == [
        {"row": 3, "score": 0.1, "one": 1, "p_no": 0.25, "p_yes": 0.75}
        | {"grid_0": 0, "grid_1": 1, "yes": True, "who": "é"},
        {"row": 7, "score": 2.0, "one": 2, "p_no": 1.0, "p_yes": 0.0}
        | {"grid_0": 2, "grid_1": 3, "yes": False, "who": "\\xff"},
    ]
    assert [str(kind) for kind in table.schema.types] == [
        *("int64", "double", "int64", "float", "float"),
        *("uint8", "uint8", "bool", "string"),
    ]


def test_an_output_of_a_columns_name_has_another_one():
    columns = pa.schema([("y", pa.int64()), ("y_output", pa.int64())])
    own = pa.RecordBatch.from_pydict({"y": [1], "y_output": [2]}, columns)
    results = ParquetResults([spec("y", Datatype.FP32)], columns)

    body = results.encode(answers([1], ("y", Datatype.FP32, [0.5]), table=own)) + results.end(2)

    assert table_of(body).to_pylist() == [{"y": 1, "y_output": 2, "y_output_output": 0.5}]


def test_a_file_without_answers_has_the_declared_columns():
    body = ParquetResults(SPECS[:3], pa.schema([("x", pa.int8())])).end(5)

    table = table_of(body)

    assert table.num_rows == 0
    assert table.schema.names == ["x", "score", "one", "p_no", "p_yes"]


def test_records_of_other_shapes_are_no_table():
    results = ParquetResults([spec("y", Datatype.FP32, -1)])
    results.encode(answers([1], ("y", Datatype.FP32, [[1, 2]])))

    with pytest.raises(ModelUnfit, match="as many columns in every row, send JSON Lines"):
        results.encode(answers([2], ("y", Datatype.FP32, [[1, 2, 3]])))


def test_row_groups_do_not_depend_on_how_many_records_run_together(monkeypatch):
    monkeypatch.setattr("headrace_runtime.batch.results_parquet._GROUP_ROWS", 1000)
    file = parquet({"x": np.arange(5000.0)})

    groups = pq.ParquetFile(io.BytesIO(results_of(file))).metadata

    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [1000] * 5


def joined(*parts: bytes) -> bytes:
    written: list[bytes] = []
    join_parquet(map(Stored, parts), written.append)
    return b"".join(written)


@settings(max_examples=50)
@given(
    st.lists(st.floats(width=32) | st.none(), max_size=40),
    st.integers(1, 9),
    st.lists(st.integers(0, 45), max_size=3),
)
def test_parts_of_any_ranges_are_one_file_of_all_rows(values, group, cuts):
    ids = pa.array([f"é{i}" for i in range(len(values))], pa.string())
    file = parquet({"id": ids, "x": pa.array(values, pa.float64())}, row_group_size=group)
    whole = table_of(results_of(file))
    ends = sorted({0, *(min(cut, len(values)) for cut in cuts), len(values)})
    ranges = [*pairwise(ends)] or [(0, 0)]

    parts = [results_of(file, start, stop) for start, stop in ranges]

    body = joined(*parts)
    assert body.startswith(b"".join(parts))
    table = table_of(body)
    assert table.schema.equals(whole.schema)
    assert table.column("id").equals(whole.column("id"))
    assert repr(table.column("y_1").to_pylist()) == repr(whole.column("y_1").to_pylist())


@pytest.mark.parametrize("how", [{"write_page_index": True}, {"data_page_version": "2.0"}])
def test_whatever_stands_in_a_footer_is_moved_with_its_part(how):
    tables = [pa.table({"x": np.arange(i, i + 1000), "t": ["é"] * 1000}) for i in (0, 1000)]
    parts = [parquet(table, row_group_size=300, **how).body for table in tables]

    body = joined(*parts)

    assert table_of(body).equals(pa.concat_tables(tables))
    found = pq.read_table(io.BytesIO(body), filters=[("x", ">", 1995)])
    assert found.column("x").to_pylist() == [1996, 1997, 1998, 1999]


def test_parts_with_other_columns_are_not_joined_but_those_without_rows_do_not_count():
    few = ParquetResults([spec("y", Datatype.FP32, -1)])
    many = ParquetResults([spec("y", Datatype.FP32, -1)])
    one = few.encode(answers([1], ("y", Datatype.FP32, [[1, 2]]))) + few.end(2)
    other = many.encode(answers([2], ("y", Datatype.FP32, [[1, 2, 3]]))) + many.end(3)
    nothing = ParquetResults([spec("y", Datatype.FP32, -1)]).end(2)

    assert table_of(joined(nothing, one, nothing)).to_pylist() == [{"row": 1, "y_0": 1, "y_1": 2}]
    assert table_of(joined(nothing, nothing)).schema.names == ["row", "y"]
    with pytest.raises(ModelUnfit, match="other shapes than others"):
        joined(one, other)


def test_of_a_part_only_the_footer_is_read_to_join_it():
    parts = [Stored(parquet({"x": np.arange(100_000.0)}).body) for _ in range(3)]
    footer = JoinedFooter()

    for part in parts:
        footer.add(part)

    assert table_of(b"".join([p.body for p in parts]) + footer.end()).num_rows == 300_000
    assert [len(part.reads) for part in parts] == [1, 1, 1]
