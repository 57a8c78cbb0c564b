"""Requests to AWS that fail: some before AWS hears of them, some once it has done what they ask."""

import io
from collections.abc import Callable
from random import Random
from threading import local
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

SHARE = 0.05  # of requests
LASTING = 0.1  # of those that fail: all tries of the call, so that the code sees it

_XML = "<Error><Code>{}</Code><Message>injected</Message></Error>"
_REFUSALS = {
    "s3": [(503, _XML.format("SlowDown")), (500, _XML.format("InternalError"))],
    "dynamodb": [
        (400, '{"__type": "#ProvisionedThroughputExceededException", "message": "injected"}'),
        (500, '{"__type": "#InternalServerError", "message": "injected"}'),
    ],
    "sqs": [
        (400, '{"__type": "com.amazonaws.sqs#RequestThrottled", "message": "injected"}'),
        (500, '{"__type": "com.amazonaws.sqs#InternalError", "message": "injected"}'),
    ],
    "sagemaker": [(400, '{"__type": "ThrottlingException", "message": "injected"}'), (500, "{}")],
    "sagemaker-runtime": [(429, '{"code": "ThrottlingException"}'), (500, "{}"), (503, "{}")],
}
# Of these services only some requests fail: the others are Lambda's, not a function's.
_ONLY = {"sqs": ".SendMessage"}


class Faults:
    """Lets requests of a client fail, as seldom and as randomly as is drawn.

    Args:
        client: of a service that `_REFUSALS` has.
        draw: decides.
        count: told `before` or `after` for each request that failed.
    """

    def __init__(self, client: Any, draw: Random, count: Callable[[str], None]) -> None:
        self._service = client.meta.service_model.service_name
        self._send = client._endpoint._send
        self._draw = draw
        self._count = count
        self._call = local()
        client.meta.events.register(f"before-call.{self._service}", self._begin)
        requests = f"before-send.{self._service}{_ONLY.get(self._service, '')}"
        client.meta.events.register(requests, self._perhaps)

    def _begin(self, **_: Any) -> None:
        self._call.lasting = False

    def _perhaps(self, request: Any, event_name: str, **_: Any) -> Any:
        self._count("requests")
        if self._call.lasting:
            self._count("before")
            return self._refusal(request)
        if self._draw.random() >= SHARE:
            return None
        self._call.lasting = self._draw.random() < LASTING
        if self._draw.random() < 0.5:
            self._count("before")
            return self._refusal(request)
        self._count("after")
        return self._lost(request, event_name)

    def _refusal(self, request: Any) -> Any:
        """Return an answer that says no, or break the connection."""
        if self._draw.random() < 1 / 3:
            raise ConnectionClosedError(endpoint_url=request.url)
        status, text = self._draw.choice(_REFUSALS[self._service])
        return AWSResponse(request.url, status, {}, _raw(text.encode()))

    def _lost(self, request: Any, event_name: str) -> Any:
        """Let AWS do it, and the answer be lost; of a file that is read, its second half."""
        answer = self._send(request)
        if event_name.endswith("GetObject") and answer.status_code < 300:
            answer.raw = _Broken(answer.raw.read())
            return answer
        _ = answer.content
        raise ConnectionClosedError(endpoint_url=request.url)


def _raw(body: bytes) -> HTTPResponse:
    return HTTPResponse(io.BytesIO(body), preload_content=False)


class _Broken(io.BytesIO):
    """Half of a body, and then no connection."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body[: len(body) // 2])

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data or size is None or size < 0:
            raise ProtocolError("Connection broken: injected")
        return data
