"""What goes wrong with SageMaker, by choice: `fail=0.1,drop_notice=0.2,seed=7`.

Shares of invocations, from 0 to 1, drawn anew for each inference id and always the same for one:
    fail            the container answers 500 instead of inferring
    expire          the request waits until it has expired
    crash           the container ends in the middle of the call
    late            the output is written only `late_s` after the container answered
    late_failure    `late_s` after it completed, it is told to have failed as well
    drop_notice     its notice is never sent
    double_notice   its notice is sent twice
    reorder         its notice is sent up to `late_s` late, after others
Shares of transform jobs, by their names:
    transform_fail  one object fails, and the job with it
    transform_drop  the event of its end is never sent
Numbers: `seed` (0) of the draws, `late_s` (1.0) in seconds.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

SHARES = (
    "fail",
    "expire",
    "crash",
    "late",
    "late_failure",
    "drop_notice",
    "double_notice",
    "reorder",
    "transform_fail",
    "transform_drop",
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares by fault, and whom they meet."""

    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    late_s: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Return the faults of a text; of an empty one, none.

        Raises:
            ValueError: there is no such fault, or its share is none.
        """
        values: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            try:
                values[name] = float(value)
            except ValueError:
                raise ValueError(f"HEADRACE_GPU_FAULTS: {part} is no fault=share.") from None
        seed, late_s = int(values.pop("seed", 0)), values.pop("late_s", 1.0)
        for name, share in values.items():
            if name not in SHARES or not 0.0 <= share <= 1.0:
                raise ValueError(f"HEADRACE_GPU_FAULTS: {name}={share:g} is no fault and share.")
        return cls(values, seed, late_s)

    def meets(self, fault: str, whom: str) -> bool:
        """Tell whether a fault meets an invocation or a job, by its id or name."""
        return self.draw(fault, whom) < self.shares.get(fault, 0.0)

    def draw(self, fault: str, whom: str) -> float:
        """Return a number from 0 up to 1 that is always the same for these."""
        digest = hashlib.sha256(f"{self.seed}:{fault}:{whom}".encode()).digest()
        return int.from_bytes(digest[:7]) / (1 << 56)
