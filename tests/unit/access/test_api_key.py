from datetime import UTC, datetime

import pytest

from headrace_runtime.access.api_key import DRAW_BYTES, NewKey, SecretHash, parts_of
from headrace_runtime.access.key_facts import KeyFacts, moment
from headrace_runtime.errors import UnfitInput

NEW = NewKey.drawn(bytes(range(DRAW_BYTES)))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def facts(**given):
    return KeyFacts(
        **{"key_id": NEW.key_id, "name": "n", "kept": NEW.kept, "created_at": "x"} | given
    )


def test_a_key_is_made_of_what_was_drawn_and_nothing_else():
    assert NEW.text == "hr_aaaqeayeaudaocaj_CgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCk"
    assert NEW.key_id == "aaaqeayeaudaocaj"
    assert NEW.kept.salt == bytes(range(42, 58)).hex()


def test_a_key_is_known_by_its_hash_and_no_other_is():
    key_id, secret = parts_of(NEW.text)

    assert key_id == NEW.key_id
    assert NEW.kept.is_of(secret)
    assert not NEW.kept.is_of(secret[:-1] + "A")
    assert not NEW.kept.is_of("")


def test_the_same_secret_leaves_another_trace_under_another_salt():
    assert SecretHash.of("s", "00").digest != SecretHash.of("s", "01").digest


@pytest.mark.parametrize(
    "text",
    ["", "hr_", NEW.text[:-1], NEW.text + "A", NEW.text.upper(), f" {NEW.text}", NEW.text + "\n"],
)
def test_what_is_no_key_has_no_parts(text):
    assert parts_of(text) is None


def test_too_few_random_bytes_make_no_key():
    with pytest.raises(ValueError, match="58 random bytes, not of 57"):
        NewKey.drawn(bytes(57))


@pytest.mark.parametrize(
    ("given", "good"),
    [
        ({}, True),
        ({"expires_at": "2026-11-23T12:00:01+00:00"}, True),
        ({"expires_at": "2026-11-23T12:00:00+00:00"}, False),
        ({"revoked_at": "2026-11-23T11:00:00+00:00"}, False),
        ({"revoked_at": "2026-11-24T11:00:00+00:00"}, False),
    ],
)
def test_a_key_is_good_until_it_expires_or_is_revoked(given, good):
    assert facts(**given).good_at(NOON) is good


def test_what_is_shown_of_a_key_holds_no_secret():
    shown = facts(rate_per_s=5, expires_at=moment(NOON)).to_dict()

    assert shown == {
        "id": "aaaqeayeaudaocaj",
        "name": "n",
        "created_at": "x",
        "expires_at": "2026-11-23T12:00:00+00:00",
        "rate_per_s": 5,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "n" * 101},
        {"rate_per_s": 0},
        {"daily_quota": 0},
        {"daily_quota": 10**9 + 1},
    ],
)
def test_a_key_whose_facts_make_no_sense_is_refused(given):
    with pytest.raises(UnfitInput):
        facts(**given)
