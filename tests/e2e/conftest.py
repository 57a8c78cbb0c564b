"""The local cloud as a user starts it: a process of its own, found by the file that it writes."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.probe_cloud import write_assembly

ROOT = Path(__file__).parents[2]
READY_S = 60
STOP_S = 20


@dataclass
class Cloud:
    """A running local cloud.

    `env` holds what its env file exports, `url` is its HTTP API's, `home` the folder of its state.
    """

    process: subprocess.Popen[str]
    home: Path
    env: dict[str, str]
    output: Path

    @property
    def url(self) -> str:
        return self.env["HEADRACE_URL"]

    @property
    def api_key(self) -> str:
        return self.env["HEADRACE_API_KEY"]

    @property
    def credential(self) -> dict[str, str]:
        """The header of a call that may do everything."""
        return {"authorization": f"Bearer {self.api_key}"}

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client of this cloud."""
        own = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        return boto3.client(
            service,
            **options,
            endpoint_url=self.env.get(own, self.env["AWS_ENDPOINT_URL"]),
            region_name=self.env["AWS_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def log(self, function: str) -> str:
        """Return what a function printed, named by its folder (`predict`)."""
        return (self.home / "logs" / f"{function}.log").read_text()

    def family(self) -> list[int]:
        """Return the processes that the cloud has started, and theirs."""
        return _descendants(self.process.pid)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; return its exit status. Fails if anything that it started is left."""
        family = self.family()
        self.process.send_signal(how)
        status = self.process.wait(STOP_S)
        eventually(lambda: not any(map(alive, family)), within_s=5, what="no process is left")
        return status


def eventually(holds: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """Return what *holds* returns once that is true; fail if it is not within the time."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        if time.monotonic() > end:
            pytest.fail(f"not within {within_s} s: {what}")
        time.sleep(0.05)
    return found


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not yet asked for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def start_cloud(home: Path, **environment: str) -> Cloud:
    """Start a local cloud and wait until it is ready."""
    home.mkdir(parents=True, exist_ok=True)
    output = home / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env={**os.environ, "PORT": "0", "HEADRACE_HOME": str(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    env_file = home / "env"
    end = time.monotonic() + READY_S
    while not env_file.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            process.wait()
            pytest.fail(f"the local cloud did not start:\n{output.read_text()}")
        time.sleep(0.05)
    return Cloud(process, home, read_env(env_file), output)


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of `export NAME=value` lines."""
    words = (shlex.split(line)[1] for line in path.read_text().splitlines())
    return dict(word.split("=", 1) for word in words)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """This repository's own template, deployed and running; one for all tests of the session."""
    # Most models of these tests are never asked for on a GPU: their endpoints need not load them.
    started = start_cloud(tmp_path_factory.mktemp("cloud"), HEADRACE_GPU_CHECK="archive")
    yield started
    assert started.stop() == 0, started.output.read_text()


@pytest.fixture(scope="session")
def probe_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sources and the assembly of `probe_cloud` lie, and what its consumer got."""
    folder = tmp_path_factory.mktemp("probe")
    write_assembly(folder, delivered=folder / "delivered")
    return folder


@pytest.fixture(scope="session")
def probe(probe_sources: Path) -> Iterator[Cloud]:
    """A cloud with the functions, routes and queues of `probe_cloud`."""
    assembly = str(probe_sources / "assembly")
    home = probe_sources / "home"
    started = start_cloud(home, HEADRACE_ASSEMBLY=assembly, SECRET_OF_MINE="1")
    yield started
    assert started.stop() == 0, started.output.read_text()


def _descendants(pid: int) -> list[int]:
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found
