"""The options with which SageMaker's container starts Triton, as NVIDIA's `serve` writes them."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from infra.local.triton.archive import MODEL

# SAGEMAKER_TRITON_<…> of the container's environment, and what `serve` makes of each.
_OPTIONS = {
    "LOG_VERBOSE": "--log-verbose={}",
    "LOG_INFO": "--log-info={}",
    "LOG_WARNING": "--log-warning={}",
    "LOG_ERROR": "--log-error={}",
    "THREAD_COUNT": "--sagemaker-thread-count={}",
    "BUFFER_MANAGER_THREAD_COUNT": "--buffer-manager-thread-count={}",
    "SHM_DEFAULT_BYTE_SIZE": "--backend-config=python,shm-default-byte-size={}",
    "SHM_GROWTH_BYTE_SIZE": "--backend-config=python,shm-growth-byte-size={}",
}


def options(
    environment: Mapping[str, str],
    *,
    repository: Path,
    backends: Path,
    shared_memory: str,
    also_http: bool,
) -> list[str]:
    """Return the options; every port is any that is free."""
    named = {name: environment.get(f"SAGEMAKER_TRITON_{name}") for name in _OPTIONS}
    model = environment.get("SAGEMAKER_TRITON_DEFAULT_MODEL_NAME", MODEL)
    return [
        "--allow-sagemaker=true",
        "--sagemaker-port=0",
        "--allow-grpc=false",
        "--allow-metrics=false",
        f"--allow-http={str(also_http).lower()}",
        "--http-port=0",
        "--http-address=127.0.0.1",  # two servers at one address may not both ask for port 0
        f"--model-repository={repository}",
        "--model-namespacing=true",
        "--model-control-mode=explicit",
        f"--load-model={model}",
        # An archive's configuration is complete; to look for more takes a second.
        "--disable-auto-complete-config",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={shared_memory}",
        *(_OPTIONS[name].format(value) for name, value in named.items() if value),
        *shlex.split(environment.get("SAGEMAKER_TRITON_ADDITIONAL_ARGS", "")),
    ]
