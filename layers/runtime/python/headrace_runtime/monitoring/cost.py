"""What an invocation costs on Lambda, estimated."""

from typing import Final

# On-demand list prices in USD, x86_64, first tier, eu-west-1 and us-east-1 alike; AWS's Lambda
# price page as of 2026-11. arm64 is a fifth cheaper; a free tier and savings are not counted.
USD_PER_GB_SECOND: Final = 0.0000166667
USD_PER_REQUEST: Final = 0.0000002

_PICO: Final = 1_000_000_000_000


class Price:
    """The price of invocations of one function.

    Args:
        memory_mb: what the function has; 1 GB are 1,024 MB here.
    """

    def __init__(self, memory_mb: int) -> None:
        # Whole picodollars: a sum of them prints in few digits, and a log is paid by its length.
        self._pico_per_ms = round(USD_PER_GB_SECOND * memory_mb / 1024 / 1000 * _PICO)

    def usd(self, duration_ns: int) -> float:
        """Return what one invocation of that many nanoseconds costs; Lambda rounds up to 1 ms.

        The time before a first invocation, which Lambda bills too, is not in it.
        """
        started_ms = -(-duration_ns // 1_000_000)
        return (USD_PER_REQUEST_PICO + started_ms * self._pico_per_ms) / _PICO


USD_PER_REQUEST_PICO: Final = round(USD_PER_REQUEST * _PICO)
