"""Worlds of integration tests that need more than AWS in the process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.triton.model_engine import why_not_triton
from tests.conftest import CREDENTIALS
from tests.integration.sagemaker_world import World, moto_process


@pytest.fixture(scope="session")
def sagemaker_world() -> Iterator[World]:
    """The one of all tests, before moto in a process of its own, as the local cloud runs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with moto_process() as url:
            yield World(url)


@pytest.fixture
def world(sagemaker_world: World, tmp_path: Path) -> World:
    """SageMaker as the local cloud plays it, with nothing but an empty bucket `work`."""
    sagemaker_world.begin(tmp_path)
    return sagemaker_world


@pytest.fixture(scope="session")
def triton_runs() -> None:
    """The real Triton serves here; where its wheel does not run, what is of it alone is left out.

    Linux on x86_64 with glibc is what NVIDIA builds it for; the stand-in is tested everywhere.
    """
    if reason := why_not_triton():
        pytest.skip(f"Triton does not run here: {reason}")
