"""Globs over models' names: `*` is any text, `?` one character, all else itself."""

from functools import lru_cache


@lru_cache(maxsize=4096)
def matches(glob: str, name: str) -> bool:
    """Return whether *name* is one that *glob* means.

    In steps of at most len(glob) x len(name): a regular expression with many stars would take
    exponentially many on a name that almost matches, and globs are written by callers.
    """
    at, star, resume = 0, -1, 0
    for_name = 0
    while for_name < len(name):
        if at < len(glob) and glob[at] == "*":
            star, resume = at, for_name
            at += 1
        elif at < len(glob) and glob[at] in ("?", name[for_name]):
            at += 1
            for_name += 1
        elif star >= 0:  # the last star takes one character more
            resume += 1
            at, for_name = star + 1, resume
        else:
            return False
    return set(glob[at:]) <= {"*"}
