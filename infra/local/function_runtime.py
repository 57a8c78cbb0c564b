"""One deployed function: as many processes as there are events at a time, up to a ceiling."""

import itertools
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from threading import Condition

from infra.local.child_processes import ChildProcesses
from infra.local.function_process import FunctionProcess
from infra.local.function_spec import FunctionSpec
from infra.local.invocation import MAX_REQUEST_BYTES, Outcome, RequestTooLarge, Throttled
from infra.local.memory_watch import MemoryWatch
from infra.local.runtime_api import ProcessGone
from infra.local.source_stamp import SourceStamp

# More than twice the machine's CPUs would only take turns.
DEFAULT_CEILING = max(4, 2 * (os.cpu_count() or 1))


class FunctionRuntime:
    """Runs a function; idle processes are kept for the next event.

    Args:
        aws: variables with which its processes reach the local cloud.
        scratch: where each process gets a folder of its own.
        log: the file that they all write to.
        ceiling: processes at a time.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        aws: Mapping[str, str],
        children: ChildProcesses,
        memory: MemoryWatch,
        scratch: Path,
        log: Path,
        ceiling: int = DEFAULT_CEILING,
    ) -> None:
        self.spec = spec
        self.ceiling = ceiling
        self._aws = aws
        self._children = children
        self._memory = memory
        self._scratch = scratch
        self._log = log
        self._stamp = SourceStamp((spec.folder, *spec.layers))
        self._change = Condition()
        self._processes: set[FunctionProcess] = set()
        self._idle: list[FunctionProcess] = []
        self._starting = 0
        self._numbers = itertools.count(1)
        self._stopped = False

    def invoke(self, event: bytes, *, patience_s: float = 10.0) -> Outcome:
        """Return what the function makes of an event.

        Args:
            event: JSON.
            patience_s: how long to wait when every process is busy.

        Raises:
            RequestTooLarge: the event is above 6 MB.
            Throttled: every process stayed busy.
        """
        if len(event) > MAX_REQUEST_BYTES:
            raise RequestTooLarge
        request_id = str(uuid.uuid4())
        while True:
            process, error = self._take(time.monotonic() + patience_s)
            try:
                return error or process.invoke(event, request_id)
            except ProcessGone:  # it died while idle: the event still waits
                continue
            finally:
                self._give_back(process)

    def stop(self) -> None:
        """End every process."""
        with self._change:
            self._stopped = True
            idle, self._idle = self._idle, []
            busy = self._processes.difference(idle)
            self._processes.clear()
            self._change.notify_all()
        for process in busy:
            process.kill()
        for process in idle:
            process.end()

    def _take(self, deadline: float) -> tuple[FunctionProcess, Outcome | None]:
        with self._change:
            stamp = self._stamp.read()
            self._end_stale(stamp)
            while not self._idle and len(self._processes) + self._starting >= self.ceiling:
                if self._stopped or not self._change.wait(deadline - time.monotonic()):
                    raise Throttled
            if self._stopped:
                raise Throttled
            if self._idle:
                return self._idle.pop(), None
            self._starting += 1
        return self._start(stamp)

    def _start(self, stamp: int) -> tuple[FunctionProcess, Outcome | None]:
        try:
            process = FunctionProcess(
                self.spec,
                aws=self._aws,
                children=self._children,
                memory=self._memory,
                folder=self._scratch / f"{self.spec.name}-{next(self._numbers)}",
                log=self._log.open("ab", buffering=0),
                stamp=stamp,
                keep_bytecode=not self._stamp.just_edited,
            )
        except BaseException:
            with self._change:
                self._starting -= 1
                self._change.notify()
            raise
        with self._change:
            self._starting -= 1
            self._processes.add(process)
        return process, process.start()

    def _give_back(self, process: FunctionProcess) -> None:
        with self._change:
            if process.usable and process in self._processes:
                self._idle.append(process)
                self._change.notify()
                return
            self._processes.discard(process)
            self._change.notify()
        process.end()

    def _end_stale(self, stamp: int) -> None:
        stale = [process for process in self._idle if process.stamp != stamp]
        for process in stale:
            self._idle.remove(process)
            self._processes.discard(process)
            process.end()
