"""A job on a GPU ends as one on Lambda does, whatever SageMaker does and tells."""

import io
import json
import random
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from headrace_runtime.batch.shard import ShardState
from headrace_runtime.model.acceleration import Accelerator
from tests import onnx_models, worlds
from tests.integration.gpu_door import GpuDoor, open_endpoint, open_gpu_door, published
from tests.integration.played_sagemaker import PlayedSageMaker, notice

ROWS = 1050  # eleven bodies


@pytest.fixture
def played(aws: None) -> PlayedSageMaker:
    return published("linear", onnx_models.linear(), onnx_models.linear_signature())


@pytest.fixture
def door(played: PlayedSageMaker, function: Any, event: Any, context: Any) -> GpuDoor:
    return open_gpu_door(function, event, context)


def csv(rows: int = ROWS) -> bytes:
    """Return rows of numbers, one in a hundred of them bad."""
    lines = [f"{i},2,3,{i % 7}" for i in range(rows)]
    lines[::100] = [f"{i},oops,3,4" for i in range(0, rows, 100)]
    return ("a,b,c,d\n" + "\n".join(lines) + "\n").encode()


def npy(rows: int = ROWS) -> bytes:
    written = io.BytesIO()
    np.save(written, np.arange(rows * 4, dtype=np.float32).reshape(rows, 4))
    return written.getvalue()


def parquet(rows: int = ROWS) -> bytes:
    written = io.BytesIO()
    columns = {name: np.arange(rows, dtype=np.float32) for name in "abcd"}
    pq.write_table(pa.table(columns), written, row_group_size=200)
    return written.getvalue()


FILES = {
    "rows.csv": csv,
    "numbers.csv": lambda: b"a,b,c,d\n" + b"".join(b"%d,2,3,4\r\n" % i for i in range(ROWS)),
    "rows.jsonl": lambda: b"".join(b"[%d,2,3,4]\n" % i for i in range(ROWS)),
    "rows.npy": npy,
    "rows.parquet": parquet,
}


def without_times(manifest: bytes) -> dict[str, Any]:
    """Return what a manifest says, but for what differs between any two jobs."""
    plain = json.loads(manifest)
    passing = ("job_id", "created_at", "started_at", "finished_at", "estimated_cost_usd")
    plain = {name: value for name, value in plain.items() if name not in (*passing, "placement")}
    for name in ("input", "results", "files", "version", "digest", "model"):
        plain.pop(name)
    return plain


@pytest.mark.parametrize("name", FILES)
def test_results_are_those_of_lambda_to_the_byte(name, played, door):
    worlds.publish("twin", onnx_models.linear(), onnx_models.linear_signature())
    on_lambda = door.drop(f"twin/{name}", FILES[name]())
    door.run()
    on_gpu = door.drop(f"linear/{name}", FILES[name]())
    door.run("files", "parquet", "hand_off")
    assert door.job(on_gpu).placement.engine == "sagemaker-async"

    door.tell(*played.answer_all())
    door.run()

    assert door.job(on_gpu).state == door.job(on_lambda).state
    ours, theirs = door.results(on_gpu), door.results(on_lambda)
    assert without_times(ours.pop("manifest.json")) == without_times(theirs.pop("manifest.json"))
    assert ours == theirs
    assert door.job(on_gpu).counts.rows_in == ROWS


def test_bodies_go_by_names_that_say_whose_they_are_and_nothing_stays_behind(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")

    assert [one.inference_id for one in played.taken] == [
        f"{job_id}.00000.1.{body:05}.1" for body in range(11)
    ]
    assert {one.endpoint for one in played.taken} == {"ep"}
    assert played.taken[3].input == f"in/{job_id}/00000.1/00003"
    assert played.taken[3].output == f"out/{job_id}/00000.1/00003.out"
    assert played.taken[0].content_type.endswith("json-header-size=1024")
    door.tell(*played.answer_all())
    assert door.job(job_id).state == "partial"
    assert door.staged() == []


@pytest.mark.fault("F33")
def test_notices_that_come_twice_and_in_any_order_change_nothing(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    notices = played.answer_all() * 2
    random.Random(5).shuffle(notices)

    door.tell(*notices)

    assert door.job(job_id).counts.rows_in == ROWS
    (shard,) = door.shards(job_id)
    assert (shard.state, len(shard.parts)) == (ShardState.DONE, 1)


@pytest.mark.fault("F33")
def test_what_no_notice_came_for_is_found_by_the_sweeper(function, played, event, context):
    door = open_gpu_door(function, event, context, patience_s=0)
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    played.answer_all()

    door.sweep()
    door.run()

    assert door.job(job_id).state == "partial"


@pytest.mark.fault("F33")
@pytest.mark.parametrize("status", ["Failed", "Expired"])
def test_bodies_that_fail_are_sent_again_and_no_others(status, played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    bad = [played.waiting.pop(7), played.waiting.pop(2)]
    door.tell(*played.answer_all(), *(notice(one, status) for one in bad))
    door.run("hand_off")

    assert [one.inference_id for one in played.waiting] == [
        f"{job_id}.00000.1.00002.2",
        f"{job_id}.00000.1.00007.2",
    ]
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


@pytest.mark.fault("F33")
def test_a_failure_told_after_a_success_is_none(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    first = played.waiting.pop(0)
    played.answer(first)

    door.tell(notice(first, "Failed"), *played.answer_all())

    assert door.job(job_id).state == "partial"
    assert len(played.taken) == 11


def test_a_failure_of_an_earlier_round_or_of_another_job_is_none(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    old = list(played.waiting)
    door.tell(*played.fail_all())
    door.run("hand_off")
    assert {one.round for one in played.waiting} == {2}

    door.tell(*(notice(one, "Failed") for one in old))
    door.give("collect", json.loads(json.dumps(notice(old[0], "Failed")).replace(job_id, "f" * 32)))

    assert {one.round for one in played.waiting} == {2}
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


@pytest.mark.fault("F33")
def test_a_shard_that_fails_three_times_goes_back_to_lambda(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    for _ in range(3):
        door.tell(*played.fail_all())
        door.run("hand_off")
    assert not played.waiting

    door.run()

    assert door.shards(job_id)[0].on_cpu
    assert door.job(job_id).state == "partial"
    assert door.job(job_id).counts.rows_in == ROWS
    why = "SageMaker did not answer shard 0: 11 of its 11 bodies failed 3 times"
    manifest = json.loads(door.results(job_id)["manifest.json"])
    assert manifest["placement"]["fell_back"] == why


@pytest.mark.fault("F33")
def test_a_round_that_brings_something_is_followed_by_another(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    for _ in range(5):
        slow = [played.waiting.pop() for _ in range(len(played.waiting) - 2)]
        door.tell(*played.answer_all(), *(notice(one, "Expired") for one in slow))
        door.run("hand_off")
    assert {one.round for one in played.waiting} == {6}

    door.tell(*played.answer_all())

    assert not door.shards(job_id)[0].on_cpu
    assert door.job(job_id).counts.rows_in == ROWS


@pytest.mark.fault("F33")
def test_a_stage_may_have_such_a_job_fail(function, played, event, context):
    door = open_gpu_door(function, event, context, gpu_on_failure="fail")
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    for _ in range(3):
        door.tell(*played.fail_all())
        door.run("hand_off")
    door.run()

    assert door.job(job_id).state == "failed"
    line = json.loads(door.results(job_id)["errors.jsonl"])
    assert line["code"] == "GPU_FAILED"
    assert line["error"] == ("SageMaker did not answer shard 0: 11 of its 11 bodies failed 3 times")


@pytest.mark.fault("F33")
def test_what_is_overdue_is_sent_again_without_any_notice(
    function, played, event, context, monkeypatch
):
    monkeypatch.setattr("headrace_runtime.aws.async_endpoint.AsyncEndpoint.longest_s", -9999)
    door = open_gpu_door(function, event, context, patience_s=0)
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    played.waiting.clear()

    door.sweep()
    door.run("collect", "hand_off")

    assert {one.round for one in played.waiting} == {2}
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


def test_an_answer_for_fewer_records_than_were_sent_is_not_believed(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    short = played.waiting.pop(4)
    door.tell(*played.answer_all(), played.answer(short, rows=99))
    door.run()

    assert door.shards(job_id)[0].on_cpu
    assert door.job(job_id).counts.rows_in == ROWS


def test_a_file_without_a_readable_record_needs_no_gpu(played, door):
    job_id = door.drop("linear/rows.csv", b"a,b,c,d\n" + b"1,2,3,x\n" * 5)
    door.run()

    assert played.taken == []
    assert door.job(job_id).state == "failed"
    assert door.job(job_id).counts.rows_failed == 5


def test_a_damaged_file_fails_its_job_as_it_does_on_lambda(played, door):
    job_id = door.drop("linear/rows.csv", b"a,b,c\n1,2,3\n")
    door.run()

    assert door.job(job_id).state == "failed"
    assert "errors.jsonl" in door.results(job_id)


@pytest.mark.fault("F35")
def test_a_worker_that_dies_while_it_sends_sends_nothing_that_is_answered_already(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    played.refused.append(SystemExit("killed"))
    door.run("files")
    with pytest.raises(SystemExit):
        door.run("hand_off")
    assert door.shards(job_id)[0].state is ShardState.HANDED

    door.give("hand_off", {"job_id": job_id, "shard": 0})
    door.give("hand_off", {"job_id": job_id, "shard": 0})

    assert len({one.inference_id for one in played.taken}) == len(played.taken) == 11
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


def test_a_shard_waits_for_its_endpoint_and_goes_once_it_is_there(played, door):
    open_endpoint(played.manifest, "creating")
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files")
    sqs = boto3.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=door.urls["hand_off"], AttributeNames=["All"])
    door.give("hand_off", {"job_id": job_id, "shard": 0})
    after = sqs.get_queue_attributes(QueueUrl=door.urls["hand_off"], AttributeNames=["All"])
    delayed = "ApproximateNumberOfMessagesDelayed"
    assert (before["Attributes"][delayed], after["Attributes"][delayed]) == ("0", "1")
    assert played.taken == []

    open_endpoint(played.manifest)
    door.run("hand_off")

    assert len(played.taken) == 11


def test_an_endpoint_that_never_comes_is_not_waited_for_for_ever(played, door):
    open_endpoint(played.manifest, "creating")
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files")
    since = "2026-11-26T09:00:00+00:00"
    door.give("hand_off", {"job_id": job_id, "shard": 0, "since": since})
    door.run()

    assert door.shards(job_id)[0].on_cpu
    assert door.job(job_id).state == "partial"


def test_a_job_that_is_cancelled_while_it_is_with_sagemaker_ends_at_once(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    jobs = door.functions["collect"].settling.jobs
    cancelled = jobs.change(job_id, lambda job: job.asked_to_cancel())
    door.functions["collect"].settling.queue.close(cancelled)
    door.run("collect")

    assert door.job(job_id).state == "cancelled"
    door.tell(*played.answer_all())
    assert door.job(job_id).state == "cancelled"


def test_a_shard_that_lambda_cannot_finish_goes_on_where_it_was_left(
    played, function, event, context, monkeypatch
):
    auto = published(
        "slow", onnx_models.linear(), onnx_models.linear_signature(), accelerator=Accelerator.AUTO
    )
    door = open_gpu_door(function, event, context, batch_rows=100)
    job_id = door.drop("slow/rows.csv", csv())
    assert door.job(job_id).placement.engine == "lambda"
    left_ms = iter([60_000] * 10 + [14_000] * 99)
    with monkeypatch.context() as patch:
        left = "get_remaining_time_in_millis"
        patch.setattr(type(context), left, lambda _: next(left_ms))
        door.run("shards")

    placement, (shard,) = door.job(job_id).placement, door.shards(job_id)
    assert placement.engine == "sagemaker-async"
    assert "one run of a shard answered" in placement.reason
    assert 0 < shard.counts.rows_in < ROWS / 2
    door.run("hand_off")
    assert shard.counts.rows_ok + door.shards(job_id)[0].known_handed.rows == ROWS - 11
    door.tell(*auto.answer_all())
    door.run()

    assert door.job(job_id).counts.rows_in == ROWS
    assert len(door.shards(job_id)[0].parts) == 2


def test_what_sagemaker_tells_of_other_jobs_and_nobodys_messages_harm_nothing(door, event, context):
    cases = ("success", "failure", "expiry", "transform")

    for case in cases:
        told = event(f"collect.{case}")
        answer = door.functions["collect"].lambda_handler(told, context)
        assert answer == {"batchItemFailures": []}
    for case in ("hand_off.shard", "hand_off.later", "collect.shard"):
        name = case.partition(".")[0]
        answer = door.functions[name].lambda_handler(event(case), context)
        assert len(answer["batchItemFailures"]) == 1  # its job is not there yet, perhaps


def test_an_endpoint_that_failed_is_not_waited_for_at_all(played, door):
    open_endpoint(played.manifest, "failed")
    job_id = door.drop("linear/rows.csv", csv())
    door.run()

    assert door.shards(job_id)[0].on_cpu
    assert door.job(job_id).counts.rows_in == ROWS


def test_an_endpoint_that_vanishes_while_bodies_are_sent_is_waited_for(played, door):
    gone = {"Error": {"Code": "ValidationError", "Message": "Endpoint ep not found"}}
    played.refused.append(ClientError(gone, "InvokeEndpointAsync"))
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files")
    door.give("hand_off", {"job_id": job_id, "shard": 0})
    assert (door.shards(job_id)[0].state, played.taken) == (ShardState.HANDED, [])

    door.give("hand_off", {"job_id": job_id, "shard": 0, "since": "2026-11-26T09:00:00+00:00"})

    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


def test_bodies_that_nobody_sent_are_found_by_the_sweeper(function, played, event, context):
    door = open_gpu_door(function, event, context, patience_s=0)
    played.refused.append(SystemExit("killed"))
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files")
    with pytest.raises(SystemExit):
        door.run("hand_off")

    door.sweep()
    door.run()

    assert len(played.taken) == 11
    door.tell(*played.answer_all())
    assert door.job(job_id).counts.rows_in == ROWS


def test_a_shard_of_too_many_requests_stays_on_lambda(played, door, monkeypatch):
    monkeypatch.setattr("headrace_runtime.aws.staging.MAX_BODIES", 5)
    job_id = door.drop("linear/rows.csv", csv())
    door.run()

    assert door.shards(job_id)[0].on_cpu
    assert door.job(job_id).counts.rows_in == ROWS
    assert "more than 5 requests" in door.job(job_id).placement.fell_back


def test_what_still_waits_of_a_cancelled_job_finds_no_body_any_more(played, door):
    job_id = door.drop("linear/rows.csv", csv())
    door.run("files", "hand_off")
    settling = door.functions["collect"].settling
    settling.queue.close(settling.jobs.change(job_id, lambda job: job.asked_to_cancel()))
    door.run("collect")

    door.tell({"detail-type": "Job Ended", "detail": {"job_id": job_id}})

    assert door.staged() == []
