"""What a million predictions cost, from CPU time."""

import pytest

from tests.benchmarks.costs import Cpu, cost, function_usd, markdown
from tests.benchmarks.report import Row

NOTHING = Cpu(0.0, 0.0)


@pytest.mark.parametrize(
    ("memory_mb", "usd"),
    [
        (512, 0.2 + 4 * 0.00833335),  # 1 ms of a vCPU takes 3.46 ms of 0.29 of one: 4 are paid
        (1024, 0.2 + 2 * 0.0166667),
        (1769, 0.2 + 1 * 0.0287930),
        (3008, 0.2 + 1 * 0.0489584),  # the second vCPU helps no single thread, and is paid
    ],
)
def test_half_a_vcpu_takes_twice_the_time(memory_mb: int, usd: float) -> None:
    assert function_usd(Cpu(0.001, 0.0), memory_mb) == pytest.approx(usd, rel=1e-5)


def test_each_call_bears_a_thousandth_of_a_start() -> None:
    warm, both = (function_usd(Cpu(0.001, cold_s), 1024) for cold_s in (0.0, 1.0))

    # 1,727.54 ms, so 1,728 of them, of one GB, a thousand times in a million calls.
    assert both - warm == pytest.approx(1000 * 1.728 * 0.0000166667, rel=1e-4)


def test_waiting_is_paid_and_gets_no_longer_with_less_memory() -> None:
    assert function_usd(NOTHING, 512, wait_s=0.005) == pytest.approx(0.2 + 5 * 0.00833335, rel=1e-5)


def test_a_request_above_512_kb_counts_twice() -> None:
    small, large = (
        cost(NOTHING, NOTHING, memory_mb=1769, request_bytes=size).api
        for size in (512_000, 602_112)
    )

    assert (small, large) == (1.0, 2.0)


def test_each_limit_of_a_key_is_a_write_and_a_wait() -> None:
    free, limited = (
        cost(NOTHING, NOTHING, memory_mb=1769, request_bytes=0, limits=limits) for limits in (0, 2)
    )

    assert (free.reads_and_writes, limited.reads_and_writes) == (0.125, 1.375)
    assert limited.authoriser - free.authoriser == pytest.approx(10 * 0.00833335, rel=1e-4)


def test_the_table_has_a_row_for_each_case_and_memory() -> None:
    rows = [
        Row("cold: process start", "", cpu_s=0.17),
        Row("authorise, cold: process start", "", cpu_s=0.09),
        Row("authorise, warm: one API key", "", cpu_s=0.0004),
        Row("warm: infer 4 floats, JSON", "", cpu_s=0.0001),
    ]

    table = markdown(rows, {"warm: infer 4 floats, JSON": 100}).splitlines()

    assert [line.split(" | ")[1] for line in table[2:]] == [
        "512 MB",
        "1,024 MB",
        "1,769 MB",
        "3,008 MB",
    ]
    # predict 1 ms, authorise 7 (20) ms and their starts; a call of the API, a read, 2 kB of log
    assert table[4] == (
        "| infer 4 floats, JSON | 1,769 MB | 0.23 | 0.26 | 1.00 | 0.12 | 1.12 | 2.74 | 4.10 |"
    )
