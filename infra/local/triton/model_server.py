"""A server of one model, as an instance of SageMaker's runs it: `/ping` and `/invocations`."""

import http.client
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from infra.local.child_processes import ChildProcesses
from infra.local.process_family import family
from infra.local.triton import shared_memory
from infra.local.triton.archive import MODEL, unpack
from infra.local.triton.load_failure import ModelServerFailed, reason_in
from infra.local.triton.model_config import ConfigRefused, read_config
from infra.local.triton.model_engine import TRITON, engine_for
from infra.local.triton.server_command import stand_in_command, triton_command

_START_S = 120.0
_GONE_S = 5.0


class ModelServer:
    """A server that takes requests, from this machine only.

    Attributes:
        engine: "triton", or "stand-in".
        url: `http://127.0.0.1:<port>` of SageMaker's two routes.
        http_url: the same of Triton's own HTTP, None unless it was asked for and runs.
        pid: of the process that leads the others.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], children: ChildProcesses, engine: str, memory: str
    ) -> None:
        self.engine = engine
        self.url = ""
        self.http_url: str | None = None
        self.pid = process.pid
        self._process, self._children, self._memory = process, children, memory

    def stop(self) -> None:
        """End it, whatever it is doing: nothing of it is left. Again is harmless."""
        # An orderly end takes Triton a second and a client that keeps its connection longer, and
        # it has nothing to save.
        members = family(self.pid)[1:]
        self._children.kill(self._process)
        end = time.monotonic() + _GONE_S
        while any(map(_lives, members)) and time.monotonic() < end:
            time.sleep(0.005)
        shared_memory.remove(self._memory)

    def wait_until_up(self, ports: Path, log: Path, *, after: int, also_http: bool) -> None:
        """Learn the ports and see that it answers.

        Args:
            ports: the file that it writes them to.
            log: what it prints.
            after: bytes of the log that are not its own.
            also_http: whether it opens Triton's own HTTP.

        Raises:
            ModelServerFailed: it ended, or took longer than two minutes.
        """
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            # Triton binds its own HTTP port first, SageMaker's last: once the model is loaded.
            opened = ports.read_text().split() if ports.exists() else []
            if len(opened) == 1 + also_http and _answers(int(opened[-1])):
                self.url = f"http://127.0.0.1:{opened[-1]}"
                self.http_url = f"http://127.0.0.1:{opened[0]}" if also_http else None
                return
            if self._process.poll() is not None:
                raise ModelServerFailed(reason_in(log, after=after))
            time.sleep(0.01)
        raise ModelServerFailed(f"it does not answer after {_START_S:.0f} seconds")


def start_model_server(
    archive: Path,
    *,
    environment: Mapping[str, str],
    children: ChildProcesses,
    scratch: Path,
    log: Path,
    also_http: bool = False,
) -> ModelServer:
    """Start a server of the model in a model.tar.gz, and return once it answers.

    It is Triton where Triton runs, else the stand-in; HEADRACE_MODEL_SERVER=triton or =stand-in
    decides.

    Args:
        archive: with `model/config.pbtxt` and `model/1/model.onnx`.
        children: what starts it and ends it with the local cloud.
        environment: of the container: SAGEMAKER_TRITON_….
        scratch: a folder that is not there yet, for what it needs while it runs; remove it then.
        log: what it prints is added there.
        also_http: open Triton's own HTTP too; the stand-in has none.

    Raises:
        ArchiveRefused: the archive is none that SageMaker's container could unpack and serve.
        ModelServerFailed: the model cannot be loaded, or the server that is forced cannot run.
    """
    unpack(archive, scratch / "repository")
    try:
        config = read_config((scratch / "repository" / MODEL / "config.pbtxt").read_text())
    except ConfigRefused as error:
        raise ModelServerFailed(str(error)) from error
    engine, memory = engine_for(config), shared_memory.new_prefix()
    shared_memory.remove_orphans()
    also_http = also_http and engine == TRITON
    if engine == TRITON:
        command = triton_command(environment, scratch, memory=memory, also_http=also_http)
    else:
        command = stand_in_command(environment, scratch)
    with log.open("ab") as output:
        before = output.tell()
        process = children.start(
            command.arguments, env=command.environment, cwd=command.folder, output=output
        )
    server = ModelServer(process, children, engine, memory)
    try:
        server.wait_until_up(scratch / "ports", log, after=before, also_http=also_http)
    except BaseException:
        server.stop()
        raise
    return server


def _lives(pid: int) -> bool:
    """Whether a thread of a process runs yet: until the last one ends, its ports are open."""
    try:
        states = [
            stat.read_text().rpartition(")")[2].split()[0]
            for stat in Path("/proc", str(pid), "task").glob("*/stat")
        ]
    except OSError:  # one ended as it was looked at
        return True
    return any(state != "Z" for state in states)  # what only waits for whoever adopted it


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
