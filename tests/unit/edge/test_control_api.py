import json

import pytest

from headrace_runtime.edge.control_api import AliasMove, alias_move
from headrace_runtime.errors import Conflict, InvalidInput, UnfitInput
from headrace_runtime.model.alias import Alias, Canary


def test_a_move_is_read_from_a_body():
    body = b'{"version": 3, "canary": {"version": 4, "weight": 1}, "revision": 7}'
    assert alias_move(body) == AliasMove(3, Canary(4, 1.0), 7)


def test_canary_and_revision_may_be_left_out_or_null():
    assert alias_move(b'{"version": 3}') == AliasMove(3, None, None)
    assert alias_move(b'{"version": 3, "canary": null, "revision": null}').canary is None


@pytest.mark.parametrize(
    ("move", "error"),
    [
        ({}, "version of the body must be a whole number"),
        ([], "the body must be a JSON object"),
        ({"version": "2"}, "version of the body must be a whole number"),
        ({"version": True}, "version of the body must be a whole number"),
        ({"version": 2.0}, "version of the body must be a whole number"),
        ({"version": 0}, "version of the body must be a whole number from 1 to 999999999"),
        ({"version": 10**9}, "version of the body must be a whole number from 1 to 999999999"),
        ({"version": 2, "revision": "1"}, "revision of the body must be a whole number"),
        ({"version": 2, "wieght": 1}, "the body has no member 'wieght'"),
        ({"version": 2, "canary": 1}, "canary must be a JSON object"),
        ({"version": 2, "canary": {"version": 1}}, "weight of canary must be a number in"),
        ({"version": 2, "canary": {"version": 1, "weight": True}}, "weight of canary must be"),
        ({"version": 2, "canary": {"version": 1, "weight": 1.5}}, "weight must be in (0, 1]"),
        ({"version": 2, "canary": {"version": 1, "weight": 0}}, "weight must be in (0, 1]"),
    ],
)
def test_a_body_that_is_no_move_is_refused(move, error):
    with pytest.raises(UnfitInput) as refused:
        alias_move(json.dumps(move).encode())
    assert error in refused.value.sentence


@pytest.mark.parametrize("body", ["", "{", "\ufeff{}", '{"version": 1} {}'])
def test_a_body_that_is_no_json_is_refused(body):
    with pytest.raises(InvalidInput):
        alias_move(body.encode())


def test_a_version_is_never_its_own_canary():
    with pytest.raises(UnfitInput, match="version 2 cannot be its own canary"):
        AliasMove(2, Canary(2, 0.5), None).apply("live", Alias("live", 1))


def test_a_move_counts_the_revision_up():
    assert AliasMove(2, None, 4).apply("live", Alias("live", 1, None, 4)).revision == 5


@pytest.mark.parametrize(
    ("stands", "sentence"),
    [
        (Alias("live", 1, None, 5), "alias 'live' is at revision 5, not at 4: read it again"),
        (None, "alias 'live' is at no revision, it does not exist, not at 4: read it again"),
    ],
)
def test_a_move_from_another_revision_is_a_conflict(stands, sentence):
    with pytest.raises(Conflict, match=sentence):
        AliasMove(2, None, 4).apply("live", stands)
