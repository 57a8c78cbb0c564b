"""The door: what it costs to say who calls, cold over a bare Python function, and warm."""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks.report import Row
from tests.benchmarks.world import KEY, ROOT, aws, printing_to_nobody

_ROUNDS = 9
_CALLS = 300

# A function that does nothing: Lambda's runtime, which both begin with.
_RUNTIME = "import json, sys, awslambdaric.bootstrap"
_BARE = f"{_RUNTIME}; json.load(open(sys.argv[1]))"
_AUTHORISE = f"""
{_RUNTIME}
from functions.authorise import handler
class Context:
    aws_request_id = "1"
answer = handler.lambda_handler(json.load(open(sys.argv[1])), Context())
assert answer["context"]["principal"], answer
"""


class _Context:
    aws_request_id = "1"


def rows() -> list[Row]:
    """Return two rows: CPU time of a cold start over the floor's, and of one warm call."""
    with tempfile.TemporaryDirectory() as name, aws() as environment:
        call = Path(name, "event.json")
        call.write_text(json.dumps({"headers": {"authorization": f"Bearer {KEY.text}"}}))
        bare, cold = [], []
        for _ in range(_ROUNDS):
            bare.append(_cpu_ms(_BARE, call, environment))
            cold.append(_cpu_ms(_AUTHORISE, call, environment))
        with printing_to_nobody():
            warm = _warm_ms(json.loads(call.read_text()), environment)
    return [
        Row(
            "authorise, cold: process start to first answer",
            f"{min(cold):.0f} ms",
            f"{min(bare):.0f} ms",
            aim=f"+ 25 ms (is + {min(cold) - min(bare):.0f})",
            cpu_s=min(cold) / 1e3,
        ),
        Row("authorise, warm: one API key", f"{warm:.2f} ms", aim="< 1 ms", cpu_s=warm / 1e3),
    ]


def _warm_ms(event: dict[str, object], environment: dict[str, str]) -> float:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        handler = import_module("functions.authorise.handler")
        handler.lambda_handler(event, _Context())
        least = float("inf")
        for _ in range(5):
            began = time.process_time()
            for _ in range(_CALLS):
                handler.lambda_handler(event, _Context())
            least = min(least, (time.process_time() - began) / _CALLS)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return least * 1e3


def _cpu_ms(code: str, argument: Path, environment: dict[str, str]) -> float:
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(argument)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"the measured process ended with {child.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1e3
