"""One synth for all: what the CDK app says, as AWS would read it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.aws import lambda_python as interpreters
from tests.infrastructure.cloud import ROOT, Cloud


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of templates, written where there is no account, no Docker and no Node."""
    folder = tmp_path_factory.mktemp("assembly")
    _run("infra.aws", "--no-bundling", "--outdir", str(folder))
    return folder


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of a stage with all there is, and what cdk-nag finds in it."""
    folder = tmp_path_factory.mktemp("everything")
    _run("tests.infrastructure.everything", str(folder))
    return folder


def _run(module: str, *arguments: str) -> None:
    environment = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", module, *arguments]
    environment["PATH"] = "/nowhere"
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.fixture(scope="session")
def full(everything: Path) -> Cloud:
    """What the templates of that stage promise."""
    return Cloud(everything)


@pytest.fixture(scope="session")
def signed(everything: Path) -> Cloud:
    """What the templates of a stage promise whose calls are signed."""
    return Cloud(everything / "signed")


@pytest.fixture(scope="session")
def cloud(everything: Path) -> Cloud:
    """What both templates promise of the stage `dev`, were it given GPUs."""
    return Cloud(everything / "heavy")


@pytest.fixture(scope="session")
def light(assembly: Path) -> Cloud:
    """What both templates promise of the stage `dev`, which has none."""
    return Cloud(assembly)


@pytest.fixture(scope="session")
def lambda_python() -> Path:
    """An interpreter of the version that Lambda runs; without one the test is left out."""
    try:
        return interpreters.find()
    except interpreters.NoLambdaPython as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def has_lambda_python() -> bool:
    """Whether there is one: where not, `make test` built the layers without bytecode."""
    try:
        interpreters.find()
    except interpreters.NoLambdaPython:
        return False
    return True
