"""The registry under races, on moto."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import boto3
import pytest

from headrace_runtime.aws.registration import Registration
from headrace_runtime.errors import Conflict, ModelNotFound, ModelRefused, Unavailable
from headrace_runtime.model.alias import Alias, Canary
from headrace_runtime.model.manifest import Manifest, Profile
from tests import onnx_models

REFUSED = ModelRefused("A_RULE", "a reason: some advice")


def _maker(digest: str) -> Callable[[int], Manifest]:
    def make(version: int) -> Manifest:
        return Manifest(
            model="digits",
            version=version,
            digest=digest,
            size_bytes=1,
            origin="s3://models/models/digits/a.onnx?versionId=1",
            signature=onnx_models.linear_signature(),
            files=(),
            profile=Profile(1.0, 0.1, 1, "1.32.0", optimise=True),
            registered_at="2026-11-23T09:00:00+00:00",
        )

    return make


def _refuse(registration: Registration, digest: str, why: ModelRefused = REFUSED) -> None:
    registration.refuse("digits", digest, why, origin="s3://…", refused_at="2026-11-23")


@pytest.fixture
def registration(registration, monkeypatch) -> Registration:
    """Make each request one step, as DynamoDB's are: moto copies and restores tables unguarded."""
    client, lock = registration._writer, Lock()
    real = client._make_api_call

    def one_at_a_time(*request):
        with lock:
            return real(*request)

    monkeypatch.setattr(client, "_make_api_call", one_at_a_time)
    return registration


@pytest.fixture
def interrupted(registration, monkeypatch) -> Callable[..., None]:
    """Let the next transactions be cancelled for the reasons given, before the table hears."""
    client = registration._writer
    real = client.transact_write_items

    def interrupt(*reasons: str) -> None:
        waiting = list(reasons)

        def transact(**request):
            if not waiting:
                return real(**request)
            answer = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": "None"}, {"Code": waiting.pop(0)}],
            }
            raise client.exceptions.TransactionCanceledException(answer, "TransactWriteItems")

        monkeypatch.setattr(client, "transact_write_items", transact)

    return interrupt


def test_racing_registrations_of_different_bytes_become_one_version_each(registration):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda n: registration.accept("digits", _maker(f"d{n}")), range(8)))
    assert sorted(manifest.version for manifest in made) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert registration.manifests("digits") == sorted(made, key=lambda m: m.version)
    assert registration.aliases("digits") == [Alias("live", 1)]


def test_racing_registrations_of_the_same_bytes_become_one_version(registration):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: registration.accept("digits", _maker("d")), range(8)))
    assert {manifest.version for manifest in made} == {1}
    assert len(registration.manifests("digits")) == 1


def test_bytes_that_are_refused_and_accepted_at_once_are_one_of_the_two(registration):
    def either(n: int) -> None:
        try:
            if n % 2:
                registration.accept("digits", _maker("d"))
            else:
                _refuse(registration, "d")
        except ModelRefused:
            pass

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(either, range(8)))
    accepted = registration.version_of("digits", "d") is not None
    assert accepted != (registration.refusal("digits", "d") is not None)


def test_a_refusal_lists_the_model(registration):
    _refuse(registration, "d")
    assert registration.models() == ["digits"]
    assert registration.latest("digits") == 0


def test_a_first_refusal_is_never_overwritten(registration):
    _refuse(registration, "d")
    _refuse(registration, "d", ModelRefused("ANOTHER", "another: reason"))
    assert [r["rule"] for r in registration.refusals("digits")] == ["A_RULE"]


def test_refused_bytes_never_become_a_version(registration):
    _refuse(registration, "d")
    with pytest.raises(ModelRefused, match="a reason: some advice"):
        registration.accept("digits", _maker("d"))
    assert registration.manifests("digits") == []


def test_a_version_is_never_refused_afterwards(registration):
    registration.accept("digits", _maker("d"))
    _refuse(registration, "d")
    assert registration.refusals("digits") == []
    assert registration.latest("digits") == 1


def test_the_first_version_after_a_refusal_is_1(registration):
    _refuse(registration, "bad")
    assert registration.accept("digits", _maker("good")).version == 1


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError"])
def test_a_refusal_survives_a_transaction_that_merely_conflicted(registration, interrupted, reason):
    interrupted(reason, reason)
    _refuse(registration, "d")
    assert [r["rule"] for r in registration.refusals("digits")] == ["A_RULE"]


def test_a_version_survives_transactions_that_merely_conflicted(registration, interrupted):
    interrupted("TransactionConflict", "TransactionConflict")
    assert registration.accept("digits", _maker("d")).version == 1


def test_a_registry_that_stays_busy_says_so(registration, interrupted, monkeypatch):
    monkeypatch.setattr("headrace_runtime.aws.registration.time.sleep", lambda _: None)
    interrupted(*["TransactionConflict"] * 50)
    with pytest.raises(Unavailable, match="the registry is busy"):
        _refuse(registration, "d")
    assert registration.refusals("digits") == []


def test_racing_changes_of_an_alias_all_happen_one_after_the_other(registration):
    for digest in ("a", "b"):
        registration.accept("digits", _maker(digest))

    def move(old: Alias | None) -> Alias:
        return old.moved(2, Canary(1, 0.5)) if old else Alias("live", 2)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: registration.change("digits", "live", move), range(4)))
    assert registration.alias("digits", "live") == Alias("live", 2, Canary(1, 0.5), revision=5)


def test_an_alias_of_an_unknown_model_is_not_made(registration):
    with pytest.raises(ModelNotFound):
        registration.change("digits", "live", lambda _: Alias("live", 1))
    assert registration.models() == []


def test_an_item_that_breaks_a_rule_of_dynamodb_is_no_conflict(registration):
    boto3.client("dynamodb").delete_table(TableName="registry")
    with pytest.raises(registration._writer.exceptions.ResourceNotFoundException):
        _refuse(registration, "d")


def test_a_move_from_where_the_alias_no_longer_is_is_a_conflict(registration):
    registration.accept("digits", _maker("d"))
    stale = Alias("live", 1, revision=7)
    with pytest.raises(Conflict, match="alias 'live' of model 'digits' has moved"):
        registration.move("digits", stale, stale.moved(1))
    assert registration.alias("digits", "live") == Alias("live", 1)
