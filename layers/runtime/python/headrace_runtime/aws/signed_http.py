"""Signed calls to one AWS service over http.client: what a cold start can afford.

botocore and one client cost a cold start more than ONNX Runtime and the model together, so
`predict`, which only reads one table and one bucket, calls AWS through this.
"""

import os
import random
import re
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from headrace_runtime.aws.lambda_credentials import LambdaCredentials
from headrace_runtime.aws.signature_v4 import Unsigned, signed_headers
from headrace_runtime.errors import Unavailable

_TRIES = 4
_BACKOFF_S = 0.05  # doubled at each further try, and half of it drawn
_TIMEOUT_S = 5.0  # of connecting, and of every read
_ERROR_BYTES = 65_536

_CODE = re.compile(rb'(?:"__type"\s*:\s*"(?:[^"#]*#)?|<Code>)(\w{1,80})')
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
    calls only, as each may be sent more than once.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._credentials = LambdaCredentials()
        self._connection: HTTPConnection | None = None
        self._endpoint = ""

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> HTTPResponse:
        """Return the answer to a call that succeeded, its body still to be read.

        A call that fails on the way, or that AWS throttles or fails to answer, is sent again.

        Raises:
            Unavailable: no try succeeded, or AWS refused the call; the fact `reason` says why.
        """
        reason = ""
        for attempt in range(_TRIES):
            if attempt > 1:  # the second try is at once: most often a kept connection was stale
                time.sleep(_BACKOFF_S * 2**attempt * (0.5 + random.random() / 2))  # noqa: S311 - jitter
            try:
                response = self._once(method, path, headers, body)
                if response.status < 300:
                    return response
                text = response.read(_ERROR_BYTES)
            except (OSError, HTTPException) as error:
                self.close()
                reason = type(error).__name__
                continue
            found = _CODE.search(text)
            reason = found[1].decode() if found else f"status {response.status}"
            if response.status < 500 and response.status != 429 and reason not in _THROTTLED:
                break
        raise Unavailable(f"{self._service} did not answer: {reason}", reason=reason)

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HTTPResponse:
        region = os.environ["AWS_REGION"]
        connection, host = self._connected(_endpoint(self._service, region))
        request = Unsigned(method, host, path, headers, body)
        credentials = self._credentials.current()
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        connection.request(
            method,
            path,
            body,
            signed_headers(request, credentials, service=self._service, region=region, now=now),
        )
        return connection.getresponse()

    def _connected(self, endpoint: str) -> tuple[HTTPConnection, str]:
        where = urlsplit(endpoint)
        if self._connection is None or endpoint != self._endpoint:
            self.close()
            kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
            self._connection = kind(where.hostname or "", where.port, timeout=_TIMEOUT_S)
            self._endpoint = endpoint
        return self._connection, where.netloc


def _endpoint(service: str, region: str) -> str:
    own = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    suffix = ".cn" if region.startswith("cn-") else ""
    return (
        own
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.amazonaws.com{suffix}"
    )
