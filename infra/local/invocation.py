"""What becomes of an invocation, in the words that Lambda uses."""

import json
import signal
from dataclasses import dataclass

# Lambda's own figures for synchronous calls: the response may hold an envelope more.
MAX_REQUEST_BYTES = 6_291_456
MAX_RESPONSE_BYTES = 6_291_556

_SIGNALS = {
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
}


class InvocationRefused(Exception):
    """Lambda would not even start the invocation."""


class RequestTooLarge(InvocationRefused):
    """The event is above 6 MB."""


class Throttled(InvocationRefused):
    """Every process of the function stayed busy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the function answered, or how it failed.

    Attributes:
        payload: JSON; of a failure `{"errorType", "errorMessage", ...}`.
        failed: what Lambda tells as `FunctionError`.
    """

    payload: bytes
    failed: bool = False


def failure(kind: str, sentence: str, request_id: str) -> Outcome:
    """Return a failure that Lambda itself words."""
    return Outcome(
        json.dumps(
            {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {sentence}"}
        ).encode(),
        failed=True,
    )


def timed_out(timeout_s: float, request_id: str) -> Outcome:
    """Return what a caller of a function reads whose time was up."""
    return failure("Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds", request_id)


def out_of_memory(request_id: str) -> Outcome:
    """Return what a caller of a function reads that took more than its memory."""
    return failure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed", request_id)


def response_too_large(request_id: str) -> Outcome:
    """Return what a caller of a function reads that answered more than Lambda carries."""
    return failure(
        "Function.ResponseSizeTooLarge",
        "Response payload size exceeded maximum allowed payload size "
        f"({MAX_RESPONSE_BYTES} bytes).",
        request_id,
    )


def exited(code: int, request_id: str) -> Outcome:
    """Return what a caller of a function reads whose process ended.

    Args:
        code: as `Popen.returncode`, so minus the signal's number for a death by signal.
        request_id: of the invocation that it took with it.
    """
    if code < 0:
        died = f"signal: {_SIGNALS.get(signal.Signals(-code), f'signal {-code}')}"
        return failure("Runtime.ExitError", f"Runtime exited with error: {died}", request_id)
    how = f"with error: exit status {code}" if code else "without providing a reason"
    return failure("Runtime.ExitError", f"Runtime exited {how}", request_id)
