"""A shard belongs to one worker at a time, and what is done of it stays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.shard import Part, Range, Shard, ShardState
from headrace_runtime.codec.records import Position
from headrace_runtime.errors import Conflict

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHARD = Shard("0" * 32, 3, Range(Position(100, 11, 12), 200, 11))
REST = Range(Position(150, 16, 17), 200, 18)


def test_a_shard_is_begun_with_a_lease():
    shard = SHARD.start(NOON, 900)

    assert (shard.state, shard.attempt, shard.tries) == (ShardState.RUNNING, 1, 1)
    assert shard.lease_until == "2026-11-23T12:15:00+00:00"


def test_a_shard_is_not_begun_while_another_worker_has_it():
    with pytest.raises(Conflict, match="belongs to another worker until 2026-11-23T12:15"):
        SHARD.start(NOON, 900).start(NOON + timedelta(seconds=899), 900)


@pytest.mark.fault("F17")
def test_a_shard_whose_worker_died_is_begun_again():
    shard = SHARD.start(NOON, 900).start(NOON + timedelta(seconds=900), 900)

    assert (shard.attempt, shard.tries) == (2, 2)


def test_what_is_done_of_a_shard_stays_and_the_rest_waits():
    shard = SHARD.start(NOON, 900).progressed(Counts(3, 1)).written(Part(Counts(6, 1)), REST, 0.5)

    assert (shard.state, shard.range, shard.tries) == (ShardState.QUEUED, REST, 0)
    assert (shard.counts, shard.cost_usd) == (Counts(6, 1), 0.5)


def test_a_shard_that_is_done_is_not_begun():
    done = SHARD.start(NOON, 900).written(Part(Counts(6, 1)), None, 0.5)

    with pytest.raises(Conflict, match=f"shard 3 of job {'0' * 32} is done"):
        done.start(NOON + timedelta(days=1), 900)


MOVES = {
    "start": lambda shard, now: shard.start(now, 60),
    "progressed": lambda shard, now: shard.progressed(Counts(1, 0)),
    "released": lambda shard, now: shard.released(),
    "kept": lambda shard, now: shard.released(tried=False),
    "written": lambda shard, now: shard.written(Part(Counts(1, 1)), REST, 0.1),
    "done": lambda shard, now: shard.written(Part(Counts(1, 1)), None, 0.1),
}


@pytest.mark.fault("F17")
@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 90)), max_size=20))
def test_whatever_comes_an_attempt_has_one_owner_and_no_part_is_lost(moves):
    shard, now = SHARD, NOON
    for name, seconds in moves:
        now += timedelta(seconds=seconds)
        try:
            moved = MOVES[name](shard, now)
        except Conflict:
            continue
        assert shard.state is not ShardState.DONE
        assert moved.attempt == shard.attempt + (name == "start")
        assert name != "start" or not shard.held(now)
        assert moved.parts[: len(shard.parts)] == shard.parts
        shard = moved
