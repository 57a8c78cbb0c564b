"""One process of a function, under Lambda's own runtime client."""

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from infra.local.child_processes import ChildProcesses
from infra.local.function_environment import event_headers, process_environment
from infra.local.function_spec import FunctionSpec
from infra.local.invocation import (
    MAX_RESPONSE_BYTES,
    Outcome,
    exited,
    failure,
    out_of_memory,
    response_too_large,
    timed_out,
)
from infra.local.memory_watch import MemoryWatch
from infra.local.runtime_api import ProcessGone, RuntimeApi

INIT_TIMEOUT_S = 10.0


class FunctionProcess:
    """Takes one event at a time, until it dies or is ended.

    Args:
        aws: variables with which the process reaches the local cloud: credentials, region,
            AWS_ENDPOINT_URL.
        folder: its own /tmp, removed when it ends.
        log: what it prints goes here.
        stamp: of which state of the sources it is.
        keep_bytecode: whether Python may write .pyc files for the next process.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        aws: Mapping[str, str],
        children: ChildProcesses,
        memory: MemoryWatch,
        folder: Path,
        log: IO[bytes],
        stamp: int,
        keep_bytecode: bool,
    ) -> None:
        self.stamp = stamp
        self.usable = True
        self._spec = spec
        self._children = children
        self._memory = memory
        self._folder = folder
        self._log = log
        self._too_much_bytes = 0
        self._api = RuntimeApi()
        folder.mkdir(parents=True)
        self._process = children.start(
            # -S: the virtual environment's own path entries (the repository among them) are not
            # there on Lambda; what is there is named in PYTHONPATH.
            [
                sys.executable,
                "-S",
                *([] if keep_bytecode else ["-B"]),
                "-m",
                "awslambdaric",
                spec.handler,
            ],
            env=process_environment(spec, aws=aws, runtime_api=self._api.address, folder=folder),
            cwd=spec.folder,
            output=log,
        )

    def start(self) -> Outcome | None:
        """Wait until it is ready for events; return how it failed to start, if it did.

        Lambda ends a start that takes 10 s and tries once more within the function's own
        time-out: so a start succeeds that fits into the longer of the two.
        """
        deadline = time.monotonic() + max(INIT_TIMEOUT_S, self._spec.timeout_s)
        request_id = str(uuid.uuid4())
        self._memory.watch(self._process.pid, self._spec.memory_mb << 20, self._end_for_memory)
        try:
            error = self._api.await_next(deadline, self._alive)
        except TimeoutError:
            self.usable = False
            return timed_out(self._spec.timeout_s, request_id)
        except ProcessGone:
            self.usable = False
            return self._died(request_id)
        finally:
            self._memory.forget(self._process.pid)
        if error is None:
            return None
        self.usable = False
        return Outcome(error, failed=True)

    def invoke(self, event: bytes, request_id: str) -> Outcome:
        """Return the function's answer to an event, within the function's time and memory.

        Raises:
            ProcessGone: it had died while idle; it never saw the event.
        """
        timeout_s = self._spec.timeout_s
        deadline = time.monotonic() + timeout_s
        try:
            self._api.await_next(deadline, self._alive)
            self._write(f"START RequestId: {request_id} Version: $LATEST")
            self._api.send_event(event, event_headers(self._spec.arn, request_id, timeout_s))
        except (ProcessGone, TimeoutError) as error:
            self.usable = False
            raise ProcessGone from error
        began = time.monotonic()
        outcome = self._answer(request_id, deadline)
        took_ms = 1e3 * (time.monotonic() - began)
        if not self.usable:  # what the function did not say itself
            self._write(outcome.payload.decode("utf-8", "replace")[:1024])
        self._write(
            f"END RequestId: {request_id}\nREPORT RequestId: {request_id} "
            f"Duration: {took_ms:.2f} ms Memory Size: {self._spec.memory_mb} MB"
        )
        return outcome

    def kill(self) -> None:
        """Kill it with all that it started; whoever waits for its answer learns of it."""
        self.usable = False
        self._children.kill(self._process)

    def _answer(self, request_id: str, deadline: float) -> Outcome:
        timeout_s = self._spec.timeout_s
        pid = self._process.pid
        self._memory.watch(pid, self._spec.memory_mb << 20, self._end_for_memory)
        self.usable = False  # until it has answered
        try:
            answer, failed = self._api.await_answer(
                request_id, deadline, self._alive, max_bytes=MAX_RESPONSE_BYTES
            )
        except TimeoutError:
            return timed_out(timeout_s, request_id)
        except ProcessGone:
            return self._died(request_id)
        except OverflowError:
            return response_too_large(request_id)
        finally:
            self._memory.forget(pid)
        self.usable = not self._too_much_bytes
        return Outcome(answer, failed)

    def end(self) -> None:
        """Kill it with all that it started, and remove its /tmp."""
        self.kill()
        self._api.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, line: str) -> None:
        self._log.write(f"{line}\n".encode())

    def _alive(self) -> bool:
        return self._process.poll() is None

    def _end_for_memory(self, held_bytes: int) -> None:
        self._too_much_bytes = held_bytes
        self._children.kill(self._process)

    def _died(self, request_id: str) -> Outcome:
        if self._too_much_bytes:
            return out_of_memory(request_id)
        try:
            return exited(self._process.wait(1), request_id)
        except subprocess.TimeoutExpired:
            return failure("Runtime.ExitError", "Runtime closed its connection", request_id)
