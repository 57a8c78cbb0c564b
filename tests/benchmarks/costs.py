"""Money: what a million predictions cost by the function's memory, from CPU time just measured.

On-demand list prices in USD of us-east-1, x86_64, first tier, as AWS's price pages had them in
2026-11 (aws.amazon.com/<service>/pricing); Lambda's are the runtime's own, in `monitoring/cost.py`.
eu-west-1 is some 10 % dearer in all but Lambda. Free tiers, data transfer, storage and metrics by
the month are not in it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headrace_runtime.monitoring.cost import USD_PER_REQUEST, Price
from infra.aws.stage_parts import FunctionMemory
from tests.benchmarks.report import Row

API_USD_PER_MILLION = 1.00  # HTTP API; each begun 512 KB of a request counts as one
API_METERED_BYTES = 512 * 1024
READ_USD_PER_MILLION = 0.125  # DynamoDB on demand: a consistent read of up to 4 KB
WRITE_USD_PER_MILLION = 0.625  # DynamoDB on demand: a write of up to 1 KB
LOG_USD_PER_GB = 0.50  # CloudWatch Logs, taken in; GB of 2^30 bytes

MEMORIES_MB = (512, 1024, 1769, 3008)
VCPU_MB = 1769  # owns one whole vCPU; one thread can use no more
CALLS_A_START = 1000  # that one sandbox answers in its life
DYNAMODB_WAIT_S = 0.005  # of one call, which is paid though no CPU works; "single-digit", says AWS
LIMITS = 2  # of a key that has both, rate and daily quota: one write each

# Of one call: a line of metrics of predict and of authorise (measured), the API's line, and
# `platform.start` and `platform.report` of both; CloudWatch adds 26 bytes to each of the seven.
LOG_BYTES_A_CALL = 672 + 371 + 420 + 2 * 380 + 7 * 26

_COLUMNS = (
    "USD a million",
    "memory of predict",
    "predict",
    "authorise",
    "API",
    "DynamoDB",
    "logs",
    "all",
    "all, key with rate and quota",
)


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds of one function: of a warm call, and from process start to its first answer."""

    warm_s: float
    cold_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """USD of a million predictions, by who is paid."""

    function: float
    authoriser: float
    api: float
    reads_and_writes: float
    logs: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.function + self.authoriser + self.api + self.reads_and_writes + self.logs


def function_usd(cpu: Cpu, memory_mb: int, *, wait_s: float = 0.0) -> float:
    """Return what a million calls of one function cost, each call's share of a start included.

    Args:
        cpu: of one thread on a whole vCPU.
        memory_mb: what the function has, and with it which share of a vCPU.
        wait_s: what a warm call waits for others.
    """
    slower = max(1.0, VCPU_MB / memory_mb)
    price = Price(memory_mb)
    start_usd = price.usd(_ns(cpu.cold_s * slower)) - USD_PER_REQUEST
    return 1e6 * (price.usd(_ns(cpu.warm_s * slower + wait_s)) + start_usd / CALLS_A_START)


def cost(
    predict: Cpu, authorise: Cpu, *, memory_mb: int, request_bytes: int, limits: int = 0
) -> Cost:
    """Return what a million predictions cost.

    Args:
        predict: CPU time of predict.
        authorise: CPU time of authorise, whose memory is what a stage gives it.
        memory_mb: of predict.
        request_bytes: body of one request.
        limits: of the caller's key: each is one more call of DynamoDB.
    """
    asked = 1 + limits
    door = Cpu(authorise.warm_s * asked, authorise.cold_s)
    return Cost(
        function=function_usd(predict, memory_mb),
        authoriser=function_usd(door, FunctionMemory().authorise, wait_s=DYNAMODB_WAIT_S * asked),
        api=API_USD_PER_MILLION * max(1, math.ceil(request_bytes / API_METERED_BYTES)),
        reads_and_writes=READ_USD_PER_MILLION + limits * WRITE_USD_PER_MILLION,
        logs=LOG_BYTES_A_CALL * 1e6 / 2**30 * LOG_USD_PER_GB,
    )


def markdown(rows: Iterable[Row], cases: Mapping[str, int]) -> str:
    """Return the table of costs.

    Args:
        rows: all that was measured.
        cases: the body's bytes by the name of a warm row; of each a row for every memory.
    """
    measured = {row.what: row.cpu_s for row in rows}
    authorise = Cpu(measured["authorise, warm: one API key"], _begins(measured, "authorise, cold"))
    lines = [
        f"| {' | '.join(_COLUMNS)} |",
        f"|---{'|---:' * (len(_COLUMNS) - 1)}|",
    ]
    for case, request_bytes in cases.items():
        predict = Cpu(measured[case], _begins(measured, "cold: "))
        for memory_mb in MEMORIES_MB:
            free, limited = (
                cost(
                    predict,
                    authorise,
                    memory_mb=memory_mb,
                    request_bytes=request_bytes,
                    limits=limits,
                )
                for limits in (0, LIMITS)
            )
            parts = (free.function, free.authoriser, free.api, free.reads_and_writes, free.logs)
            figures = " | ".join(f"{usd:.2f}" for usd in (*parts, free.total, limited.total))
            lines.append(f"| {case.removeprefix('warm: ')} | {memory_mb:,} MB | {figures} |")
    return "\n".join(lines)


def _begins(measured: Mapping[str, float], words: str) -> float:
    return next(cpu_s for what, cpu_s in measured.items() if what.startswith(words))


def _ns(seconds: float) -> int:
    return math.ceil(seconds * 1e9)
