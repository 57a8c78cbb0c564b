"""Child processes that never outlive the local cloud."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import IO

from infra.local.process_family import family


class Closed(Exception):
    """The cloud has stopped: nothing is started any more."""


_KEEPER = Path(__file__).with_name("keeper.py")


class ChildProcesses:
    """Starts processes, each in a process group of its own, and announces them to the keeper.

    Args:
        remove: files and folders that the keeper removes once the cloud is gone.
    """

    def __init__(self, *, remove: Sequence[Path]) -> None:
        # -S -E: it needs the standard library alone, and is up in a few milliseconds.
        self._keeper = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_KEEPER), *map(str, remove)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        self._lock = Lock()
        self._running: set[int] = set()

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        output: int | IO[bytes],
        errors: int | IO[bytes] = subprocess.STDOUT,
    ) -> subprocess.Popen[bytes]:
        """Start a command that reads nothing and leads a process group of its own.

        Raises:
            Closed: nothing runs.
        """
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        self._running.add(process.pid)
        if not self._announce(f"+{process.pid}"):  # no one would end it
            self.kill(process)
            raise Closed
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process with all that it started and all of its group; wait until it is gone."""
        with self._lock:
            if process.pid not in self._running:
                return
            self._running.discard(process.pid)
        # A model runs in a child with a session, and so a group, of its own.
        started = family(process.pid)[1:]
        # Even if it has ended by itself: what it started may not have.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for pid in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        self._announce(f"-{process.pid}")

    def close(self) -> None:
        """Let the keeper clear up, and wait until it has."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            if self._keeper.stdin is not None:
                self._keeper.stdin.close()
        self._keeper.wait()

    def _announce(self, line: str) -> bool:
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            if self._keeper.stdin is not None:
                self._keeper.stdin.write(line + "\n")
                self._keeper.stdin.flush()
                return True
        return False
