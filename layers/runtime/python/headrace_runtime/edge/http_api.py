"""HTTPS request ⇄ API Gateway's event: payload format 2.0 in, one answer out, errors as JSON."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from headrace_runtime.edge.status import status_of
from headrace_runtime.errors import HeadraceError, InvalidInput, RouteNotFound, TooLarge

# Lambda cuts a synchronous answer at 6,291,556 bytes (observed; documented as 6 MB, 2026-11);
# what API Gateway's envelope takes of it is left free.
MAX_ANSWER_BYTES = 6_291_556 - 16_384

# kserve's client reads an error only if the type is exactly this, without a charset.
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One call, as API Gateway hands it over.

    Attributes:
        parameters: the path's, by the names in the route.
        headers: by lower-case name; repeated ones are joined with commas.
        body: the bytes that were sent, content encoding still on.
        method, path: of the request line, as the caller sent them.
    """

    route: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    method: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: JSON where *headers* name no content type, bytes as they are otherwise."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200) -> Answer:
    """Return *value* as a JSON answer."""
    return Answer(orjson.dumps(value), status)


Route = Callable[[Request], Answer]


def respond(
    event: Mapping[str, Any],
    routes: Mapping[str, Route],
    *,
    on_failure: Callable[[Exception], None],
) -> dict[str, Any]:
    """Answer one event by the route that API Gateway matched, whatever happens in it.

    Args:
        routes: by route key as API Gateway spells it, `POST /v2/models/{model}/infer`.
        event: an HTTP API event, payload format 2.0.
        on_failure: told of errors that are our fault, whose text the caller does not get.
    """
    request_id = str(event.get("requestContext", {}).get("requestId", ""))
    try:
        request = _request(event, request_id)
        route = routes.get(request.route)
        if route is None:
            raise RouteNotFound(request.method, request.path)  # noqa: TRY301 - answered below
        return _reply(route(request))
    except HeadraceError as error:
        if status_of(error) >= 500:
            on_failure(error)
        return _reply(_error_answer(error, request_id))
    except Exception as error:  # noqa: BLE001 - a bug: the caller gets an answer all the same
        on_failure(error)
        return _reply(_failure(500, request_id))


def _request(event: Mapping[str, Any], request_id: str) -> Request:
    body = event.get("body") or ""
    try:
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidInput("the body is neither text nor base64") from None
    http = event["requestContext"]["http"]
    return Request(
        route=event["routeKey"],
        parameters=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        headers=event.get("headers") or {},
        body=raw,
        request_id=request_id,
        method=http["method"],
        path=http["path"],
    )


def _reply(answer: Answer) -> dict[str, Any]:
    headers = {"content-type": JSON, **answer.headers}
    text = headers["content-type"] == JSON and "content-encoding" not in headers
    body = answer.body.decode() if text else base64.b64encode(answer.body).decode()
    size = _sent_bytes(body, text=text)
    if size > MAX_ANSWER_BYTES:
        raise TooLarge(
            "an answer",
            limit_bytes=MAX_ANSWER_BYTES,
            got_bytes=size,
            advice="ask for fewer outputs, send fewer records a call, or drop them as a file",
        )
    return {
        "statusCode": answer.status,
        "headers": headers,
        "body": body,
        "isBase64Encoded": not text,
    }


def _sent_bytes(body: str, *, text: bool) -> int:
    """Return the bytes that *body* takes within Lambda's answer, where text is escaped again."""
    short = len(body) * 6 <= MAX_ANSWER_BYTES  # no character becomes more than six bytes
    return len(orjson.dumps(body)) if text and not short else len(body)


def _error_answer(error: HeadraceError, request_id: str) -> Answer:
    status = status_of(error)
    if status >= 500 and status != 503:
        return _failure(status, request_id)
    return json_answer(
        {"error": error.sentence, "code": error.code, **error.facts, "request_id": request_id},
        status,
    )


def _failure(status: int, request_id: str) -> Answer:
    return json_answer(
        {
            "error": "Headrace failed to answer; the fault is not yours",
            "code": "INTERNAL",
            "request_id": request_id,
        },
        status,
    )
