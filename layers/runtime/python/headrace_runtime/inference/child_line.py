"""A child process and the line to it: one JSON object a line, both ways."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from select import POLLHUP, POLLIN, poll
from time import monotonic
from typing import IO, Any, cast

import orjson

from headrace_runtime.inference import bare_process

_READ_BYTES = 64 << 10


class ChildDied(Exception):
    """The child is no more; `signal_name` is "" where no signal ended it."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


class ChildLate(Exception):
    """The child had not answered in time; it was killed."""


class ChildLine:
    """A child that runs a module of ours, and answers."""

    def __init__(self, module: str, *arguments: str, descriptors: Sequence[int] = ()) -> None:
        """Start it, with no other files open than *descriptors*, which keep their numbers."""
        self._process = subprocess.Popen(
            bare_process.command(module, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_process.environment(),
            cwd="/",
            pass_fds=descriptors,
            start_new_session=True,
            bufsize=0,
        )
        self._to = cast("IO[bytes]", self._process.stdin)
        self._from = cast("IO[bytes]", self._process.stdout)
        self._poll = poll()
        self._poll.register(self._from, POLLIN | POLLHUP)
        self._heard = b""

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.poll() is None

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a message.

        Raises:
            ChildDied: there is nobody to hear it.
        """
        text = memoryview(orjson.dumps(message) + b"\n")
        try:
            while text:
                text = text[self._to.write(text) or 0 :]
        except BrokenPipeError:
            raise self._died() from None

    def hear(self, until: float) -> dict[str, Any]:
        """Return the next message.

        Raises:
            ChildDied: it ended before it had answered.
            ChildLate: it had not answered when `time.monotonic()` was *until*, and was killed.
        """
        while b"\n" not in self._heard:
            if not self._poll.poll(max(0.0, until - monotonic()) * 1000):
                self.end()
                raise ChildLate
            more = os.read(self._from.fileno(), _READ_BYTES)
            if not more:
                raise self._died()
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        message: dict[str, Any] = orjson.loads(line)
        return message

    def end(self) -> int:
        """Kill the child if it lives; return how it ended, as `subprocess` counts."""
        self._process.kill()
        self._to.close()
        self._from.close()
        return self._process.wait()

    def _died(self) -> ChildDied:
        """Return how it ended; its end of the line is closed already."""
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = 0
        self.end()
        return ChildDied(signal.Signals(-code).name if code < 0 else "")
