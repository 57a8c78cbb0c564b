"""Parquet becomes tensors: as CSV does, in bounded memory, and whatever a footer says."""

import contextlib
import csv
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace_runtime.codec.compact_thrift import LIST, STRUCT, Elements, Reader, struct_bytes
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.parquet_facts import ParquetFacts, parquet_facts, shard_starts
from headrace_runtime.codec.parquet_rows import open_parquet
from headrace_runtime.codec.records import Position, Records
from headrace_runtime.errors import HeadraceError, InvalidInput, Unavailable
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from tests.conftest import ROOT
from tests.parquet_files import Stored, parquet


def signature(*inputs: tuple[str, Datatype, Sequence[int]]) -> Signature:
    return Signature(tuple(TensorSpec(n, d, tuple(shape)) for n, d, shape in inputs), ())


def one(datatype: Datatype, shape: Sequence[int] = (-1,)) -> Signature:
    return signature(("x", datatype, shape))


def read(file: Stored, takes: Signature, **how) -> tuple[dict[int, list], dict[int, str]]:
    """Return the values of every good row by its number, and why others are bad."""
    good: dict[int, list] = {}
    bad: dict[int, str] = {}
    for records in open_parquet(file, takes, **how)[1]:
        for place, row in enumerate(records.rows.tolist()):
            good[row] = [tensor.array.tolist()[place] for tensor in records.tensors]
        bad |= {one.row: one.error for one in records.bad}
        assert all(one.line == one.row for one in records.bad)
    return good, bad


FOUR = {"b": [3.0, 4.5], "a": [1.0, 2.5]}
ENCODINGS = [
    {"compression": "none"},
    {"compression": "snappy", "use_dictionary": False},
    {"compression": "zstd", "data_page_version": "2.0"},
    {"compression": "gzip", "version": "1.0", "store_schema": False},
    {"compression": "lz4", "column_encoding": "BYTE_STREAM_SPLIT", "use_dictionary": False},
    {"compression": "brotli", "row_group_size": 1, "write_page_checksum": True},
]


@pytest.mark.parametrize("how", ENCODINGS)
def test_columns_go_by_name_or_in_order_whatever_the_encoding(how):
    by_name = signature(("a", Datatype.FP32, (-1, 1)), ("b", Datatype.FP64, (-1,)))

    assert read(parquet(FOUR, **how), by_name) == ({1: [[1.0], 3.0], 2: [[2.5], 4.5]}, {})
    assert read(parquet(FOUR, **how), one(Datatype.FP32, (-1, 2))) == (
        {1: [[3.0, 1.0]], 2: [[4.5, 2.5]]},
        {},
    )


def test_the_index_of_pandas_is_no_column_and_a_column_may_have_dots_in_its_name():
    file = parquet({"sepal.length": [1.0], "sepal": [2.0], "__index_level_0__": ["r"]})

    assert read(file, one(Datatype.FP32, (-1, 2))) == ({1: [[1.0, 2.0]]}, {})
    named = signature(("sepal", Datatype.FP32, (-1,)))
    assert read(file, named, joined=False) == ({1: [2.0]}, {})


X_TEXT = [b"a", "é".encode()]


@pytest.mark.parametrize(
    ("values", "datatype", "expected"),
    [
        (pa.array([1, -2], pa.int8()), Datatype.INT64, [1, -2]),
        (pa.array([1, 200], pa.uint64()), Datatype.UINT8, [1, 200]),
        (pa.array([1, 2], pa.int64()), Datatype.FP32, [1.0, 2.0]),
        (pa.array([0.5, 2], pa.float16()), Datatype.FP64, [0.5, 2.0]),
        (pa.array([0.5, float("inf")]), Datatype.FP32, [0.5, float("inf")]),
        (pa.array([True, False]), Datatype.BOOL, [True, False]),
        (pa.array(["a", "é"]), Datatype.BYTES, X_TEXT),
        (pa.array(["a", "é"], pa.large_string()), Datatype.BYTES, X_TEXT),
        (pa.array(["a", "é"], pa.string_view()), Datatype.BYTES, X_TEXT),
        (pa.array(X_TEXT, pa.binary()), Datatype.BYTES, X_TEXT),
        (pa.array([b"ab", b"cd"], pa.binary(2)), Datatype.BYTES, [b"ab", b"cd"]),
        (pa.array(["a", "é"]).dictionary_encode(), Datatype.BYTES, X_TEXT),
        (pa.array([7, 9]).dictionary_encode(), Datatype.INT32, [7, 9]),
    ],
)
def test_values_that_an_input_holds_become_its_own(values, datatype, expected):
    good, bad = read(parquet({"x": values}), one(datatype))

    assert ([value for (value,) in good.values()], bad) == (expected, {})


@pytest.mark.parametrize(
    ("values", "datatype", "sentence"),
    [
        ([1.0], Datatype.INT64, "input 'x' takes INT64, column 'x' holds double"),
        ([1], Datatype.BOOL, "holds int64"),
        ([True], Datatype.FP32, "holds bool"),
        (["1"], Datatype.FP32, "holds string"),
        ([1], Datatype.BYTES, "holds int64"),
        ([Decimal("1.5")], Datatype.FP32, "write the number that is meant"),
        ([date(2026, 11, 26)], Datatype.INT32, "write the number that is meant"),
        ([{"y": 1.0}], Datatype.FP32, "holds struct<y: double>"),
    ],
)
def test_a_column_of_another_kind_is_refused_and_nothing_is_turned_into_something_else(
    values, datatype, sentence
):
    with pytest.raises(InvalidInput, match=sentence):
        read(parquet({"x": values}), one(datatype))


def test_a_value_that_is_missing_or_out_of_range_costs_its_row():
    columns = {
        "a": pa.array([1, None, 2**40, -(2**40), 5], pa.int64()),
        "b": pa.array([1.0, 2.0, 3.0, None, 1e300]),
        "t": pa.array(["a", "b", "c", "d", None]).dictionary_encode(),
    }
    takes = signature(
        ("a", Datatype.INT32, (-1,)), ("b", Datatype.FP32, (-1, 1)), ("t", Datatype.BYTES, (-1,))
    )

    good, bad = read(parquet(columns), takes)

    assert good == {1: [1, [1.0], b"a"]}
    assert bad == {
        2: "column 'a': the value is missing",
        3: "column 'a': '1099511627776' is out of the range of INT32",
        4: "column 'a': '-1099511627776' is out of the range of INT32",
        5: "column 'b': '1e+300' is out of the range of FP32",
    }


def test_a_column_of_nulls_is_missing_in_every_row():
    assert read(parquet({"x": pa.nulls(2)}), one(Datatype.FP32))[1] == dict.fromkeys(
        (1, 2), "column 'x': the value is missing"
    )


SQUARE = [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.large_list(pa.int16()),
        pa.list_(pa.float64(), 4),
    ],
)
def test_a_column_of_lists_feeds_the_input_of_its_name(kind):
    file = parquet({"id": ["p", "q"], "x": pa.array(SQUARE, kind)})

    good, bad = read(file, one(Datatype.FP32, (-1, 2, 2)))

    assert (good, bad) == ({1: [[[1, 2], [3, 4]]], 2: [[[5, 6], [7, 8]]]}, {})


def test_lists_of_a_fixed_size_may_stand_in_one_another():
    images = pa.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], pa.list_(pa.list_(pa.uint8(), 2), 2))

    good, _ = read(parquet({"x": images}), one(Datatype.UINT8, (-1, 1, 2, 2)))

    assert good == {1: [[[[1, 2], [3, 4]]]], 2: [[[[5, 6], [7, 8]]]]}


def test_a_list_that_does_not_fit_costs_its_row():
    lists = pa.array([[1, 2], [1], None, [1, None], [1, 300], [7, 8]], pa.list_(pa.int32()))

    good, bad = read(parquet({"x": lists}), one(Datatype.UINT8, (-1, 2)))

    assert good == {1: [[1, 2]], 6: [[7, 8]]}
    assert bad == {
        2: "column 'x': the list has 1 values, input 'x' takes records of shape [2]",
        3: "column 'x': the value is missing",
        4: "column 'x': a value of the list is missing",
        5: "column 'x': a value of the list is out of the range of UINT8",
    }


def test_lists_of_any_length_are_records_of_that_length():
    lists = pa.array([["a"], ["b"], ["c", "d"], [], None, ["e"]], pa.list_(pa.string()))

    blocks = list(open_parquet(parquet({"x": lists}), one(Datatype.BYTES, (-1, -1)))[1])

    assert [block.tensors[0].shape for block in blocks if len(block)] == [
        (2, 1),
        (1, 2),
        (1, 0),
        (1, 1),
    ]
    assert [bad.row for block in blocks for bad in block.bad] == [5]


def test_a_length_that_two_dimensions_leave_open_is_refused():
    with pytest.raises(InvalidInput, match="the length of a list cannot tell: send JSON Lines"):
        read(parquet({"x": [[1.0]]}), one(Datatype.FP32, (-1, -1, -1)))


def all_records(file: Stored, *range_: int, **how) -> list[Records]:
    return list(open_parquet(file, one(Datatype.INT64), *range_, **how)[1])


def test_any_range_of_rows_is_read_and_says_from_where_it_can_be_read_again():
    file = parquet({"x": list(range(10))}, row_group_size=4)

    from_five = all_records(file, 5, 9)

    assert [r for block in from_five for r in block.rows.tolist()] == [6, 7, 8, 9]
    assert [v for block in from_five for v in block.tensors[0].array.tolist()] == [5, 6, 7, 8]
    assert [block.origin for block in from_five] == [Position(4, 5, 5), Position(8, 9, 9)]
    assert all_records(file, 10) == []


def test_rows_come_along_without_those_that_cannot_be_read():
    file = parquet({"x": [1, None, 3], "who": ["Ada", "Bo", None]})

    (block,) = all_records(file)
    (bare,) = all_records(file, joined=False)

    assert block.table.to_pydict() == {"x": [1, 3], "who": ["Ada", None]}
    assert block.part(1, 2).table.to_pydict() == {"x": [3], "who": [None]}
    assert bare.table is None


@pytest.mark.parametrize("groups", [0, 1])
def test_a_file_without_rows_has_no_records(groups):
    table = pa.table({"x": pa.array([], pa.int64())})
    out = io.BytesIO()
    with pq.ParquetWriter(out, table.schema) as writer:
        for _ in range(groups):
            writer.write_table(table)
    file = Stored(out.getvalue())

    assert (parquet_facts(file).rows, all_records(file)) == (0, [])


def test_shards_begin_where_row_groups_do():
    file = parquet({"x": list(range(10))}, row_group_size=3)

    facts = parquet_facts(file)
    assert (facts.rows, facts.row_groups, facts.columns) == (10, (3, 3, 3, 1), 1)
    assert facts.plain_bytes == sum(
        pq.ParquetFile(io.BytesIO(file.body)).metadata.row_group(i).total_byte_size
        for i in range(4)
    )
    assert starts(facts.row_groups, 6) == [0, 6]
    assert starts(facts.row_groups, 1) == [0, 3, 6, 9]
    assert starts((1, 1000, 1, 7, 0, 100), 10) == [0, 1, 1001, 1009]
    assert starts((), 10) == [0]


def test_a_row_group_whose_rows_take_long_is_cut_into_parts_of_one_length():
    assert starts((3, 3, 3, 1), 6, within_groups=True) == [0, 6]
    assert starts((10, 25, 1), 10, within_groups=True) == [0, 10, 18, 26]
    assert starts((5,), 1, within_groups=True) == [0, 1, 2, 3, 4]
    assert starts((0, 0), 1, within_groups=True) == [0]


def starts(row_groups: tuple[int, ...], shard_rows: int, *, within_groups: bool = False):
    facts = ParquetFacts(sum(row_groups), row_groups, 0, 1)
    return shard_starts(facts, shard_rows, within_groups=within_groups)


def test_what_lies_together_is_fetched_together():
    draw = np.random.default_rng(7)
    columns = {f"c{i}": draw.standard_normal(5000) for i in range(200)}
    file = parquet(columns, row_group_size=1000)

    rows = sum(len(b) for b in open_parquet(file, one(Datatype.FP64, (-1, 200)))[1])

    assert rows == 5000
    assert sum(size for _, size in file.reads) < 1.1 * file.size_bytes
    assert len(file.reads) <= 8  # of 1,000 column chunks


def test_a_row_group_too_large_to_be_held_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr("headrace_runtime.codec.parquet_rows._MAX_STORED_BYTES", 1 << 20)
    draw = np.random.default_rng(7)
    columns = {f"c{i}": draw.standard_normal(200_000) for i in range(8)}
    file = parquet({**columns, "x": np.arange(200_000)}, use_dictionary=False)

    values = [v for block in all_records(file) for v in block.tensors[0].array.tolist()]

    assert values == list(range(200_000))
    assert max(size for _, size in file.reads) < 1 << 20
    assert len(file.reads) < 70


def test_what_the_storage_says_is_what_is_raised():
    class Gone(Stored):
        def read_at(self, offset: int, size: int, /) -> bytes:
            if self.reads:
                raise Unavailable("S3 does not answer")
            return super().read_at(offset, size)

    file = Gone(parquet({"x": np.arange(50_000)}, use_dictionary=False).body)

    with pytest.raises(Unavailable, match="S3 does not answer"):
        all_records(file)


SOUND = parquet({"x": np.arange(1000)}, use_dictionary=False, compression="none").body


def footer(body: bytes) -> dict:
    return Reader(body[-8 - int.from_bytes(body[-8:-4], "little") : -8]).struct()


def with_footer(body: bytes, fields: dict) -> Stored:
    written = struct_bytes(fields)
    start = len(body) - 8 - int.from_bytes(body[-8:-4], "little")
    return Stored(body[:start] + written + len(written).to_bytes(4, "little") + b"PAR1")


def test_a_footer_that_is_read_and_written_again_is_the_same():
    assert with_footer(SOUND, footer(SOUND)).body == SOUND


def changed(**facts: int) -> Stored:
    """SOUND with other facts of its only column chunk."""
    numbers = {"values": 5, "plain": 6, "stored": 7, "codec": 4, "offset": 9}
    fields = footer(SOUND)
    chunk = fields[4][1].values[0][1][1].values[0][3][1]
    for name, value in facts.items():
        chunk[numbers[name]] = (chunk[numbers[name]][0], value)
    return with_footer(SOUND, fields)


def with_rows(rows: int) -> Stored:
    fields = footer(SOUND)
    group = fields[4][1].values[0]
    group[3] = (group[3][0], rows)
    return with_footer(SOUND, fields | {3: (fields[3][0], rows)})


def deep(levels: int) -> Stored:
    group = {3: (5, 1), 4: (8, b"g"), 5: (5, 1)}
    schema = [{4: (8, b"root"), 5: (5, 1)}, *[group] * levels, {1: (5, 1), 3: (5, 1), 4: (8, b"x")}]
    fields = {1: (5, 2), 2: (LIST, Elements(STRUCT, schema)), 3: (6, 0)}
    return with_footer(SOUND, fields | {4: (LIST, Elements(STRUCT, []))})


def nested_unknown(levels: int) -> Stored:
    written = b"\x1c" * levels + b"\0" * (levels + 1)  # structs in structs, of no meaning
    return Stored(b"PAR1" + written + len(written).to_bytes(4, "little") + b"PAR1")


def one_encrypted_magic() -> Stored:
    return Stored(SOUND[:-4] + b"PARE")


BROKEN = {
    "empty": (Stored(b"PAR1"), "no footer"),
    "cut": (Stored(SOUND[:-100]), "no footer: it was not written or copied to its end"),
    "another end": (Stored(SOUND[:-4] + b"PAR2"), "no footer"),
    "encrypted": (one_encrypted_magic(), "encrypted: write it without encryption"),
    "beheaded": (Stored(SOUND[-300:]), "its footer is longer than the file|damaged|cannot be read"),
    "long": (Stored(SOUND[:-8] + b"\xff\xff\xff\x7fPAR1"), "its footer is longer than the file"),
    "rubbish": (Stored(SOUND[:-300] + b"\x19" * 292 + SOUND[-8:]), "footer .* is damaged"),
    "negative": (changed(stored=-5), "is damaged"),
    "overlapping": (changed(stored=10**9), "says 1,000,000,000 bytes of columns"),
    "bomb": (changed(plain=10**12), "refused as a bomb"),
    "many values": (changed(values=10**11), "refused as a bomb"),
    "elsewhere": (changed(offset=10**9), "cannot be read"),
    "unknown codec": (changed(codec=77), "cannot be read"),
    "fewer rows": (with_rows(5000), "has 1,000 rows, its footer says 5,000|cannot be read"),
    "negative rows": (with_rows(-1), "is damaged"),
    "deep": (deep(100_000), "too deeply nested"),
    "nested": (nested_unknown(100_000), "is damaged"),
    "page": (Stored(SOUND[:4] + b"\xff" * 40 + SOUND[44:]), "cannot be read"),
    "wide": (parquet({f"c{i}": [1] for i in range(4097)}), "has 4,097 columns, at most 4,096"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_hostile_or_damaged_file_ends_in_a_sentence(name):
    file, sentence = BROKEN[name]

    with pytest.raises(InvalidInput, match=sentence):
        all_records(file)


def test_a_page_that_is_not_what_was_written_is_found_by_its_checksum():
    file = parquet({"x": np.arange(1000)}, use_dictionary=False, write_page_checksum=True)
    body = bytearray(file.body)
    body[2000] ^= 1

    with pytest.raises(InvalidInput, match="row group 0 of the Parquet file cannot be read"):
        all_records(Stored(bytes(body)))


def test_a_column_whose_facts_contradict_each_other_does_not_end_the_process():
    """pyarrow terminates where it is asked for the column's metadata."""
    fields = footer(SOUND)
    chunk = fields[4][1].values[0][1][1].values[0][3][1]
    histogram = (LIST, Elements(6, [1, 2, 3, 4]))
    chunk[16] = (STRUCT, {2: histogram, 3: histogram})

    with pytest.raises(InvalidInput, match="histogram"):
        all_records(with_footer(SOUND, fields))
    assert parquet_facts(with_footer(SOUND, fields)).rows == 1000


# 500 bytes that are 100,000 times a text of a megabyte. In a process of its own: what is used up
# to the bound is given back with it.
BOMB = """
import io, resource
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from headrace_runtime.codec.parquet_rows import open_parquet
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from tests.parquet_files import Stored
takes = Signature((TensorSpec("x", Datatype.BYTES, (-1,)),), ())
texts = pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int32), pa.array(["x" * 1_000_000]))
out = io.BytesIO()
pq.write_table(pa.table({"x": texts}), out, store_schema=False, compression="zstd")
assert len(out.getvalue()) < 1000
try:
    next(open_parquet(Stored(out.getvalue()), takes)[1])
except InvalidInput as error:
    print(error.sentence)
print(resource.getrlimit(resource.RLIMIT_DATA) == (resource.RLIM_INFINITY,) * 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nowhere else can memory be bounded")
def test_a_dictionary_that_unfolds_to_gigabytes_is_refused_and_the_process_lives():
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}

    done = subprocess.run(
        [sys.executable, "-c", BOMB],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )

    sentence, limit_is_back, small = done.stdout.splitlines()
    assert sentence.startswith("row group 0 of the Parquet file unfolds to more than can be held")
    assert (limit_is_back, small) == ("True", "True")


@settings(max_examples=300)
@given(st.data())
def test_bytes_that_changed_give_records_or_a_sentence(data):
    body = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 300))
        body[-1 - place] = data.draw(st.integers(0, 255))

    with contextlib.suppress(HeadraceError):
        all_records(Stored(bytes(body)))


NUMBERS = {
    Datatype.FP32: st.one_of(st.floats(width=32), st.sampled_from([1e39, -1e300, 5e-324])),
    Datatype.FP64: st.floats(),
    Datatype.INT8: st.integers(-(2**63), 2**63 - 1) | st.integers(-128, 127),
    Datatype.UINT64: st.integers(-5, 2**63 - 1),
    Datatype.BOOL: st.booleans(),
    Datatype.BYTES: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")),
}


@st.composite
def tables(draw):
    """A column for each of some datatypes; None is a missing value, but for text."""
    kinds = draw(st.lists(st.sampled_from(list(NUMBERS)), min_size=1, max_size=4))
    rows = draw(st.integers(1, 6))
    columns = []
    for kind in kinds:
        value = NUMBERS[kind]
        missing = st.nothing() if kind is Datatype.BYTES else st.none()
        columns.append(draw(st.lists(value | missing, min_size=rows, max_size=rows)))
    return kinds, columns


ARROW = {Datatype.BOOL: pa.bool_(), Datatype.BYTES: pa.string()}


@settings(max_examples=200)
@given(tables())
def test_a_table_gives_the_same_as_parquet_and_as_csv(table):
    kinds, columns = table
    names = [f"c{i}" for i in range(len(kinds))]
    takes = signature(*((n, kind, (-1, 1)) for n, kind in zip(names, kinds, strict=True)))
    arrays = [
        pa.array(c, ARROW.get(k) or (pa.float64() if k.is_float else pa.int64()))
        for k, c in zip(kinds, columns, strict=True)
    ]
    texts = [
        [repr(v) if v is not None and k is not Datatype.BYTES else v or "" for v in c]
        for k, c in zip(kinds, columns, strict=True)
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [names, *zip(*texts, strict=True)]
    )

    from_parquet = list(open_parquet(parquet(pa.table(arrays, names), row_group_size=2), takes)[1])
    from_csv = list(open_csv(lambda at: io.BytesIO(out.getvalue().encode()[at:]), takes)[1])

    for name in ("rows", "values", "bad"):
        assert told(from_parquet, name) == told(from_csv, name)


def told(blocks: list[Records], what: str) -> list:
    if what == "rows":
        return [row for block in blocks for row in block.rows.tolist()]
    if what == "bad":
        return [(bad.row, bad.code, bad.error) for block in blocks for bad in block.bad]
    return [
        [spelt(value) for block in blocks for value in block.tensors[index].array.ravel()]
        for index in range(len(blocks[0].tensors))
    ]


def spelt(value: object) -> object:
    """A value that is equal to its like: -0.0 is not 0.0, but every NaN is one."""
    return value if isinstance(value, bytes) else repr(value)
