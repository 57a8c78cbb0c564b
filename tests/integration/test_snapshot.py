"""Predict as Lambda takes a snapshot of it: models loaded and run, nothing unique inside."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import snapshot_restore_py

from headrace_runtime.aws.signed_http import SignedHttp
from tests import onnx_models


@pytest.fixture
def snapped(
    function: Callable[..., Any], publish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """Start predict with models to keep warm, up to where Lambda takes the snapshot."""
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setattr(snapshot_restore_py, "_before_snapshot_registry", [])
    monkeypatch.setattr(snapshot_restore_py, "_after_restore_registry", [])

    def start(models: str) -> Any:
        handler = function("predict", warm_models=models)
        for before, args, named in snapshot_restore_py._before_snapshot_registry:
            before(*args, **named)
        return handler

    return start


@pytest.mark.parametrize("models", ["wine", "wine@1", "wine@live"])
def test_a_model_to_keep_warm_is_in_memory(snapped: Callable[[str], Any], models: str):
    assert snapped(models).sessions._sessions


def test_a_call_after_the_restore_fetches_nothing(
    snapped: Callable[[str], Any], event: Callable[..., Any], context: Any, monkeypatch
):
    handler = snapped("wine")
    monkeypatch.setattr(type(handler.s3), "get_object", None)
    answer = handler.lambda_handler(event("predict.infer_json"), context)
    assert answer["statusCode"] == 200


def test_what_an_alias_was_is_not_believed_after_the_restore(snapped: Callable[[str], Any]):
    assert not snapped("wine").routing._aliases


def test_no_connection_is_in_the_snapshot(
    snapped: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
):
    made: list[SignedHttp] = []
    start = SignedHttp.__init__
    monkeypatch.setattr(
        SignedHttp, "__init__", lambda self, name: (made.append(self), start(self, name))[1]
    )
    snapped("wine")
    assert made
    assert [http for http in made if http._connection is not None] == []


def test_a_model_that_is_not_there_is_told_and_holds_nothing_up(
    snapped: Callable[[str], Any], capfd: pytest.CaptureFixture[str]
):
    handler = snapped("none,wine")
    assert handler.sessions._sessions
    assert '"ModelNotFound"' in capfd.readouterr().out


def test_sandboxes_of_one_snapshot_draw_differently(snapped: Callable[[str], Any]):
    snapped("")
    ((restored, _, _),) = snapshot_restore_py._after_restore_registry
    draws = set()
    for _ in range(3):
        random.seed(1)
        restored()
        draws.add(random.random())
    assert len(draws) == 3
