"""Rows of text as lines of a table for a terminal."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Return a line for each row, cells below each other.

    A question mark stands for what is no character to print: a file may be named by a stranger.

    Args:
        rows: of as many cells each.
        left: so many columns, the first ones, begin at their left; the others end at their right.
    """
    shown = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    ]


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
