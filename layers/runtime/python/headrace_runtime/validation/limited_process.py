"""The parent's side of the limited child: start it, hear it out, say how it ended."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, inf
from threading import Timer
from typing import IO, Any

from headrace_runtime.errors import ModelRefused, Unavailable
from headrace_runtime.inference import bare_process

_MAX_ANSWER_BYTES = 4 << 20


class End(Enum):
    """How a child ended that gave no answer."""

    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may take.

    Attributes:
        timeout_s: seconds of wall clock.
        cpu_s: seconds of CPU, of one thread; no more than timeout_s in any case.
        memory_bytes: its address space, libraries included (0.3 GB of it).
        file_bytes: the largest file that it may write; 0 for none.
    """

    timeout_s: float
    memory_bytes: int
    file_bytes: int = 0
    cpu_s: float = inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "cpu_s", min(self.cpu_s, self.timeout_s))


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of a child that has ended.

    Attributes:
        answer: what it gave, or None where it gave nothing.
        stages: what it reported on its way, in order.
        end: how it ended without an answer; None where it answered.
        signal_name: the signal that ended it, "" for none.
    """

    answer: dict[str, Any] | None
    stages: tuple[str, ...]
    end: End | None = None
    signal_name: str = field(default="")


def run(module: str, work: Mapping[str, Any], limits: Limits) -> Ended:
    """Run a child's module on *work* in a fresh process without privileges worth having.

    It sees no environment, no open file and no folder of ours, has its own session, and is killed
    with all it started when its time is over.

    Raises:
        ModelRefused: the child refused the model.
        Unavailable: the child died before it had looked at the model, or the machine gave it no
            CPU: that says nothing about the model.
    """
    process = subprocess.Popen(
        bare_process.command(module, *_arguments(work, limits)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=bare_process.environment(),
        cwd="/",
        start_new_session=True,
    )
    killer = Timer(limits.timeout_s, os.killpg, (process.pid, signal.SIGKILL))
    killer.start()
    with process:
        lines = _lines(process.stdout)
        # Reap only once the timer can no longer hit a process that took over the number.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        timed_out = not killer.is_alive()
        killer.cancel()
        os.killpg(process.pid, signal.SIGKILL)  # whatever it may have started
        before = os.times()
        process.wait()
    after = os.times()
    used_s = after.children_user + after.children_system - before.children_user
    used_s -= before.children_system
    return _judged(lines, process.returncode, starved=timed_out and used_s < limits.cpu_s / 4)


def _arguments(work: Mapping[str, Any], limits: Limits) -> list[str]:
    bounds = {
        "cpu_s": ceil(limits.cpu_s),
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
    }
    return [json.dumps(bounds), json.dumps(work)]


def _lines(pipe: IO[bytes] | None) -> list[dict[str, Any]]:
    text = b"" if pipe is None else pipe.read(_MAX_ANSWER_BYTES)
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]


def _judged(lines: list[dict[str, Any]], code: int, *, starved: bool) -> Ended:
    stages = tuple(line["stage"] for line in lines if "stage" in line)
    last = lines[-1] if lines else {}
    if "refused" in last:
        raise ModelRefused(*last["refused"])
    if "answer" in last:
        return Ended(last["answer"], stages)
    if not stages or starved or code > 0:
        raise Unavailable(f"a trial process ended by itself (code {code}): try again")
    if stages[-1] == "out of memory":
        return Ended(None, stages, End.OUT_OF_MEMORY)
    died_of = signal.Signals(-code).name if code else ""
    return Ended(None, stages, _ENDS.get(died_of, End.CRASHED), died_of)


# SIGKILL is ours or that of the CPU's hard limit; the machine's own, for memory, is far rarer.
_ENDS: dict[str, End] = {"SIGXCPU": End.TIMED_OUT, "SIGKILL": End.TIMED_OUT}
