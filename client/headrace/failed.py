"""Which records of a job have no answer."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace_runtime.errors import InvalidInput

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """Records that failed, ascending.

    Attributes:
        rows: their numbers, from 1; a header does not count.
        lines: on which they begin, from 1.
    """

    rows: Numbers
    lines: Numbers

    @classmethod
    def listed_in(cls, errors: Path) -> "Failed":
        """Read a job's `errors.jsonl`.

        Raises:
            InvalidInput: it names no record.
        """
        with errors.open("rb") as file:
            told = np.fromiter(map(_numbers, file), np.dtype((np.int64, 2)))
        return cls(np.unique(told[:, 0]), np.unique(told[:, 1]))


def _numbers(line: bytes) -> tuple[int, int]:
    plain = json.loads(line)
    if plain["row"] is None:
        raise InvalidInput(f"the job failed as a whole, and not by records: {plain['error']}")
    return plain["row"], plain["line"]
