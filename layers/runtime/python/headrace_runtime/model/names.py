"""Names of models, aliases and versions: the only parts from which keys and routes are built."""

import re
from functools import lru_cache

from headrace_runtime.errors import InvalidName

_MODEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ALIAS = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
MAX_VERSION = 999_999_999

# The first folders of keys; a model of such a name could not be told from them.
RESERVED = frozenset({"artifacts", "inbox", "models", "results"})


# The few good names of a service come in every call; a bad one is not remembered.
@lru_cache(maxsize=1024)
def model_name(text: str) -> str:
    """Return *text* if it can name a model.

    Raises:
        InvalidName: it is not 1-63 of a-z, 0-9 and inner hyphens, or it is reserved.
    """
    if text in RESERVED:
        raise InvalidName("model", text, f"none of the reserved {', '.join(sorted(RESERVED))}")
    return _checked("model", _MODEL, text, "1-63 of a-z, 0-9 and inner hyphens")


def alias_name(text: str) -> str:
    """Return *text* if it can name an alias; it begins with a letter, so it is never a version.

    Raises:
        InvalidName: it is not 1-63 of a-z, 0-9 and inner hyphens, the first a letter.
    """
    return _checked("alias", _ALIAS, text, "1-63 of a-z, 0-9 and inner hyphens, first a letter")


def version_number(text: str) -> int:
    """Return the version, 1-999999999, that *text* spells without sign or leading zero.

    Raises:
        InvalidName: it does not.
    """
    return int(_checked("version", _VERSION, text, "a number from 1 to 999999999"))


@lru_cache(maxsize=1024)
def version_or_alias(text: str) -> int | str:
    """Return a version (int) where *text* begins with a digit, else an alias (str).

    Raises:
        InvalidName: it is neither.
    """
    return version_number(text) if text[:1].isdigit() else alias_name(text)


def _checked(kind: str, pattern: re.Pattern[str], text: str, expected: str) -> str:
    if pattern.fullmatch(text) is None:
        raise InvalidName(kind, text, expected)
    return text
