"""A cloud on this machine for as long as it is needed, and where its parts are."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_READY_TIMEOUT_S = 120.0  # the first start synthesises the template; later ones take seconds


class NotReady(Exception):
    """The local cloud did not become ready."""


@contextmanager
def started_cloud(home: Path) -> Iterator[Callable[[], Mapping[str, str]]]:
    """Start `python -m infra.local` with its state under *home*; it ends with the context.

    What is yielded waits until the cloud is ready and returns what it exports; it raises
    NotReady, with the cloud's last words, if that does not come.
    """
    said = home / "said"
    env = os.environ | {"PORT": "0", "HEADRACE_HOME": str(home)}
    with said.open("wb") as output:
        cloud = subprocess.Popen(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield lambda: _exports(cloud, home / "env", said)
    finally:
        cloud.send_signal(signal.SIGTERM)
        try:
            cloud.wait(timeout=30)
        except subprocess.TimeoutExpired:
            cloud.kill()
            cloud.wait()


def _exports(cloud: subprocess.Popen[bytes], file: Path, said: Path) -> dict[str, str]:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not file.exists():
        if cloud.poll() is not None or time.monotonic() > deadline:
            last_words = said.read_text(errors="replace")[-2000:]
            raise NotReady(f"the local cloud did not become ready:\n{last_words}")
        time.sleep(0.05)
    words = (word for line in file.read_text().splitlines() for word in shlex.split(line)[1:])
    return dict(word.split("=", 1) for word in words)
