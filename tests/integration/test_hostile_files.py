"""Files and names made to do harm: a sentence or a bad row, and never a stuck queue."""

import gzip
import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from headrace_runtime.batch.cuts import ends
from headrace_runtime.batch.file_formats import Wanted, opened
from headrace_runtime.batch.shard import Range
from headrace_runtime.codec.decompression import zstd
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.records import START
from headrace_runtime.codec.shard_limit import ShardLimit
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

GOOD = b"1,2,3,4\n"
HEADER = b"a,b,c,d\n"
ANSWER = b"1,2,3,4,20.0,11.0,2.0"


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context)


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz_bomb() -> bytes:
    """Return an archive of some 600 kB that holds 600 MB of records."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        header = {"descr": "<f4", "fortran_order": False, "shape": (150_000_000 // 4, 4)}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(600):
            file.write(bytes(1_000_000))
    return out.getvalue()


def packed(pack: Any, head: bytes, megabytes: int) -> bytes:
    """Return *head* and so many megabytes of one letter, compressed."""
    return head + pack.compress(b"9" * (1 << 20)) * megabytes


# --- keys ---------------------------------------------------------------------------------------

KEYS = [
    "linear/a b+c%20d&e=f.csv",
    "linear/é😀/ü ñ.csv",
    "linear/100%.csv",
    "linear/%2520%2F..%2F.csv",
    "linear/+.csv",
    "linear/new\nline\r.csv",
    "linear/\u202efdp.csv",
    "linear/=SUM(1;2)'\"<b>.csv",
    "linear/" + "é" * 506 + "x.csv",
    "inbox/linear//./../rows.csv",
]


@pytest.mark.fault("F4")
@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_a_key_of_any_characters_has_its_results_at_its_own_key(door: FileDoor, key: str) -> None:
    files = door.answer(key, HEADER + GOOD)

    manifest = json.loads(files["manifest.json"])
    assert manifest["state"] == "succeeded"
    assert manifest["input"]["key"] == key
    assert sorted([*manifest["files"], manifest["results"]["prefix"] + "manifest.json"]) == sorted(
        door.objects()
    )
    assert all(len(name.encode()) <= 1024 for name in door.objects())
    if len(key.encode()) < 900:
        prefix = f"{key.removeprefix('inbox/')}/{door.jobs()[0]['job_id']}/"
        assert manifest["results"]["prefix"] == prefix
    assert files["results.csv"].splitlines()[1] == ANSWER


@pytest.mark.fault("F4")
def test_keys_that_are_one_once_decoded_are_several_files(door: FileDoor) -> None:
    names = ["a b", "a+b", "a%20b", "a%2520b", "a%2Bb"]
    for number, name in enumerate(names):
        door.take_in(door.drop(f"linear/{name}.csv", HEADER + b"0,0,0,%d\n" % number))
    door.work_all()

    results = {
        key.split("/")[1]: body.splitlines()[1]
        for key, body in door.objects().items()
        if key.endswith("results.csv")
    }
    assert {name: body.split(b",")[3] for name, body in results.items()} == {
        f"{name}.csv": b"%d" % number for number, name in enumerate(names)
    }


# --- files that are hostile as a whole ----------------------------------------------------------

WHOLE: dict[str, Callable[[], tuple[bytes, str]]] = {
    "bomb.csv.gz": lambda: (
        packed(gzip, gzip.compress(HEADER), 400),
        "gzip data is refused as a bomb: ",
    ),
    "bomb.csv.zst": lambda: (
        packed(zstd, zstd.compress(HEADER), 400),
        "zstd data is refused as a bomb: ",
    ),
    "bomb.jsonl.gz": lambda: (
        packed(gzip, gzip.compress(b"[1,2,3,4]\n["), 400),
        "gzip data is refused as a bomb: ",
    ),
    "bomb.npy.gz": lambda: (
        gzip.compress(npy(np.zeros((1, 4), np.float32)).replace(b"(1, 4)", b"(9**9,4)")),
        "the NPY header cannot be read",
    ),
    "bomb.npz": lambda: (npz_bomb(), "the arrays of an NPZ file may have at most"),
    "twice.csv.gz": lambda: (gzip.compress(gzip.compress(HEADER)), "is compressed twice"),
    "object.npz": lambda: (
        _saved_npz(x=np.array([{}, 1], object)),
        "never unpickled",
    ),
    "magic.npy": lambda: (b"\x93NUMPZ\x01\x00" + bytes(100), "neither text nor a format"),
    "magic.csv": lambda: (b"\x7fELF\x02\x01\x01" + bytes(200), "the file is a program"),
    "pickle.csv": lambda: (b"\x80\x04\x95\x10\0\0\0\0\0\0\0", "a pickle, which is never read"),
    "utf16.csv": lambda: ((HEADER + GOOD).decode().encode("utf-16"), "UTF-16"),
    "quote first.csv": lambda: (b'"' + HEADER + GOOD * 9000, "header row cannot be read"),
    "one line.csv": lambda: (
        b"1," * (5 << 20),
        "the header row cannot be read: the line is longer",
    ),
    "columns.csv": lambda: (b"x," * 100_000 + b"x\n" + b"1," * 100_000 + b"1\n", "100001 columns"),
    "long names.csv": lambda: (
        b"n" * (1 << 20) + b",b,c,d\n" + GOOD,
        "the header of the results, the input's own columns among them, may have at most 262,144",
    ),
    "names.csv": lambda: (b"n" * (1 << 20) + b",b\n1,2\n", "has 2 columns, the model takes 4"),
}


def _saved_npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


@pytest.mark.fault("F8")
@pytest.mark.parametrize("name", WHOLE)
def test_a_hostile_file_ends_in_a_short_sentence_and_its_job_fails(
    door: FileDoor, name: str
) -> None:
    body, sentence = WHOLE[name]()
    begun = time.process_time()

    files = door.answer(f"linear/{name}", body)

    manifest = json.loads(files["manifest.json"])
    assert manifest["state"] == "failed"
    assert sentence in manifest["error"]
    assert len(manifest["error"]) < 500
    assert json.loads(files["errors.jsonl"])["error"] == manifest["error"]
    assert not [file for file in files if file.startswith("results")]
    assert time.process_time() - begun < 10


# --- rows that are hostile among good ones ------------------------------------------------------

ROWS = {
    "nul": (b"\x00,2,3,4\n", 1),
    "nul within a number": (b"1,2,3,4\x00\n", 1),
    "not UTF-8": (b"\xff\xfe,2,3,4\n", 1),
    "surrogate": (b"\xed\xa0\x80,2,3,4\n", 1),
    "right to left": ("\u202e1,2,3,4\n".encode(), 1),
    "other digits": ("\u0661,2,3,4\n".encode(), 1),
    "too few cells": (b"1,2,3\n", 1),
    "too many cells": (b"1,2,3,4,5\n", 1),
    "100,000 cells": (b"1," * 100_000 + b"1\n", 1),
    "an open quote": (b'"1,2,3,4\n', 1),
    "a quote behind a cell": (b'1,2,3,4"\n', 1),
    "text behind a quote": (b'"1"x,2,3,4\n', 1),
    "a carriage return": (b"1,2\r,3,4\n", 1),
    "a cell of a megabyte": (b"x" * (1 << 20) + b",2,3,4\n", 1),
    "a number of a megabyte": (b"9" * (1 << 20) + b",2,3,4\n", 1),
    "a line of nine megabytes": (b"1,2,3," + b"4" * (9 << 20) + b"\n", 1),
    "words for numbers": (b"nan,inf,true,1_000\n", 1),
    "blank lines": (b"\n\r\n\n", 0),
    "line separators": ("1,2,3,4\u2028\n".encode(), 1),
}


@pytest.mark.fault("F8")
@pytest.mark.parametrize("name", ROWS)
def test_a_hostile_row_costs_itself_only_and_is_listed_in_few_words(
    door: FileDoor, name: str
) -> None:
    row, bad = ROWS[name]

    files = door.answer("linear/rows.csv", HEADER + GOOD + row + GOOD)

    assert files["results.csv"].splitlines()[1:] == [ANSWER, ANSWER]
    errors = [json.loads(line) for line in files["errors.jsonl"].splitlines()]
    assert [error["row"] for error in errors] == [2] * bad
    assert len(files["errors.jsonl"]) < 1000
    manifest = json.loads(files["manifest.json"])
    assert (manifest["rows_ok"], manifest["rows_failed"]) == (2, bad)


LINES = {
    "nul": b"[1,2,3,4]\x00\n",
    "deep": b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "beyond all numbers": b"[1e999,2,3,4]\n",
    "5,000 digits": b"[" + b"1" * 5000 + b",2,3,4]\n",
    "twice": b'{"x":[1,2,3,4],"x":[1,2,3]}\n',
    "ragged": b"[1,2,[3],4]\n",
    "an open string": b'{"x":[1,2,3,4],"y":"\n',
    "not UTF-8": b'{"x":[1,2,3,4],"y":"\xff"}\n',
    "a surrogate": b'{"x":[1,2,3,4],"\\ud800":1}x\n',
    "a text of a megabyte": b'["' + b"x" * (1 << 20) + b'",2,3,4]\n',
    "nine megabytes": b"[1,2,3," + b" " * (9 << 20) + b"4]\n",
}


@pytest.mark.fault("F8")
@pytest.mark.parametrize("name", LINES)
def test_a_hostile_line_costs_itself_only_and_is_listed_in_few_words(
    door: FileDoor, name: str
) -> None:
    files = door.answer("linear/rows.jsonl", b"[1,2,3,4]\n" + LINES[name] + b"[1,2,3,4]\n")

    assert files["results.jsonl"] == b'{"input":[1,2,3,4],"y":[20.0,11.0,2.0]}\n' * 2
    errors = [json.loads(line) for line in files["errors.jsonl"].splitlines()]
    assert [(error["row"], error["line"]) for error in errors] == [(2, 2)]
    assert len(files["errors.jsonl"]) < 1000


# --- ten gigabytes without an end of line -------------------------------------------------------


class Endless:
    """A good row, a line of ten gigabytes that is made up as it is read, and a good row again."""

    SIZE = 10 << 30

    def __init__(self, first: bytes, last: bytes, offset: int) -> None:
        self._parts = self._all(first, last)
        while offset:
            offset -= len(self.read(offset))

    def _all(self, first: bytes, last: bytes) -> Iterator[bytes]:
        block = b"7" * (256 << 10)
        yield first
        for _ in range(self.SIZE // len(block)):
            yield block
        yield b"\n" + last

    def read(self, size: int, /) -> bytes:
        return next(self._parts, b"")


@pytest.mark.fault("F8")
@pytest.mark.parametrize(
    ("form", "first", "last"),
    [
        (FileFormat.CSV, HEADER + GOOD, GOOD),
        (FileFormat.TSV, (HEADER + GOOD).replace(b",", b"\t"), GOOD.replace(b",", b"\t")),
        (FileFormat.JSON_LINES, b"[1,2,3,4]\n", b"[1,2,3,4]\n"),
    ],
)
def test_a_line_of_ten_gigabytes_is_one_bad_row_in_bounded_memory(
    form: FileFormat, first: bytes, last: bytes
) -> None:
    signature = onnx_models.linear_signature()
    begun = time.process_time()
    tracemalloc.start()

    def file(offset: int) -> Endless:
        return Endless(first, last, offset)

    cut = list(
        ends(
            file,
            Content(form),
            signature,
            size_bytes=Endless.SIZE,
            start=START,
            limit=ShardLimit(64 << 20),
            go_on=lambda: True,
        )
    )
    records, _ = opened(file, Content(form), Wanted("m", 1, signature, joined=True), Range())
    read = list(records)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [row for block in read for row in block.rows.tolist()] == [1, 3]
    assert [(bad.row, bad.error) for block in read for bad in block.bad] == [
        (2, "the line is longer than 8,388,608 bytes")
    ]
    assert cut[-1][1]
    assert len(cut) <= 2
    assert peak < 40 << 20
    assert time.process_time() - begun < 60
