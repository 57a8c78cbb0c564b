"""Keys of the inbox name a model, perhaps an alias or version, and a format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.job_key import JobKey, job_id, parse_key, results_prefix
from headrace_runtime.batch.source import Source
from headrace_runtime.errors import InvalidInput, InvalidName


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("digits/rows.csv", JobKey("digits", "live")),
        ("inbox/digits/rows.CSV", JobKey("digits", "live")),
        ("digits@3/a/b/rows.jsonl", JobKey("digits", 3)),
        ("inbox/digits@trial/a b+c%2F/é=.jsonl", JobKey("digits", "trial")),
        ("digits//.csv", JobKey("digits", "live")),
    ],
)
def test_a_key_says_what_it_asks_for(key, asked):
    assert parse_key(key) == asked


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("rows.csv", InvalidInput),
        ("inbox/rows.csv", InvalidInput),
        ("/rows.csv", InvalidName),
        ("Digits/rows.csv", InvalidName),
        ("digits@/rows.csv", InvalidName),
        ("digits@0/rows.csv", InvalidName),
        ("inbox/inbox/rows.csv", InvalidName),
        ("digi%74s/rows.csv", InvalidName),
        ("", InvalidInput),
    ],
)
def test_a_key_that_asks_for_nothing_is_refused(key, error):
    with pytest.raises(error):
        parse_key(key)


@pytest.mark.fault("F1", "F3")
def test_one_version_of_an_object_is_one_job():
    first = Source("inbox", "digits/rows.csv", "v1", "e1", 9)

    assert job_id(first) == "1fd57cf293e8c78d178e1baa1811ae57"
    assert job_id(first) == job_id(Source("inbox", "digits/rows.csv", "v1", "other", 10))
    assert job_id(first) != job_id(Source("inbox", "digits/rows.csv", "v2", "e1", 9))


@given(st.text(min_size=1).filter(lambda key: 1 <= len(key.encode(errors="replace")) <= 1024))
def test_keys_of_results_are_keys_and_never_meet(key):
    key = key.encode(errors="replace").decode()
    prefix = results_prefix(key, "0" * 32)

    assert len(f"{prefix}results.parquet".encode()) <= 1024
    assert prefix.endswith(f"/{'0' * 32}/")


def test_long_keys_are_cut_at_a_character_and_told_apart():
    one, two = (results_prefix("é" * 511 + end, "0" * 32) for end in "ab")

    assert one != two
    assert len(f"{one}results.parquet".encode()) in (1023, 1024)


def test_no_results_lie_where_parts_do():
    assert results_prefix("_parts/rows.csv", "0" * 32) == f"~_parts/rows.csv/{'0' * 32}/"
