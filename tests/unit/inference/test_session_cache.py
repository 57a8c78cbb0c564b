"""Models within a bound of memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headrace_runtime.errors import MissingInput, UnknownOutput
from headrace_runtime.inference.predictor import predict
from headrace_runtime.inference.session import Session
from headrace_runtime.inference.session_cache import SessionCache
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Datatype, Tensor
from tests import onnx_models

MIB = 1 << 20


class World:
    """Versions of one MiB each, what was loaded, and a cache for two and a half of them."""

    def __init__(self, manifest: Manifest, directory: Path) -> None:
        self.manifest = manifest
        self.path = directory / "model.onnx"
        self.path.write_bytes(onnx_models.linear())
        self.loaded: list[str] = []
        self.sessions = SessionCache(5 * MIB // 2, load=self.load)

    def load(self, manifest: Manifest) -> Session:
        self.loaded.append(manifest.digest)
        return Session(self.path, threads=1)

    def use(self, digest: str, *, mib: int = 1) -> None:
        profile = replace(self.manifest.profile, peak_memory_bytes=mib * MIB)
        self.sessions.session(replace(self.manifest, digest=digest, profile=profile))


@pytest.fixture
def world(publish: Callable[..., Manifest], tmp_path: Path) -> World:
    return World(publish("w", onnx_models.linear(), onnx_models.linear_signature()), tmp_path)


def test_a_version_is_loaded_once(world: World) -> None:
    world.use("a")
    world.use("a")

    assert world.loaded == ["a"]


def test_the_least_recently_used_leaves_first(world: World) -> None:
    for digest in ("a", "b", "a", "c", "a", "b"):
        world.use(digest)

    assert world.loaded == ["a", "b", "c", "b"]


def test_a_model_above_the_bound_is_kept_alone(world: World) -> None:
    world.use("a")
    world.use("huge", mib=100)
    world.use("huge", mib=100)
    world.use("a")

    assert world.loaded == ["a", "huge", "a"]


def test_a_call_that_cannot_succeed_loads_nothing(world: World) -> None:
    x = Tensor("x", Datatype.FP32, np.zeros((1, 4), np.float32))

    with pytest.raises(MissingInput):
        predict(world.manifest, [], sessions=world.sessions)
    with pytest.raises(UnknownOutput):
        predict(world.manifest, [x], ["z"], sessions=world.sessions)

    assert world.loaded == []


def test_a_prediction_is_what_the_model_gives(world: World) -> None:
    x = Tensor("x", Datatype.FP32, np.array([[1, 2, 3, 4]], np.float32))

    (y,) = predict(world.manifest, [x], sessions=world.sessions)

    assert y.array.tolist() == [[20.0, 11.0, 2.0]]
