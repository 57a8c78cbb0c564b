"""What SageMaker has of a shard, and what it tells of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.handed import BodyName, Handed, output_name, output_numbers
from headrace_runtime.batch.notice import notice_of, transform_job_of
from headrace_runtime.batch.rerouting import too_heavy, too_slow
from headrace_runtime.batch.shard import Range, Shard, ShardState
from headrace_runtime.codec.records import Position
from headrace_runtime.errors import Conflict, InvalidInput, OutOfTime

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SIZES = (100, 100, 100, 100)
HANDED = Handed(1, SIZES, 0, NOW.isoformat())
JOB = "5f1b7c0d9e8a4b3c2d1e0f9a8b7c6d5e"


def begun() -> Shard:
    return Shard(JOB, 3).start(NOW, 900)


@given(*(st.integers(0, 99_999) for _ in range(2)), *(st.integers(1, 9_999) for _ in range(2)))
def test_the_name_of_a_body_is_read_back_and_never_too_long(shard, body, attempt, round_):
    name = BodyName(JOB, shard, attempt, body, round_)

    assert BodyName.of(name.inference_id()) == name
    assert len(name.inference_id()) <= 64


@pytest.mark.parametrize(
    "text", ["", "x", "a.1.2.3", "a.1.2.3.x", ".1.2.3.4", "a.1.2.3.4.5", "a.1.-2.3.4"]
)
def test_other_names_are_not_ours(text):
    with pytest.raises(InvalidInput):
        BodyName.of(text)


def test_outputs_are_known_by_their_names_and_other_objects_are_none():
    names = [output_name(0), output_name(12), "00001", "x.out", "00003.out.tmp", "-1.out"]

    assert output_numbers(iter(names)) == {0, 12}


def test_a_shard_that_was_handed_over_is_nobodys_until_it_is_collected():
    handed = begun().handed_over(HANDED, 0.5)

    assert (handed.state, handed.lease_until, handed.tries) == (ShardState.HANDED, None, 0)
    assert handed.cost_usd == 0.5
    assert not handed.held(NOW)
    collecting = handed.start(NOW, 900)
    assert (collecting.state, collecting.handed) == (ShardState.RUNNING, HANDED)
    assert collecting.released().state is ShardState.HANDED


def test_what_is_asked_for_again_is_another_round_that_only_one_can_begin():
    handed = begun().handed_over(HANDED, 0.0).with_sent(4)

    asked = handed.asked_again(NOW + timedelta(hours=1), done=3)

    assert asked.known_handed == Handed(1, SIZES, 0, "2026-11-26T10:00:00+00:00", 2, 0, 3)
    assert asked.attempt == handed.attempt + 1


def test_what_goes_back_to_a_function_keeps_its_parts_and_never_returns():
    back = begun().handed_over(HANDED, 0.0).given_back()

    assert (back.state, back.handed, back.on_cpu) == (ShardState.QUEUED, None, True)
    assert back.attempt == 2


def test_nothing_can_be_asked_for_again_that_nobody_has():
    with pytest.raises(Conflict, match=r"shard 3 of job .* is not with SageMaker"):
        begun().asked_again(NOW, 0)


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        ({"invocationStatus": "Completed"}, ""),
        ({"invocationStatus": "Failed", "failureReason": "ClientError: 500"}, "ClientError: 500"),
        ({"invocationStatus": "Expired"}, "Expired"),
        ({"invocationStatus": "Completed", "failureReason": "stale"}, ""),
    ],
)
def test_a_notice_is_read_by_its_status_alone(message, failure):
    name = BodyName(JOB, 0, 1, 2, 1)

    told = notice_of(message | {"inferenceId": name.inference_id()})

    assert told is not None
    assert (told.name, told.failure) == (name, failure)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"invocationStatus": "Completed"},
        {"invocationStatus": 3, "inferenceId": "x"},
        {"invocationStatus": "Failed", "inferenceId": "somebody-elses"},
    ],
)
def test_what_is_no_notice_of_ours_is_none(message):
    assert notice_of(message) is None


def test_only_the_event_of_a_transform_job_names_one():
    event = {"detail-type": "SageMaker Transform Job State Change"}

    assert transform_job_of(event | {"detail": {"TransformJobName": "hr-dev-1"}}) == "hr-dev-1"
    for other in ({}, event, event | {"detail": []}, {"detail": {"TransformJobName": "x"}}):
        assert transform_job_of(other) is None


def test_a_run_that_did_less_than_half_was_too_slow():
    was = Range(Position(100, 1, 1), 1100, 1)

    slow = too_slow(was, Range(Position(400, 31, 31), 1100, 31), 9999)

    assert slow == (
        "it was to run on Lambda, where one run of a shard answered 30 records, 30% of what it "
        "began with"
    )
    assert too_slow(was, Range(Position(600, 51, 51), 1100, 51), 9999) == ""
    assert too_slow(Range(), Range(Position(600, 51, 51), None, 51), 1000) == ""
    assert too_slow(Range(), Range(Position(9, 2, 2), None, 2), 0) == ""


def test_what_a_run_did_of_parquet_counts_by_its_rows():
    # Reading begins at row 0, where the row group does; the shard is rows 4,000 to 4,999.
    was = Range(Position(4000, 4001, 4001), 5000, 4001)

    assert too_slow(was, Range(Position(0, 1, 1), 5000, 4901), 9999, in_rows=True) == ""
    assert "100 records, 10%" in too_slow(
        was, Range(Position(0, 1, 1), 5000, 4101), 9999, in_rows=True
    )


def test_only_a_lack_of_time_or_memory_is_mended_elsewhere():
    assert too_heavy(OutOfTime("it broke off")) == "it was to run on Lambda, where it broke off"
    assert too_heavy(InvalidInput("no JSON")) == ""
