"""Of a shard with more bodies than S3 lists at a time a notice looks at one page."""

import random
from collections import Counter
from typing import Any

import boto3
import pytest

from tests import onnx_models
from tests.integration.gpu_door import GpuDoor, open_gpu_door, published
from tests.integration.played_sagemaker import PlayedSageMaker, notice
from tests.integration.test_gpu_jobs import ROWS, csv

BODIES = 11


@pytest.fixture
def played(aws: None) -> PlayedSageMaker:
    return published("linear", onnx_models.linear(), onnx_models.linear_signature())


@pytest.fixture
def looks(played: PlayedSageMaker) -> Counter[str]:
    """How often outputs were listed: one `page`, or `all`."""
    looks: Counter[str] = Counter()

    def listed(params: dict[str, Any], **_: Any) -> None:
        if params["Bucket"] == "staging" and params["Prefix"].startswith("out/"):
            looks["page" if "StartAfter" in params else "all"] += 1

    boto3.DEFAULT_SESSION.events.register("before-parameter-build.s3.ListObjectsV2", listed)
    return looks


@pytest.fixture
def door(
    looks: Counter[str],
    function: Any,
    event: Any,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> GpuDoor:
    """A page is three bodies, as if S3 listed no more at a time."""
    door = open_gpu_door(function, event, context)
    monkeypatch.setattr("headrace_runtime.aws.settling.PAGE", 3)
    return door


def handed_over(played: PlayedSageMaker, door: GpuDoor, looks: Counter[str]) -> str:
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    assert len(played.waiting) == BODIES
    looks.clear()
    return job_id


@pytest.mark.parametrize("seed", range(3))
def test_all_is_looked_at_once_for_each_page_that_becomes_whole(played, door, looks, seed):
    job_id = handed_over(played, door, looks)

    for invocation in random.Random(seed).sample(played.waiting, BODIES):
        assert door.job(job_id).state == "running"
        door.tell(played.answer(invocation))

    assert looks == {"page": 11, "all": 4}
    assert door.job(job_id).counts.rows_in == ROWS


@pytest.mark.fault("F33")
@pytest.mark.parametrize("seed", range(3))
def test_notices_that_come_late_twice_and_in_any_order_settle_a_shard_of_many_pages(
    played, door, looks, seed
):
    job_id = handed_over(played, door, looks)
    chance = random.Random(seed)
    late: list[dict[str, Any]] = []
    *others, last = chance.sample(played.waiting, BODIES)
    for invocation in others:
        late += [played.answer(invocation)] * 2
        chance.shuffle(late)
        door.tell(*(late.pop() for _ in range(chance.randrange(3))))
    late += [played.answer(last)] * 2
    chance.shuffle(late)
    assert door.job(job_id).state == "running"

    door.tell(late.pop())  # whichever it is

    assert door.job(job_id).counts.rows_in == ROWS
    door.tell(*late)
    assert door.job(job_id).counts.rows_in == ROWS


@pytest.mark.fault("F33")
def test_a_page_that_one_failure_keeps_from_being_whole_is_asked_for_again_at_once(
    played, door, looks
):
    job_id = handed_over(played, door, looks)
    failed, *others = played.waiting
    door.tell(notice(failed, "Failed"))
    for invocation in reversed(others):
        door.tell(played.answer(invocation))
    played.waiting.clear()
    door.run("hand_off")

    assert [one.inference_id for one in played.waiting] == [f"{job_id}.00000.1.00000.2"]
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


def test_a_shard_of_one_page_is_looked_at_as_a_whole(played, door, looks, monkeypatch):
    monkeypatch.setattr("headrace_runtime.aws.settling.PAGE", BODIES)
    job_id = handed_over(played, door, looks)

    door.tell(*played.answer_all())

    assert looks == {"all": 1}
    assert door.job(job_id).counts.rows_in == ROWS
