"""Values that are checked where they are written: what is wrong, and what would be right."""

import re
from collections.abc import Collection


def within(name: str, value: float, low: float, high: float) -> None:
    """Check that *value* is from *low* to *high*, both included.

    Raises:
        ValueError: it is not; the text names the field, the value and the valid range.
    """
    if not low <= value <= high:
        message = f"{name} is {value}; valid is {low} to {high}."
        raise ValueError(message)


def one_of(name: str, value: object, allowed: Collection[object]) -> None:
    """Check that *value* is one of *allowed*.

    Raises:
        ValueError: it is not; the text names the field, the value and all that is allowed.
    """
    if value not in allowed:
        message = f"{name} is {value!r}; valid is one of {', '.join(map(str, allowed))}."
        raise ValueError(message)


def written_as(name: str, value: str, pattern: str, meaning: str) -> None:
    """Check that the whole of *value* has the form *pattern*, told as *meaning*.

    Raises:
        ValueError: it has not; the text names the field, the value and the meaning.
    """
    if not re.fullmatch(pattern, value):
        message = f"{name} is {value!r}; valid is {meaning}."
        raise ValueError(message)
