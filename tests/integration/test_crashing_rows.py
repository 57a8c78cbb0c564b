"""F10, F11: a row that kills costs that row; a model that keeps killing is given no more jobs."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pytest
from onnx import helper

from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

LOWEST = -(2**63)
SIGNATURE = Signature(
    (TensorSpec("a", Datatype.INT64, (-1, 1)), TensorSpec("b", Datatype.INT64, (-1, 1))),
    (TensorSpec("y", Datatype.INT64, (-1, 1)),),
)


def divider() -> bytes:
    """Return a / b of whole numbers: the lowest / -1 is a signal, not a value.

    Of INT32 it is one only where the division is not vectorised, of a few records that is.
    """
    takes = [onnx_models.value(name, Datatype.INT64, ["n", 1]) for name in ("a", "b")]
    gives = [onnx_models.value("y", Datatype.INT64, ["n", 1])]
    return onnx_models.model([helper.make_node("Div", ["a", "b"], ["y"])], takes, gives, [])


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    publish("divider", divider(), SIGNATURE)
    return open_door(function, event, context)


@pytest.mark.fault("F10")
def test_a_row_that_kills_costs_that_row_only(door: FileDoor) -> None:
    rows = [f"{i},2" for i in range(5000)]
    rows[1234] = rows[4321] = f"{LOWEST},-1"

    results = door.answer("divider/rows.csv", ("a,b\n" + "\n".join(rows)).encode())

    errors = [json.loads(line) for line in results["errors.jsonl"].splitlines()]
    assert [(e["row"], e["line"], e["code"]) for e in errors] == [
        (1235, 1236, "INFERENCE_CRASHED"),
        (4322, 4323, "INFERENCE_CRASHED"),
    ]
    assert errors[0]["error"] == "the model's process died by SIGFPE on these values"
    answers = np.loadtxt(results["results.csv"].decode().splitlines(), delimiter=",", skiprows=1)
    assert np.array_equal(answers[:, 2], answers[:, 0] // 2)
    manifest = json.loads(results["manifest.json"])
    assert (manifest["state"], manifest["rows_ok"], manifest["rows_failed"]) == ("partial", 4998, 2)


@pytest.mark.fault("F11")
def test_a_model_that_keeps_killing_is_quarantined_and_its_jobs_fail_fast(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = ("a,b\n" + f"{LOWEST},-1\n" * 40).encode()
    monkeypatch.setattr("headrace_runtime.aws.model_runs.MAX_CRASHED", 5)
    door.answer("divider/first.csv", deadly)
    pid = door.batch.models.pid

    door.answer("divider/second.csv", b"a,b\n6,2\n")

    jobs = {job["source"]["key"]: job for job in door.jobs()}
    for job in jobs.values():
        assert job["state"] == "failed"
        assert job["error"].startswith("version 1 of model 'divider' is in quarantine, for a day")
    assert door.batch.models.pid == pid  # nothing was run


@pytest.mark.fault("F11")
def test_a_quarantine_ends(door: FileDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace_runtime.aws.model_runs.MAX_CRASHED", 1)
    door.answer("divider/first.csv", ("a,b\n" + f"{LOWEST},-1\n" * 4).encode())
    boto3.client("dynamodb").update_item(
        TableName="jobs",
        Key={
            "pk": {"S": f"QUARANTINE#{door.jobs()[0]['digest']}"},
            "sk": {"S": "QUARANTINE"},
        },
        UpdateExpression="SET expires_at_s = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )

    results = door.answer("divider/second.csv", b"a,b\n6,2\n")

    assert results["results.csv"] == b"a,b,y\n6,2,3\n"
