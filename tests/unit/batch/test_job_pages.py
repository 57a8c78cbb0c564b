"""Tokens of pages, which callers keep and may change."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.job import JobState
from headrace_runtime.batch.job_pages import JobFilter, Place, place_in, token_of
from headrace_runtime.errors import UnfitInput

WINE = JobFilter(model="wine")
PLACE = Place("2026-11-26", "2026-11-26T09:00:00.123456+00:00#3f2b8c1d9e7a4f60b5c4d3e2f1a09b8c")


@pytest.mark.parametrize("wanted", [JobFilter(), WINE, JobFilter("wine", JobState.FAILED)])
@pytest.mark.parametrize("place", [PLACE, Place("2026-11-26")])
def test_a_token_leads_back_to_its_place(place, wanted):
    assert place_in(token_of(place, wanted), wanted) == place


@pytest.mark.parametrize("other", [JobFilter(), JobFilter("win"), JobFilter(state=JobState.FAILED)])
def test_a_token_of_another_filter_is_refused(other):
    with pytest.raises(UnfitInput, match="of a list with another model or state"):
        place_in(token_of(PLACE, WINE), other)


def test_a_place_can_be_told_without_naming_a_job():
    place = PLACE.without_job

    assert place == Place("2026-11-26", "2026-11-26T09:00:00.123456+00:00#~")
    assert place.before > PLACE.before  # so that nothing is left out


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_what_is_no_token_is_refused(text):
    with pytest.raises(UnfitInput, match="next must be the value"):
        place_in(text, WINE)


@pytest.mark.parametrize(
    "plain",
    [
        [WINE.fingerprint, "2026-13-26", "~"],
        [WINE.fingerprint, "yesterday", "~"],
        [WINE.fingerprint, "2026-11-26", ""],
        [WINE.fingerprint, "2026-11-26", 7],
        [WINE.fingerprint, "2026-11-26"],
        {"a": 1, "b": 2, "c": 3},
        "abc",
        [[[]]] * 3,
    ],
)
def test_a_token_that_somebody_made_up_is_refused(plain):
    token = base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")

    with pytest.raises(UnfitInput, match="next must be the value"):
        place_in(token, WINE)
