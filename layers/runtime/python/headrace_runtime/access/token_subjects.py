"""What policies may call the bearer of a token: its subject, and its claims one by one."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST = 100  # subjects of one caller; what is beyond them gives no rights
MAX_CHARACTERS = 512  # of one subject; a longer one gives no rights

# Said of the token, not of its bearer; and `sub`, which has a form of its own.
_OF_THE_TOKEN = frozenset({"aud", "iss", "jti", "nonce", "sub"})


def subjects_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return `sub:<sub>`, and `claim:<name>=<value>` for each text and each text in a list.

    `scope` and `scp` are taken apart at spaces. Numbers and objects give nothing.
    """
    named = [f"sub:{claims['sub']}"]
    for name, value in claims.items():
        if name not in _OF_THE_TOKEN and "=" not in name:
            named += [f"claim:{name}={text}" for text in _texts(name, value)]
    return tuple(subject for subject in named if len(subject) <= MAX_CHARACTERS)[:MOST]


def _texts(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split() if name in ("scope", "scp") else [value]
    elif isinstance(value, list):
        yield from (text for text in value if isinstance(text, str))
