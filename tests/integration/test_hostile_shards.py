"""What is hostile behind the first shard, or across a cut, costs what it costs in one piece."""

import gzip
import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from headrace_runtime.codec.decompression import zstd
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

SHARD_BYTES = 40_000
GOOD = b"1,2,3,4\n" * 6_000  # a shard and a bit
HEADER = b"a,b,c,d\n"


@pytest.fixture
def door(
    function: Callable[..., ModuleType],
    publish: Callable[..., Manifest],
    event: Any,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> FileDoor:
    """The file door, reading blocks so small that files of kilobytes have boundaries in them."""
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.BLOCK_BYTES", 16 << 10)
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.MAX_LINE_BYTES", 60_000)
    monkeypatch.setattr("headrace_runtime.codec.csv_text.MAX_LINE_BYTES", 60_000)
    monkeypatch.setattr("headrace_runtime.codec.csv_text.MAX_BYTES_IN_VAIN", 1_000_000)
    monkeypatch.setattr("headrace_runtime.codec.decompression.RATIO_COUNTS_FROM_BYTES", 1 << 20)
    monkeypatch.setattr("headrace_runtime.batch.cuts.SMALL_COMPRESSED_BYTES", 100)
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context, shard_bytes=SHARD_BYTES)


def npy(rows: int) -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros((rows, 4), np.float32))
    return out.getvalue()


def spoilt(body: bytes) -> bytes:
    """Return a compressed file whose second half is not what was written."""
    middle = len(body) // 2
    return body[:middle] + bytes(64) + body[middle + 64 :]


def noise(seed: int = 7) -> bytes:
    """Return rows that do not shrink to nothing."""
    values = np.random.default_rng(seed).integers(0, 10**6, (20_000, 4))
    return HEADER + b"".join(b"%d,%d,%d,%d\n" % tuple(row) for row in values.tolist())


@pytest.mark.fault("F8")
@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda pack: pack(HEADER + GOOD * 4) + pack(b"9" * (40 << 20)), "refused as a bomb"),
        (lambda pack: pack(noise())[:-99], "data is cut short after"),
        (lambda pack: spoilt(pack(noise())), "data is damaged after"),
        (lambda pack: pack(noise()) + b"junk" * 9, "goes on with what is no"),
    ],
    ids=["bomb", "cut short", "damaged", "junk behind"],
)
def test_harm_behind_the_first_shard_fails_the_job_and_leaves_no_results(
    door: FileDoor, pack: Any, harm: Callable[[Any], bytes], sentence: str
) -> None:
    door.take_in(door.drop("linear/rows.csv.gz", harm(pack)))
    cut = door.jobs()[0]["cut"]["shards"]
    door.work_all()

    job = door.jobs()[0]
    assert cut > 0
    assert job["state"] == "failed"
    assert sentence in job["error"]
    assert sorted(name for name in door.results() if "." in name) == [
        "errors.jsonl",
        "manifest.json",
    ]
    assert json.loads(door.results()["manifest.json"])["rows_in"] == 0


@pytest.mark.fault("F8")
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (HEADER + GOOD + b'x",""",\n' * 30_000, "opened and not closed again and again"),
        (npy(9_000)[:-7], "cut short"),
        (npy(9_000) + b"x", "goes on after the 9,000 records"),
    ],
    ids=["quotes", "NPY cut short", "NPY too long"],
)
def test_a_file_that_turns_bad_behind_the_first_shard_fails_its_job(
    door: FileDoor, body: bytes, sentence: str
) -> None:
    files = door.answer("linear/rows", body)

    manifest = json.loads(files["manifest.json"])
    assert (manifest["state"], manifest["rows_in"]) == ("failed", 0)
    assert sentence in manifest["error"]
    assert not [name for name in files if name.startswith("results.")]


ACROSS = {
    "an open quote": GOOD + b'"1,2,3,4\n' + GOOD * 3,
    "quotes that open in every shard": (GOOD * 2 + b'1,"2,3,4\n') * 3,
    "a quoted cell over many lines": GOOD + b'1,2,3,"4' + b"\n" * 30_000 + b'"\n' + GOOD,
    "a quoted cell larger than any may be": GOOD + b'1,2,3,"' + b"4\n" * 50_000 + b'"\n' + GOOD,
    "a line longer than any may be": GOOD + b"1,2,3," + b"4" * 150_000 + b"\n" + GOOD,
    "NUL bytes": GOOD + b"\0\0\0\0\n" * 9_000 + GOOD,
    "bytes of no text": GOOD + b"\xff\xfe,\xff\n" * 9_000 + GOOD,
    "ragged rows": GOOD + b"1\n1,2,3,4,5\n,\n" * 6_000 + GOOD,
    "lines of nothing": GOOD + b"\n\r\n" * 30_000 + GOOD,
    "no end of the last line": GOOD + GOOD + b'1,2,3,"4',
}


@pytest.mark.fault("F8")
@pytest.mark.parametrize("name", ACROSS)
def test_what_is_hostile_across_cuts_costs_what_it_costs_in_one_piece(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    body = HEADER + ACROSS[name]
    with monkeypatch.context() as patch:
        patch.setattr("headrace_runtime.batch.cuts.shard_size", lambda size, _: size + 1)
        door.answer("linear/whole.csv", body)
    door.answer("linear/shards.csv", body)

    whole, shards = (
        {
            key.rsplit("/", 1)[-1]: value
            for key, value in door.objects().items()
            if key.startswith(f"linear/{kind}.csv/")
        }
        for kind in ("whole", "shards")
    )
    assert shards["results.csv"] == whole["results.csv"]
    assert shards["errors.jsonl"] == whole["errors.jsonl"]
    one, several = (json.loads(files["manifest.json"]) for files in (whole, shards))
    assert several["shards"]["total"] > one["shards"]["total"] == 1
    assert several["rows_in"] == one["rows_in"] >= 12_000
    assert several["state"] == one["state"] in ("partial", "succeeded")
