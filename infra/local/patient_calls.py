"""Calls of functions by one who does not wait for ever."""

from concurrent.futures import ThreadPoolExecutor

from infra.local.function_runtime import FunctionRuntime
from infra.local.invocation import Outcome


class PatientCalls:
    """Calls functions for the gateway, whose own patience may end before the function's time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(64, thread_name_prefix="http-patient")

    def invoke(self, function: FunctionRuntime, event: bytes, timeout_s: float) -> Outcome:
        """Return what the function makes of an event.

        Raises:
            TimeoutError: the caller's time was up; the call goes on.
            RequestTooLarge: the event is above 6 MB.
            Throttled: every process of the function stayed busy.
        """
        if function.spec.timeout_s < timeout_s:  # it ends before the caller gives up
            return function.invoke(event)
        return self._pool.submit(function.invoke, event).result(timeout_s)

    def stop(self) -> None:
        """Start no call any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
