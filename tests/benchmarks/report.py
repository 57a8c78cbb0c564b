"""What a measurement says, and how a run of them is printed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing.

    Attributes:
        what: the work, `warm infer, 784 floats, binary`.
        cost: what Headrace takes, with its unit, `312 ms CPU`.
        floor: what the bare work takes, with its unit; what it is stands in the text.
        ratio: cost over floor, or None where a floor says nothing.
        aim: the promise, `<= 2.5x`; empty where there is none.
        cpu_s: the cost in CPU seconds, of what is paid by the call; else 0.
    """

    what: str
    cost: str
    floor: str = ""
    ratio: float | None = None
    aim: str = ""
    cpu_s: float = 0.0


def markdown(rows: Iterable[Row]) -> str:
    """Return the rows as one Markdown table."""
    lines = ["| what | cost | floor | ratio | aim |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
        lines.append(f"| {row.what} | {row.cost} | {row.floor} | {ratio} | {row.aim} |")
    return "\n".join(lines)
