"""How each of the two servers is started."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.triton import loopback_only
from infra.local.triton.archive import MODEL
from infra.local.triton.installation import ROOT, Installation
from infra.local.triton.tritonserver import options

# Of the caller's own environment; all else of it stays out, as in a container.
_PASSED_ON = ("HEADRACE_MODEL_THREADS",)


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """What to start, with which variables, in which folder."""

    arguments: list[str]
    environment: dict[str, str]
    folder: Path


def triton_command(
    environment: Mapping[str, str], scratch: Path, *, memory: str, also_http: bool
) -> ServerCommand:
    """Return how Triton is started; its folder of backends is made."""
    installation, backends = Installation(), scratch / "backends"
    installation.copy_backends(backends)
    told = options(
        environment,
        repository=scratch / "repository",
        backends=backends,
        shared_memory=memory,
        also_http=also_http,
    )
    named = {"SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": MODEL} | dict(environment)
    return ServerCommand(
        [*loopback_only.command(scratch / "ports"), str(installation.server), *told],
        named | _passed_on() | installation.environment(os.environ),
        scratch,
    )


def stand_in_command(environment: Mapping[str, str], scratch: Path) -> ServerCommand:
    """Return how the stand-in is started."""
    module = "infra.local.triton.stand_in"
    return ServerCommand(
        [sys.executable, "-m", module, str(scratch / "repository"), str(scratch / "ports")],
        {"PATH": os.environ.get("PATH", os.defpath)} | dict(environment) | _passed_on(),
        ROOT,
    )


def _passed_on() -> dict[str, str]:
    # OpenBLAS starts a pool of threads at import, which ONNX Runtime never uses.
    given = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"OPENBLAS_NUM_THREADS": "1"} | given
