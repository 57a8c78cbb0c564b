"""A server of one model, as a SageMaker instance runs it: `/ping` and `/invocations`."""

import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path

from infra.local.child_processes import ChildProcesses
from infra.local.triton.archive import MODEL, unpack
from infra.local.triton.installation import READY, Installation

_START_S = 60.0


class ModelServerFailed(Exception):
    """A server that did not come up, and its own words for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The model cannot be served: {reason}")
        self.reason = reason


class ModelServer:
    """A running server, on 127.0.0.1 only.

    Attributes:
        url: where /ping and /invocations are.
        engine: "triton" or "stand-in".
        http_url: Triton's own HTTP, for those who asked for it.
        pid: of the process that leads all of its processes.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        children: ChildProcesses,
        *,
        engine: str,
        urls: list[str],
        shared_memory: str,
    ) -> None:
        self.engine = engine
        self.url = urls[-1]
        self.http_url = urls[0] if len(urls) > 1 else None
        self.pid = process.pid
        self._process, self._children, self._shared_memory = process, children, shared_memory

    def stop(self) -> None:
        """End it, whatever it does: nothing is left of it, nor of what it has in hand."""
        self._children.kill(self._process)
        for left in Path("/dev/shm").glob(f"{self._shared_memory}*"):
            left.unlink(missing_ok=True)


def start_model_server(
    archive: Path,
    *,
    environment: Mapping[str, str],
    children: ChildProcesses,
    scratch: Path,
    log: Path,
    also_http: bool = False,
) -> ModelServer:
    """Start a server of the model in model.tar.gz and wait until it answers.

    Args:
        environment: of the container: SAGEMAKER_TRITON_….
        scratch: a folder for what it needs while it runs; it is made, and the caller's to remove.
        log: where it prints.
        also_http: open Triton's own HTTP port as well.

    Raises:
        ArchiveRefused: the archive holds no model as SageMaker's container wants it.
        ModelServerFailed: the model cannot be loaded.
    """
    unpack(archive, scratch / "repository")
    installation = Installation()
    installation.copy_backends(scratch / "backends")
    ports = scratch / "ports"
    shared_memory = f"headrace-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    command = [
        *installation.command(ports),
        f"--model-repository={scratch / 'repository'}",
        f"--backend-directory={scratch / 'backends'}",
        "--allow-sagemaker=true",
        "--sagemaker-port=0",
        "--allow-grpc=false",
        f"--allow-http={'true' if also_http else 'false'}",
        "--http-address=127.0.0.1",
        "--http-port=0",
        "--allow-metrics=false",
        "--model-namespacing=true",
        "--model-control-mode=explicit",
        f"--load-model={environment.get('SAGEMAKER_TRITON_DEFAULT_MODEL_NAME', MODEL)}",
        f"--backend-config=python,shm-region-prefix-name={shared_memory}",
        "--exit-timeout-secs=1",
    ]
    with log.open("ab") as output:
        process = children.start(
            command,
            env={
                **environment,
                **installation.environment(os.environ),
                "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": environment.get(
                    "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME", MODEL
                ),
            },
            cwd=scratch,
            output=output,
        )
    try:
        urls = _opened(process, ports, 1 + also_http, log)
    except BaseException:
        children.kill(process)
        raise
    return ModelServer(process, children, engine="triton", urls=urls, shared_memory=shared_memory)


def _opened(process, ports, expected, log):
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ModelServerFailed(_reason(log))
        lines = ports.read_text().split() if ports.exists() else []
        if len(lines) == expected:
            urls = [f"http://127.0.0.1:{line}" for line in lines]
            try:
                with urllib.request.urlopen(f"{urls[-1]}/ping", timeout=5) as answer:
                    if answer.status == 200:
                        return urls
            except OSError:
                pass
        time.sleep(0.01)
    raise ModelServerFailed("it did not answer in 60 seconds")


def _reason(log):
    lines = log.read_text(errors="replace").splitlines()
    return next((line for line in lines if "failed to load" in line), lines[-1] if lines else "")
