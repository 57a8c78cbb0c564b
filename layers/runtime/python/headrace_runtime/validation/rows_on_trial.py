"""Many records in one run on trial: whether each is answered, and what one more of them costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from headrace_runtime.model.signature import FREE, Signature
from headrace_runtime.tensor import Array
from headrace_runtime.validation.own_memory import own_memory

Feeds = dict[str, Array]

_MOST_ROWS = 4096
_ENOUGH = 16  # times the run of one: what a run costs besides its records is lost in that
_ENOUGH_MS = 5.0  # and no less, lest the clock's own noise counts
_TIME_MS = 1000.0  # of wall clock, in which ever more records are tried
_MOST_BYTES = 4 << 20  # of inputs in a run
_MOST_GROWTH_BYTES = 32 << 20  # of memory from one number of records to the next


@dataclass(frozen=True, slots=True)
class RowCost:
    """What one more record costs in a run of many.

    Attributes:
        ms: CPU milliseconds, more than 0.
        size_bytes: of memory, 0 where it did not show.
    """

    ms: float
    size_bytes: int


def may_be_many(signature: Signature) -> bool:
    """Whether all inputs leave the number of records free."""
    return bool(signature.inputs) and all(s.shape[:1] == (FREE,) for s in signature.inputs)


def answered(signature: Signature, given: Sequence[Any], rows: int) -> bool:
    """Whether each output's first dimension is the records, as far as can be told.

    A length that the graph fixes and that happens to be the number of records tells nothing.
    """
    return all(
        _first(output) == rows and spec.shape[:1] != (rows,)
        for output, spec in zip(given, signature.outputs, strict=True)
    )


def cost_of_row(
    samples: Callable[[int], Feeds],
    run: Callable[[Feeds], Any],
    *,
    run_ms: float,
    time_ms: Callable[[Feeds], float],
) -> RowCost | None:
    """Return what one more record costs; None where too few run together to tell.

    Their number is doubled while time and memory are small: no model is refused for this.

    Args:
        samples: gives inputs of so many records.
        run: runs the model on them.
        run_ms: what a run of one record takes; more than 0.
        time_ms: measures a run in CPU milliseconds.
    """
    rows, before = 1, own_memory("VmRSS")
    left_ms, took_ms, enough_ms = _TIME_MS, run_ms, max(_ENOUGH * run_ms, _ENOUGH_MS)
    try:
        while rows < _MOST_ROWS and 2 * took_ms < min(left_ms, enough_ms):
            more = samples(2 * rows)
            if sum(array.nbytes for array in more.values()) > _MOST_BYTES:
                break
            held, started = own_memory("VmRSS"), perf_counter()
            run(more)
            took_ms = (perf_counter() - started) * 1000
            rows, feeds, left_ms = 2 * rows, more, left_ms - took_ms
            if own_memory("VmRSS") - held > _MOST_GROWTH_BYTES:
                break
    except Exception:  # noqa: BLE001, S110 - too many for it, or for its memory: fewer do
        pass
    return None if rows == 1 else _cost(rows, before, partial(time_ms, feeds), run_ms)


def _cost(rows: int, before: int, time_ms: Callable[[], float], run_ms: float) -> RowCost | None:
    grown = max(0, own_memory("VmRSS") - before)
    try:
        took_ms = time_ms()
    except Exception:  # noqa: BLE001 - it ran a moment ago: no cost can be told of such a model
        return None
    # Large weights are read once for all: then a few records may seem to cost nothing at all.
    least_ms = took_ms / rows / _ENOUGH
    return RowCost(max((took_ms - run_ms) / (rows - 1), least_ms, 1e-6), grown // (rows - 1))


def _first(output: Any) -> int | None:
    """Return the length of an output's first dimension: an array's, or of a list of maps."""
    if isinstance(output, list):
        return len(output)
    return output.shape[0] if output.shape else None
