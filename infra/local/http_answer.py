"""What a caller gets of what a function answered, as HTTP APIs translate it."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from infra.local.invocation import Outcome

# The gateway frames the response itself.
_FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, before it is framed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def message(status: int, text: str) -> Answer:
    """Return an answer of the gateway's own."""
    body = json.dumps({"message": text}).encode()
    return Answer(status, (("content-type", "application/json"),), body)


# What the caller gets of a function that failed, or of an answer that makes no response.
FUNCTION_FAILED = message(502, "Internal Server Error")


def translate(outcome: Outcome) -> Answer:
    """Return the response that a function's outcome makes."""
    if outcome.failed:
        return FUNCTION_FAILED
    try:
        value = json.loads(outcome.payload)
        if isinstance(value, dict) and "statusCode" in value:
            return _response(value)
    except (ValueError, TypeError, AttributeError):
        return FUNCTION_FAILED
    # Anything else is the body itself.
    body = value.encode() if isinstance(value, str) else outcome.payload
    return Answer(200, (("content-type", "application/json"),), body)


def _response(value: dict[str, Any]) -> Answer:
    status = int(value["statusCode"])
    if not 100 <= status <= 599:
        raise ValueError(status)
    headers = {
        name.lower(): _text(content) for name, content in (value.get("headers") or {}).items()
    }
    body = value.get("body")
    if body is None:
        content = b""
    elif not isinstance(body, str):
        raise TypeError(body)
    elif value.get("isBase64Encoded"):
        content = _decoded(body)
    else:
        content = body.encode("utf-8", "surrogatepass")
    if content:
        headers.setdefault("content-type", "text/plain;charset=UTF-8")
    fields = [(name, text) for name, text in headers.items() if name not in _FRAMING]
    fields += [("set-cookie", cookie) for cookie in value.get("cookies") or []]
    return Answer(status, tuple(fields), content)


def _text(content: object) -> str:
    if isinstance(content, bool):
        return str(content).lower()
    if isinstance(content, str | int | float):
        # A line break would begin a header of its own.
        return str(content).replace("\r", " ").replace("\n", " ")
    raise TypeError(content)


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError(body) from error
