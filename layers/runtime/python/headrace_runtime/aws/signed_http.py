"""Signed calls to one AWS service: what a cold start can afford.

botocore and one client cost a cold start more than ONNX Runtime and the model together, so
`predict`, which only reads one table and one bucket, calls AWS through this.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from headrace_runtime.aws.http_wire import Wire
from headrace_runtime.aws.lambda_credentials import LambdaCredentials
from headrace_runtime.aws.signature_v4 import Unsigned, signed_headers
from headrace_runtime.errors import Unavailable

if TYPE_CHECKING:
    from headrace_runtime.aws.http_answer import Answer

T = TypeVar("T")

_TRIES = 4
_BACKOFF_S = 0.05  # doubled at each further try, and half of it drawn
_TIMEOUT_S = 5.0  # of connecting, and of every read
_ERROR_BYTES = 65_536
_READ_BYTES = 1 << 18  # of a body, between two looks at the clock

_CODE = rb'(?:"__type"\s*:\s*"(?:[^"#]*#)?|<Code>)(\w{1,80})'  # compiled where it is needed
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottlingException",
    }
)


class SignedHttp:
    """Calls one service, over one connection that is kept, with Lambda's credentials.

    Region and endpoint are read from the environment: `AWS_REGION`, and
    `AWS_ENDPOINT_URL_<SERVICE>` before `AWS_ENDPOINT_URL` before AWS's own. For idempotent
    calls, as each may be sent more than once, all but those by `once`.
    """

    def __init__(self, service: str, *, variable: str = "", host: str = "") -> None:
        """Call *service*, as AWS signs it.

        Args:
            service: in signatures.
            variable: `<SERVICE>` of its variable, where that is another word.
            host: with which its address begins, where that is another one.
        """
        self._service = service
        self._variable = f"AWS_ENDPOINT_URL_{variable or service.upper()}"
        self._host = host or service
        self._credentials = LambdaCredentials()
        self._connection: Wire | None = None
        self._endpoint = ""

    def send(self, method: str, path: str, headers: Mapping[str, str]) -> "Answer":
        """Return the answer to a call that succeeded, its body still to be read.

        A call that fails on the way, or that AWS throttles or fails to answer, is sent again.

        Raises:
            Unavailable: no try succeeded, or AWS refused the call; the fact `reason` says why.
        """
        return self._tried(lambda: self._once(method, path, headers, b""), lambda answer: answer)

    def fetch(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the body of the answer, all of it; else as `send`.

        Raises:
            Unavailable: as of `send`, or the body broke off at each try.
        """
        return self._tried(
            lambda: self._once(method, path, headers, body), lambda answer: answer.read()
        )

    def once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, within_s: float
    ) -> "tuple[Answer, bytes]":
        """Return the answer, whatever its status, and its body, to a call that costs much.

        It is sent again, once, only where the first cannot have begun: there was no connection, or
        one that was kept turned out to be closed. All of it takes *within_s* seconds at most.

        Raises:
            TimeoutError: they went by.
            OSError: there is no connection, or it broke; what was begun is not known.
        """
        until = time.monotonic() + within_s
        try:
            return self._whole(method, path, headers, body, until)
        except OSError as error:
            wire, self._connection = self._connection, None
            if wire is not None:
                wire.close()
                if wire.has_sent and (not wire.is_kept or isinstance(error, TimeoutError)):
                    raise
        return self._whole(method, path, headers, body, until)

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tried(self, call: Callable[[], "Answer"], taken: Callable[["Answer"], T]) -> T:
        reason = ""
        for attempt in range(_TRIES):
            if attempt > 1:  # the second try is at once: most often a kept connection was stale
                _back_off(attempt)
            try:
                answer = call()
                if answer.status < 300:
                    return taken(answer)
                text = answer.read(_ERROR_BYTES)
            except OSError as error:
                self.close()
                reason = type(error).__name__
                continue
            found = re.search(_CODE, text)
            reason = found[1].decode() if found else f"status {answer.status}"
            if answer.status < 500 and answer.status != 429 and reason not in _THROTTLED:
                break
        raise Unavailable(f"{self._service} did not answer: {reason}", reason=reason)

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> "Answer":
        region, wire = os.environ["AWS_REGION"], self._wire()
        request = Unsigned(method, wire.authority, path, headers, body)
        credentials = self._credentials.current()
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        signed = signed_headers(request, credentials, service=self._service, region=region, now=now)
        return wire.call(method, path, signed, body)

    def _whole(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, until: float
    ) -> "tuple[Answer, bytes]":
        wire, parts = self._wire(), list[bytes]()
        wire.wait(_left_s(until))
        answer = self._once(method, path, headers, body)
        while part := answer.read(_READ_BYTES):
            parts.append(part)
            wire.wait(_left_s(until))
        return answer, b"".join(parts)

    def _wire(self) -> Wire:
        region = os.environ["AWS_REGION"]
        suffix = ".cn" if region.startswith("cn-") else ""
        endpoint = (
            os.environ.get(self._variable)
            or os.environ.get("AWS_ENDPOINT_URL")
            or f"https://{self._host}.{region}.amazonaws.com{suffix}"
        )
        if self._connection is None or endpoint != self._endpoint:
            self.close()
            self._connection = Wire(endpoint, timeout_s=_TIMEOUT_S)
            self._endpoint = endpoint
        return self._connection


def _left_s(until: float) -> float:
    """Return the seconds until then, of the monotonic clock."""
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _back_off(attempt: int) -> None:
    import random  # noqa: PLC0415 - not for the calls that succeed, which are nearly all

    time.sleep(_BACKOFF_S * 2**attempt * (0.5 + random.random() / 2))  # noqa: S311 - jitter
