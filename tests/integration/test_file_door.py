"""A file dropped in the inbox becomes a job, and every record an answer or a reason."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest

from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"


@pytest.fixture
def linear(publish: Callable[..., Manifest]) -> Manifest:
    """Version 1 of `linear`: y[j] = sum(x[i] * (i - j)) + j over four features, three outputs."""
    return publish("linear", onnx_models.linear(), onnx_models.linear_signature())


@pytest.fixture
def door(function: Callable[..., ModuleType], event: Any, context: Any) -> FileDoor:
    return open_door(function, event, context)


def test_a_csv_becomes_results_errors_and_a_manifest(door: FileDoor, linear: Manifest) -> None:
    files = door.answer("inbox/linear/rows.csv", CSV)

    assert (
        files["results.csv"] == b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n"
    )
    assert json.loads(files["errors.jsonl"]) == {
        "row": 2,
        "line": 3,
        "code": "INVALID_INPUT",
        "error": "column 'c': 'x' is not a number",
    }
    manifest = json.loads(files["manifest.json"])
    assert manifest["state"] == "partial"
    assert (manifest["rows_in"], manifest["rows_ok"], manifest["rows_failed"]) == (3, 2, 1)
    assert (manifest["model"], manifest["version"]) == ("linear", 1)
    assert manifest["digest"] == linear.digest


def test_results_lie_under_the_inputs_key_without_inbox(door: FileDoor, linear: Manifest) -> None:
    door.answer("inbox/linear/2026/rows.csv", CSV)

    job_id = door.jobs()[0]["job_id"]
    prefix = f"linear/2026/rows.csv/{job_id}/"
    assert sorted(door.objects()) == [
        prefix + "errors.jsonl",
        prefix + "manifest.json",
        prefix + "results.csv",
    ]


def test_json_lines_become_json_lines(door: FileDoor, linear: Manifest) -> None:
    body = b'[1,2,3,4]\n{"x": [0, 0, 0, 1], "id": 7}\n[1,2,3,"4"]\n'

    files = door.answer("linear/a b+c%20d/é.jsonl", body)

    assert files["results.jsonl"].splitlines() == [
        b'{"input":[1,2,3,4],"y":[20.0,11.0,2.0]}',
        b'{"x": [0, 0, 0, 1], "id": 7,"y":[3.0,3.0,3.0]}',
    ]
    assert json.loads(files["errors.jsonl"])["row"] == 3


def test_a_job_without_bad_rows_succeeds_and_its_errors_are_empty(
    door: FileDoor, linear: Manifest
) -> None:
    files = door.answer("linear/rows.csv", b"a,b,c,d\n1,2,3,4\n")

    assert files["errors.jsonl"] == b""
    assert json.loads(files["manifest.json"])["state"] == "succeeded"
    assert door.jobs()[0]["state"] == "succeeded"


def test_a_job_without_a_single_answer_failed(door: FileDoor, linear: Manifest) -> None:
    files = door.answer("linear/rows.csv", b"a,b,c,d\nx,2,3,4\n")

    manifest = json.loads(files["manifest.json"])
    assert (manifest["state"], manifest["rows_failed"]) == ("failed", 1)
    assert manifest["error"] == "none of the 1 records could be answered: see errors.jsonl"


@pytest.mark.fault("F1")
@pytest.mark.parametrize("shape", ["event", "shard"])
def test_what_is_delivered_twice_has_one_effect(
    door: FileDoor, linear: Manifest, shape: str
) -> None:
    event = door.drop("linear/rows.csv", CSV)
    door.take_in(event)
    shards = door.shards()
    door.work(shards[0])
    before = door.objects(), door.jobs()

    again = door.take_in(event) if shape == "event" else door.work(shards[0])

    assert again == {"batchItemFailures": []}
    assert door.shards() == []
    assert (door.objects(), door.jobs()) == before


@pytest.mark.fault("F1")
def test_an_event_that_comes_again_while_the_job_waits_queues_its_shard_again(
    door: FileDoor, linear: Manifest
) -> None:
    event = door.drop("linear/rows.csv", CSV)
    door.take_in(event)
    door.take_in(event)

    shards = door.shards()

    assert len(shards) == 2
    assert [door.work(shard) for shard in shards] == [{"batchItemFailures": []}] * 2
    assert len(door.jobs()) == 1


@pytest.mark.fault("F2", "F3")
def test_every_version_of_an_overwritten_object_has_its_own_results(
    door: FileDoor, linear: Manifest
) -> None:
    first = door.drop("linear/rows.csv", b"a,b,c,d\n0,0,0,1\n")
    second = door.drop("linear/rows.csv", b"a,b,c,d\n0,0,0,2\n")
    door.take_in(second)
    door.take_in(first)
    for shard in door.shards():
        door.work(shard)

    results = sorted(body for key, body in door.objects().items() if key.endswith("results.csv"))

    assert [body.splitlines()[1] for body in results] == [
        b"0,0,0,1,3.0,3.0,3.0",
        b"0,0,0,2,6.0,5.0,4.0",
    ]


def test_a_version_is_fixed_when_the_file_is_taken_in(
    door: FileDoor, linear: Manifest, publish: Callable[..., Manifest], registration: Any
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    publish("linear", onnx_models.linear(4, 2), onnx_models.linear_signature(4, 2))
    live = registration.alias("linear", "live")
    registration.move("linear", live, live.moved(2))

    for shard in door.shards():
        door.work(shard)

    assert json.loads(door.results()["manifest.json"])["version"] == 1


def test_a_file_that_cannot_be_a_job_fails_with_a_sentence(
    door: FileDoor, linear: Manifest
) -> None:
    strange = "\u202elinear\n/\x7f" + "é" * 500 + ".csv"
    sentences = {
        "rows.csv": "the file lies in no model's folder: drop it at <model>/<file> or "
        "<model>@<alias or version>/<file>",
        "No Model/rows.csv": "'No Model' is not a valid model name: expected 1-63 of a-z, 0-9 and "
        "inner hyphens",
        "linear/rows.xlsx": "the file is a ZIP archive without arrays (an Excel sheet is one, "
        "too): save it as CSV",
        "linear/rows.orc": "the file is ORC, which is not read: write CSV",
        "unknown/rows.csv": "model 'unknown' is not registered",
        "linear@nobody/rows.csv": "model 'linear' has no alias 'nobody'",
        "linear@7/rows.csv": "model 'linear' has no version 7",
        "linear/empty.csv": "the file is empty",
        strange: "'\\u202elinear\\n' is not a valid model name: expected 1-63 of a-z, 0-9 and "
        "inner hyphens",
    }

    for key in sentences:
        suffix = key.rpartition(".")[2]
        body = {"xlsx": b"PK\x03\x04" + bytes(40), "orc": b"ORC"}.get(suffix, b"a")
        door.take_in(door.drop(key, b"" if "empty" in key else body))

    objects = door.objects()
    manifests = [json.loads(b) for key, b in objects.items() if key.endswith("/manifest.json")]
    errors = [json.loads(b) for key, b in objects.items() if key.endswith("/errors.jsonl")]
    assert {m["input"]["key"]: m["error"] for m in manifests} == sentences
    assert {e["error"] for e in errors} == set(sentences.values())
    assert {job["state"] for job in door.jobs()} == {"failed"}
    assert door.shards() == []


def test_a_file_that_does_not_fit_the_model_fails_with_a_sentence(
    door: FileDoor, linear: Manifest
) -> None:
    bodies = {
        "linear/narrow.csv": b"a,b\n1,2\n",
        "linear/quote.csv": b'"a,b,c,d\n1,2,3,4\n',
        "linear/blank.csv": b"\n\n",
        "linear/latin.csv": b"\xe9,b,c,d\n",
        "linear/long.csv": b"a" * (9 << 20),
    }
    for key, body in bodies.items():
        door.take_in(door.drop(key, body))

    for shard in door.shards():
        door.work(shard)

    assert {job["source"]["key"]: job["error"] for job in door.jobs()} == {
        "linear/narrow.csv": "the file has 2 columns, the model takes 4 values a record "
        "('x': 4): send as many columns, or name columns as the inputs",
        "linear/quote.csv": "the header row cannot be read: a quote that opens a cell is not "
        "closed",
        "linear/blank.csv": "the file has no header: the first row must name the columns",
        "linear/latin.csv": "the header row cannot be read: the line is not UTF-8 text",
        "linear/long.csv": "the header row cannot be read: the line is longer than 8,388,608 bytes",
    }
    assert not [key for key in door.objects() if "results" in key]


@pytest.mark.fault("F5")
def test_messages_that_tell_of_no_file_are_let_go(door: FileDoor, event: Any) -> None:
    for name in ("intake.s3_test", "intake.folder"):
        assert door.take_in(event(name)) == {"batchItemFailures": []}

    assert door.jobs() == []


@pytest.mark.fault("F15")
def test_what_is_dropped_in_another_bucket_is_let_go(door: FileDoor, linear: Manifest) -> None:
    event = door.drop("linear/rows.csv", CSV)
    own = event["Records"][0]
    own["body"] = own["body"].replace('"name": "inbox"', '"name": "results"')

    assert door.take_in(event) == {"batchItemFailures": []}
    assert door.jobs() == []


@pytest.mark.fault("F4")
def test_the_key_of_an_event_is_taken_as_it_stands(
    door: FileDoor, linear: Manifest, event: Any
) -> None:
    door.take_in(event("intake.json_lines_for_alias"))

    job = door.jobs()[0]
    assert job["source"]["key"] == "linear@live/a b+c/é.jsonl"
    assert (job["model"], job["version"]) == ("linear", 1)
    assert job["error"] == "there is no object 'linear@live/a b+c/é.jsonl' in bucket 'inbox'"


@pytest.mark.fault("F4")
def test_keys_that_cannot_be_read_become_failed_jobs_each(
    door: FileDoor, linear: Manifest, event: Any
) -> None:
    answer = door.take_in(event("intake.unreadable_keys"))

    assert answer == {"batchItemFailures": []}
    assert [job["state"] for job in door.jobs()] == ["failed"] * 7


@pytest.mark.fault("F4")
def test_a_key_of_1024_bytes_has_results(door: FileDoor, linear: Manifest) -> None:
    key = "linear/" + "é" * 506 + "x.csv"
    assert len(key.encode()) == 1024

    door.answer(key, CSV)

    assert all(len(name.encode()) <= 1024 for name in door.objects())
    assert len(door.objects()) == 3


@pytest.mark.fault("F25")
def test_an_object_that_is_gone_fails_its_job(door: FileDoor, linear: Manifest) -> None:
    event = door.drop("linear/rows.csv", CSV)
    door.take_in(event)
    version = door.jobs()[0]["source"]["version_id"]
    boto3.client("s3").delete_object(Bucket="inbox", Key="linear/rows.csv", VersionId=version)

    answers = [door.work(shard) for shard in door.shards()]

    assert answers == [{"batchItemFailures": []}]
    error = json.loads(door.results()["manifest.json"])["error"]
    assert error == "there is no object 'linear/rows.csv' in bucket 'inbox'"


def test_only_the_rows_on_which_the_model_fails_have_no_answer(
    door: FileDoor, publish: Callable[..., Manifest]
) -> None:
    publish("gather", onnx_models.gather(), onnx_models.GATHER)

    files = door.answer("gather/rows.csv", b"i\n0\n99\n4\n-99\n1\n")

    assert files["results.csv"] == b"i,y\n0,0.0\n4,4.0\n1,1.0\n"
    errors = [json.loads(line) for line in files["errors.jsonl"].splitlines()]
    assert [(e["row"], e["line"], e["code"]) for e in errors] == [
        (2, 3, "INFERENCE_FAILED"),
        (4, 5, "INFERENCE_FAILED"),
    ]


@pytest.mark.fault("F8")
def test_a_poison_message_does_not_hold_up_its_neighbour(
    door: FileDoor, linear: Manifest, event: Any
) -> None:
    door.take_in(door.drop("linear/rows.csv", CSV))
    two = event("batch.two_shards")
    two["Records"][1]["body"] = door.shards()[0]["Records"][0]["body"]

    answer = door.work(two)

    assert answer == {"batchItemFailures": [{"itemIdentifier": two["Records"][0]["messageId"]}]}
    assert door.jobs()[0]["state"] == "partial"


def test_no_payload_stands_in_a_log(
    door: FileDoor, linear: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    door.answer("linear/rows.csv", b"a,b,c,d\n1,2,3,4\nsecret,2,3,4\n")

    assert [vars(record)["state"] for record in caplog.records] == ["queued", "partial"]
    assert "secret" not in str([vars(record) for record in caplog.records])
