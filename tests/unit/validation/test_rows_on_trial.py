"""What one more record costs, told of models that are functions of this test."""

from time import sleep

import numpy as np
import pytest

from headrace_runtime.validation.rows_on_trial import RowCost, cost_of_row


def samples(rows: int) -> dict[str, np.ndarray]:
    return {"x": np.zeros((rows, 4), np.float32)}


def cost(run, *, run_ms: float = 10.0, row_ms: float = 0.5, **how) -> RowCost | None:
    """Let a run take `run_ms` and each further record `row_ms`."""

    def time_ms(feeds):
        return run_ms + row_ms * (len(feeds["x"]) - 1)

    return cost_of_row(how.pop("samples", samples), run, run_ms=run_ms, time_ms=time_ms, **how)


def test_a_record_costs_what_it_adds():
    tried = []
    told = cost(lambda feeds: tried.append(len(feeds["x"])))
    assert told is not None
    assert told.ms == pytest.approx(0.5)
    assert tried == [2 << n for n in range(len(tried))]
    assert tried[-1] <= 4096


def test_a_cost_is_more_than_nothing_whatever_the_clock_says():
    told = cost(lambda feeds: None, row_ms=-0.1)
    assert told is not None
    assert told.ms == 1e-6


def test_what_takes_longer_is_tried_with_fewer():
    tried = []

    def slowly(feeds):
        tried.append(len(feeds["x"]))
        sleep(0.01 * len(feeds["x"]))

    assert cost(slowly) is not None
    assert tried[-1] <= 8


def test_a_model_that_is_slow_alone_is_not_tried_at_all():
    tried = []
    assert cost(tried.append, run_ms=600.0) is None
    assert tried == []


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_too_many_records_tell_of_fewer(error):
    def up_to_four(feeds):
        if len(feeds["x"]) > 4:
            raise error

    told = cost(up_to_four)
    assert told is not None
    assert told.ms == pytest.approx(0.5)


def test_inputs_that_take_too_much_memory_tell_of_fewer():
    def up_to_four(rows):
        if rows > 4:
            raise MemoryError
        return samples(rows)

    assert cost(lambda feeds: None, samples=up_to_four) is not None


def test_two_records_that_fail_tell_nothing():
    def fail(feeds):
        raise RuntimeError

    assert cost(fail) is None


def test_a_model_that_fails_only_as_it_is_timed_tells_nothing():
    def fail(feeds):
        raise RuntimeError

    assert cost_of_row(samples, lambda feeds: None, run_ms=1.0, time_ms=fail) is None


def test_a_few_records_that_seem_to_cost_nothing_cost_a_part_of_their_run():
    def large(rows):
        return {"x": np.zeros((rows, 1 << 19), np.float32)}

    told = cost(lambda feeds: None, samples=large, row_ms=0.0)  # two take what one does
    assert told is not None
    assert told.ms == pytest.approx(10.0 / 2 / 16)


def test_records_of_two_megabytes_are_tried_in_twos():
    tried = []

    def large(rows):
        return {"x": np.zeros((rows, 1 << 19), np.float32)}

    assert cost(lambda feeds: tried.append(len(feeds["x"])), samples=large) is not None
    assert tried == [2]
