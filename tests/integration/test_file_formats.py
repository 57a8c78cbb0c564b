"""Files of every format come back in it, joined to what was in them."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    """The door, with `linear`: y[j] = sum(x[i] * (i - j)) + j over four features, three outputs."""
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context)


def saved(save: Callable[..., None], *arrays: Any, **named: Any) -> bytes:
    out = io.BytesIO()
    save(out, *arrays, **named)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "results", "expected"),
    [
        (
            "packed",
            gzip.compress(CSV, mtime=0),
            "results.csv",
            b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n",
        ),
        (
            "tabs.csv",
            CSV.replace(b",", b"\t"),
            "results.tsv",
            b"a\tb\tc\td\ty_0\ty_1\ty_2\n1\t2\t3\t4\t20.0\t11.0\t2.0\n0\t0\t0\t1\t3.0\t3.0\t3.0\n",
        ),
        (
            "headless.txt",
            b"1;2;3;4\n;2;3;4\n0;0;0;1\n",
            "results.csv",
            b"1;2;3;4;20.0;11.0;2.0\n0;0;0;1;3.0;3.0;3.0\n",
        ),
        (
            "y_0 is taken.csv",
            b'y_0,b,c,d\n"1",2,3,4\n0,0,0\n0,0,0,1.\n',
            "results.csv",
            b'y_0,b,c,d,y_0_output,y_1,y_2\n"1",2,3,4,20.0,11.0,2.0\n0,0,0,1.,3.0,3.0,3.0\n',
        ),
        (
            "clash",
            b'{"x":[1,2,3,4],"y":"mine"}\n[1]\n{"x":[0,0,0,1],"\\u0079":2}\n',
            "results.jsonl",
            (
                b'{"x":[1,2,3,4],"y":"mine","y_output":[20.0,11.0,2.0]}\n'
                b'{"x":[0,0,0,1],"\\u0079":2,"y_output":[3.0,3.0,3.0]}\n'
            ),
        ),
    ],
)
def test_text_comes_back_joined_to_its_own_columns(
    door: FileDoor, name: str, body: bytes, results: str, expected: bytes
) -> None:
    files = door.answer(f"linear/{name}", body)

    manifest = json.loads(files["manifest.json"])
    assert files[results] == expected
    assert (manifest["rows_ok"], manifest["rows_failed"]) == (2, 1)
    assert manifest["results"]["sha256"] == hashlib.sha256(expected).hexdigest()
    assert manifest["estimated_cost_usd"] > 0
    assert results.endswith(manifest["format"])


def test_predictions_alone_have_the_records_number(door: FileDoor) -> None:
    event = door.drop("linear/rows.csv", CSV, results="predictions")
    door.take_in(event)
    for shard in door.shards():
        door.work(shard)

    files = door.results()
    assert files["results.csv"] == b"row,y_0,y_1,y_2\n1,20.0,11.0,2.0\n3,3.0,3.0,3.0\n"
    assert json.loads(files["manifest.json"])["results"]["records"] == "predictions"


def test_another_wish_for_results_is_refused(door: FileDoor) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV, results="all"))

    assert door.jobs()[0]["error"] == (
        "the object's metadata 'results' must be 'joined' or 'predictions', got 'all'"
    )


ROWS = np.array([[1, 2, 3, 4], [0, 0, 0, 1e39], [0, 0, 0, 1]])
OUT = [[20.0, 11.0, 2.0], [3.0, 3.0, 3.0]]


def test_an_npy_array_comes_back_row_for_row(door: FileDoor) -> None:
    files = door.answer("linear/rows.npy", saved(np.save, ROWS))

    results = np.load(io.BytesIO(files["results.npy"]))
    assert results[[0, 2]].tolist() == OUT
    assert np.isnan(results[1]).all()
    assert json.loads(files["errors.jsonl"])["row"] == 2


def test_an_npz_archive_comes_back_with_the_records_numbers(door: FileDoor) -> None:
    files = door.answer("linear/rows.npz", saved(np.savez, x=ROWS))

    results = np.load(io.BytesIO(files["results.npz"]))
    assert (results["row"].tolist(), results["y"].tolist()) == ([1, 3], OUT)


def test_an_infer_request_comes_back_as_its_answer(door: FileDoor) -> None:
    head = b'{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","parameters":'
    values = ROWS[[0, 2]].astype("<f4").tobytes()

    files = door.answer("linear/rows.bin", head + b'{"binary_data_size":32}}]}' + values)

    answer, end = json.JSONDecoder().raw_decode(files["results.bin"].decode("latin-1"))
    assert [tensor["name"] for tensor in answer["outputs"]] == ["row", "y"]
    raw = files["results.bin"][end:]
    assert np.frombuffer(raw[:16], "<i8").tolist() == [1, 2]
    assert np.frombuffer(raw[16:], "<f4").reshape(2, 3).tolist() == OUT


HOSTILE = {
    "cut.csv.gz": (gzip.compress(CSV * 9000)[:-9], "gzip data is cut short"),
    "object.npy": (saved(np.save, np.array([{}], object)), "never unpickled"),
    "bomb.npz": (saved(np.savez_compressed, y=np.zeros(9)), "input 'x' is missing"),
    "sheet.xlsx": (b"PK\x03\x04" + bytes(26) + b"xl/sheet.xml", "an Excel sheet"),
    "nul.csv": (b"\0" * 1000, "neither text nor a format"),
    "quotes.csv": (b"a,b,c,d\n" + b'x",""",\n' * 300_000, "again and again"),
    "never\nends, \u202e%2F+.csv": (b"1" * (9 << 20), "longer than"),
}


@pytest.mark.fault("F8")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_a_sentence_and_never_sticks(door: FileDoor, name: str) -> None:
    body, sentence = HOSTILE[name]

    files = door.answer(f"linear/{name}", body)

    manifest = json.loads(files["manifest.json"])
    assert manifest["state"] == "failed"
    assert sentence in manifest["error"]
    assert not [file for file in files if file.startswith("results")]


def test_bad_rows_among_good_ones_cost_themselves_only(door: FileDoor) -> None:
    body = b'a,b,c,d\n1,2,3,4\n1,2,3\n\0,2,3,4\n\xff,2,3,4\n"1,2,3,4\n1,2,3,' + b"4" * (9 << 20)

    files = door.answer("linear/rows.csv", body + b"\n0,0,0,1\n")

    assert files["results.csv"].splitlines()[1:] == [
        b"1,2,3,4,20.0,11.0,2.0",
        b"0,0,0,1,3.0,3.0,3.0",
    ]
    errors = [json.loads(line) for line in files["errors.jsonl"].splitlines()]
    assert [error["row"] for error in errors] == [2, 3, 4, 5, 6]
