"""What an invocation costs."""

import pytest

from headrace_runtime.monitoring.cost import Price


@pytest.mark.parametrize(
    ("memory_mb", "duration_ms", "usd"),
    [
        (1024, 1000, 0.0000166667 + 0.0000002),  # one GB for one second, and the request
        (1024, 0.2, 0.000000216667),  # what was begun is paid: 1 ms
        (1769, 1000, 0.0000289927),
    ],
)
def test_an_invocation_costs_its_memory_by_the_millisecond(
    memory_mb: int, duration_ms: float, usd: float
) -> None:
    assert Price(memory_mb).usd(int(duration_ms * 1e6)) == pytest.approx(usd, rel=1e-4)
