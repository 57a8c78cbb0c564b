"""Bodies that lie ready are sent, whoever made them and whatever became of him."""

from itertools import chain, repeat
from typing import Any

import pytest

from headrace_runtime.batch.placement import Engine
from tests import onnx_models
from tests.integration.gpu_door import GpuDoor, open_gpu_door, published
from tests.integration.played_sagemaker import PlayedSageMaker
from tests.integration.test_gpu_jobs import csv


@pytest.fixture
def played(aws: None) -> PlayedSageMaker:
    return published("linear", onnx_models.linear(), onnx_models.linear_signature())


@pytest.fixture
def door(played: PlayedSageMaker, function: Any, event: Any, context: Any) -> GpuDoor:
    return open_gpu_door(function, event, context, shard_bytes=10_000)


def test_what_a_worker_had_read_and_no_time_to_send_is_sent_by_the_next(
    played, door, context, monkeypatch
):
    job_id = door.drop("linear/rows.csv", csv(900))
    door.run("files")
    left_ms = chain(repeat(17_000, 20), repeat(60_000))
    left = "get_remaining_time_in_millis"
    monkeypatch.setattr(type(context), left, lambda _: next(left_ms))
    door.run("hand_off")

    assert len(played.taken) == 9
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == 900


def test_a_transform_job_starts_though_the_last_shard_has_nothing_for_it(played, door, monkeypatch):
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.BLOCK_BYTES", 4 << 10)
    monkeypatch.setattr("headrace_runtime.batch.placement._MAX_SHARDS", 1)
    bad = b"1,2,3,oops\n" * 1500
    job_id = door.drop("linear/rows.csv", csv(1500) + bad)
    door.run()

    assert door.job(job_id).placement.engine is Engine.TRANSFORM
    assert not door.shards(job_id)[-1].known_handed.bodies
    assert list(played.transforms) == [f"hr-test-{job_id}-1"]
