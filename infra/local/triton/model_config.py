"""config.pbtxt, as far as a server needs it: protobuf's text format, read into JSON's shapes."""

import ast
import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<token>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.+-]+|[\[\]{}<>:,;])"""
)
_REPEATED = frozenset({"input", "output", "dims", "shape", "instance_group", "model_warmup"})
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?f?", re.IGNORECASE)
_CLOSING = {"{": "}", "<": ">"}


class ConfigRefused(Exception):
    """A config.pbtxt that is no text of protobuf's, or lacks what every model has."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"config.pbtxt cannot be read: {reason}")


def read_config(text: str) -> dict[str, Any]:
    """Return the fields, those that repeat as lists; `input`, `output` and `max_batch_size` always.

    Raises:
        ConfigRefused: see there.
    """
    tokens = _tokens(text)
    try:
        fields = _message(tokens, end="")
    except StopIteration as error:
        raise ConfigRefused("it ends too early") from error
    for side in ("input", "output"):
        for entry in fields.setdefault(side, []):
            if not {"name", "data_type", "dims"} <= entry.keys():
                raise ConfigRefused(f"an {side} lacks its name, data_type or dims")
    fields.setdefault("max_batch_size", 0)
    return fields


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConfigRefused(f"{text[at]!r} stands where no word can begin")
        at = match.end()
        if match["token"]:
            yield match["token"]
    yield ""


def _message(tokens: Iterator[str], end: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    while (name := next(tokens)) != end:
        if name in {",", ";"}:
            continue
        if not name.isidentifier():
            raise ConfigRefused(f"{name or 'the end'!r} stands where a field's name should")
        if (sign := next(tokens)) not in {":", "[", *_CLOSING}:
            raise ConfigRefused(f"{sign or 'the end'!r} stands behind the name {name}")
        values = _values(tokens, next(tokens) if sign == ":" else sign)
        if name in _REPEATED:
            fields.setdefault(name, []).extend(values)
        else:
            fields[name] = values[-1] if values else None
    return fields


def _values(tokens: Iterator[str], first: str) -> list[Any]:
    if first != "[":
        return [_value(tokens, first)]
    values = []
    while (word := next(tokens)) != "]":
        if word != ",":
            values.append(_value(tokens, word))
    return values


def _value(tokens: Iterator[str], word: str) -> Any:
    if word in _CLOSING:
        return _message(tokens, _CLOSING[word])
    if word[:1] in {'"', "'"}:
        return _text(word)
    if word in {"true", "false"}:
        return word == "true"
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    if not word.isidentifier():
        raise ConfigRefused(f"{word or 'the end'!r} stands where a value should")
    return word


def _text(quoted: str) -> str:
    """Return what stands in quotes; escapes are of bytes, which together are UTF-8."""
    escaped = "".join(
        char if char.isascii() else "".join(f"\\{byte:03o}" for byte in char.encode())
        for char in quoted
    )
    try:
        return bytes(ast.literal_eval(f"b{escaped}")).decode()
    except (SyntaxError, ValueError) as error:
        raise ConfigRefused(f"{quoted} is no text") from error
