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
    command = [sys.executable, "-m", "infra.aws", "--no-bundling", "--outdir", str(folder)]
    environment = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    subprocess.run(command, cwd=ROOT, env=environment | {"PATH": "/nowhere"}, check=True)
    return folder


@pytest.fixture(scope="session")
def cloud(assembly: Path) -> Cloud:
    """What both templates promise."""
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
