"""The log: what a function prints is a line of its log group."""

import contextlib
import json
import os
import time
from collections.abc import Mapping

from headrace_runtime.monitoring.emf import ToJson, Value
from headrace_runtime.monitoring.invocation import Watch

_STDOUT = 1


def watch(function: str, environ: Mapping[str, str], *, light: bool = False) -> Watch:
    """Return a watch over *function*'s invocations that prints them, by the machine's clocks.

    Args:
        function: its folder's name.
        environ: Lambda's.
        light: for a function with no other use for orjson, whose import costs a start 13 ms; a line
            then costs 10 µs more.
    """
    return Watch(
        function,
        environ,
        clock_ns=time.perf_counter_ns,
        now_ms=_now_ms,
        write=write,
        to_json=_light_json if light else _fast_json(),
    )


def write(line: bytes) -> None:
    """Print a whole line at once; a log that takes none fails nobody's work."""
    with contextlib.suppress(OSError):
        os.write(_STDOUT, line)


def _light_json(values: Mapping[str, Value]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def _fast_json() -> ToJson:
    import orjson  # noqa: PLC0415 - see `watch`

    return orjson.dumps


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
