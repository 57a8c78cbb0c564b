"""HTTP to the service: one call, retried where that is safe; errors read from any answer."""

import json
import random
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from headrace.failures import ApiError, Unreachable
from headrace_runtime.errors import InvalidInput

_BUSY = frozenset({429, 503})  # the service, or the gateway for it, says: later

_LONGEST_WAIT_S = 10.0  # that is waited when asked for; a used-up day is told at once

# Errors after which no answer can come any more. A read timeout is none of them: the service is
# still at work, and asking again would only double the work.
_BROKEN = (
    httpx.ConnectTimeout,
    httpx.NetworkError,
    httpx.PoolTimeout,
    httpx.RemoteProtocolError,
)


class Connection:
    """Calls to one service.

    Args:
        url: where the service answers, with scheme; a path in front of its routes is kept.
        api_key: sent as bearer token, to the service alone.
        timeout_s: for how long one answer may keep silent.
        retries: how often a call that may be repeated is repeated.
    """

    def __init__(self, url: str, api_key: str | None, *, timeout_s: float, retries: int) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInput(
                f"{url!r} is no URL of a service: it begins with https:// or http://"
            )
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0))
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back; the connection is of no use afterwards."""
        self._http.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return what `GET` *path* answers.

        Raises:
            ApiError: the service answered with an error.
            Unreachable: no answer came.
        """
        return _json(self.call("GET", path, repeatable=True))

    def send(
        self,
        method: str,
        path: str,
        value: Mapping[str, Any],
        *,
        repeatable: bool,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send *value* as JSON and return the answer; raises as `get` does."""
        body, named = json.dumps(value).encode(), {"content-type": "application/json"}
        named |= headers or {}
        return _json(self.call(method, path, body=body, headers=named, repeatable=repeatable))

    def delete(self, path: str, *, repeatable: bool = False) -> dict[str, Any]:
        """Return what `DELETE` *path* answers; raises as `get` does.

        It is not tried again unless it may be: mostly, a second try would not find what the first
        one removed.
        """
        return _json(self.call("DELETE", path, repeatable=repeatable))

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool,
    ) -> httpx.Response:
        """Return the answer to one call, body read; raises as `get` does.

        A *repeatable* call, one that may reach the service twice, is tried again while the service
        is busy or cannot be reached: after the pause that the service asks for, if that is short,
        or else after a random and growing one.
        """
        tries = self._retries if repeatable else 0
        for nth in range(tries + 1):
            last, asked_s = nth == tries, 0.0
            try:
                response = self._http.request(method, path, content=body, headers=headers)
            except httpx.TransportError as error:
                if last or not isinstance(error, _BROKEN):
                    raise Unreachable(_unreachable(self._http.base_url, error)) from error
            else:
                if response.is_success:
                    return response
                asked_s = _retry_after_s(response)
                if last or response.status_code not in _BUSY or asked_s > _LONGEST_WAIT_S:
                    raise failure_of(response)
            pause_s = _pause_s(nth, random.random())  # noqa: S311 - spreads callers, no secret
            time.sleep(asked_s + pause_s)
        raise AssertionError("unreachable: the last try returns or raises")


def failure_of(response: httpx.Response) -> ApiError:
    """Return the error that an answer spells, whoever made it.

    Headrace writes `{"error": …, "code": …}`, API Gateway `{"message": …}`, others plain text.
    """
    status = response.status_code
    try:
        plain = json.loads(response.content)
    except ValueError:
        plain = None
    said = dict(plain) if isinstance(plain, dict) else {}
    text = response.text.strip()[:300] if plain is None else ""
    sentence = said.pop("error", None) or said.pop("message", None) or text
    if not isinstance(sentence, str) or not sentence:
        sentence = f"the service answered {status} {response.reason_phrase} and no word more"
    if status == 413 and "code" not in said:  # the gateway's, which gives no advice
        sentence += ": send fewer records a call, or submit them as a file"
    code = str(said.pop("code", f"HTTP_{status}"))
    request_id = said.pop("request_id", None) or response.headers.get("apigw-requestid", "")
    facts = {name: fact for name, fact in said.items() if name not in ("status", "sentence")}
    return ApiError(status, code, sentence, str(request_id), **facts)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        plain = json.loads(response.content)
    except ValueError:
        plain = None
    if not isinstance(plain, dict):
        raise ApiError(
            response.status_code,
            "UNREADABLE_ANSWER",
            f"{response.url} did not answer a JSON object: is it the URL of a Headrace service?",
        )
    return plain


def _retry_after_s(response: httpx.Response) -> float:
    """Return for how long the service asks to wait, 0 where it does not say so in seconds."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() and asked.isascii() else 0.0


def _unreachable(url: httpx.URL, error: httpx.TransportError) -> str:
    return f"{url} gave no answer: {error or type(error).__name__}"


def _pause_s(nth: int, draw: float) -> float:
    """Return the pause after the *nth* try, in [0, 4) seconds; *draw* is uniform in [0, 1)."""
    return draw * min(4.0, 0.25 * 2.0**nth)
