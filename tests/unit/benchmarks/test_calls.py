"""What `make bench` measures of calls is answered: each handler, cold and warm, once."""

import os

import pytest

from tests.benchmarks import authorise, cold, warm


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure as little as tells whether it can be measured."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for module, name, value in (
        (cold, "_ROUNDS", 1),
        (authorise, "_ROUNDS", 1),
        (authorise, "_CALLS", 1),
        (warm, "_BATCHES", 1),
        (warm, "_BATCH_S", 0.0),
    ):
        monkeypatch.setattr(module, name, value)


def test_a_cold_call_and_its_floor_are_measured():
    (row,) = cold.rows()

    assert row.ratio > 1


def test_warm_calls_of_all_sizes_are_measured_as_json_and_binary():
    assert len(warm.rows()) == 8


def test_whether_a_caller_is_known_is_measured_cold_and_warm():
    assert len(authorise.rows()) == 2
