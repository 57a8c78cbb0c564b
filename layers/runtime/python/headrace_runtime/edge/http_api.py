"""HTTPS request ⇄ API Gateway's event: payload format 2.0 in, one answer out, errors as JSON."""

import base64
import binascii
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from headrace_runtime.edge.caller import NOBODY, Caller, caller_of
from headrace_runtime.edge.status import is_fault, status_of
from headrace_runtime.errors import HeadraceError, InvalidInput, RouteNotFound, TooLarge
from headrace_runtime.monitoring.invocation import Invocation

# Lambda cuts a synchronous answer at 6,291,556 bytes (observed; documented as 6 MB, 2026-11);
# what API Gateway's envelope takes of it is left free.
MAX_ANSWER_BYTES = 6_291_556 - 16_384

# kserve's client reads an error only if the type is exactly this, without a charset.
JSON = "application/json"

FAILURE = "INTERNAL"  # the code of what is our fault and unforeseen


def _an_hour() -> int:
    """Return what is left, in ms, where nobody has said."""
    return 3_600_000


@dataclass(frozen=True, slots=True)
class Request:
    """One call, as API Gateway hands it over.

    Attributes:
        parameters: the path's, by the names in the route.
        headers: by lower-case name; repeated ones are joined with commas.
        body: the bytes that were sent, content encoding still on.
        invocation: what this call does and takes, noted on the way.
        method, path: of the request line, as the caller sent them.
        caller: who calls; nobody, who has no rights, where the route is open.
        left_ms: tells the milliseconds until Lambda ends the function.
    """

    route: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    invocation: Invocation
    method: str = ""
    path: str = ""
    caller: Caller = NOBODY
    left_ms: Callable[[], int] = _an_hour


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
    invocation: Invocation,
    *,
    on_failure: Callable[[Exception], None],
    auth: str = "keys",
    open_routes: Collection[str] = (),
    left_ms: Callable[[], int] = _an_hour,
) -> dict[str, Any]:
    """Answer one event by the route that API Gateway matched, whatever happens in it.

    Args:
        routes: by route key as API Gateway spells it, `POST /v2/models/{model}/infer`.
        event: an HTTP API event, payload format 2.0.
        invocation: is told of the request, its bytes, and the error that it ends with.
        on_failure: told of errors that are our fault, whose text the caller does not get.
        auth: who says who calls, as `caller_of` takes it.
        open_routes: those that answer whoever calls; on every other one, nobody is refused.
        left_ms: tells a route, if it asks, the milliseconds until Lambda ends the function.
    """
    request_id = str(event.get("requestContext", {}).get("requestId", ""))
    invocation.ids["request_id"] = request_id
    invocation.metrics["Requests"] = 1
    try:
        guarded = event.get("routeKey") not in open_routes
        caller = caller_of(event, auth) if guarded else NOBODY
        request = _request(event, invocation, caller, left_ms)
        route = routes.get(request.route)
        if route is None:
            raise RouteNotFound(request.method, request.path)  # noqa: TRY301 - answered below
        answer = route(request)
        reply = _reply(answer)
        invocation.metrics["BytesOut"] = len(answer.body)
        return reply  # noqa: TRY300 - what fails above is answered below
    except HeadraceError as error:
        invocation.refused("Errors", error.code)
        if is_fault(error):
            invocation.count("Faults")
            on_failure(error)
        return _reply(_error_answer(error, request_id))
    except Exception as error:  # noqa: BLE001 - a bug: the caller gets an answer all the same
        invocation.refused("Errors", FAILURE)
        invocation.count("Faults")
        on_failure(error)
        return _reply(_failure(500, request_id))


def _request(
    event: Mapping[str, Any], invocation: Invocation, caller: Caller, left_ms: Callable[[], int]
) -> Request:
    body = event.get("body") or ""
    try:
        # Strictly, and without the detours of `base64.b64decode`: a sixth faster.
        base64d = event.get("isBase64Encoded")
        raw = binascii.a2b_base64(body, strict_mode=True) if base64d else body.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidInput("the body is neither text nor base64") from None
    invocation.metrics["BytesIn"] = len(raw)
    http = event["requestContext"]["http"]
    return Request(
        route=event["routeKey"],
        parameters=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        headers=event.get("headers") or {},
        body=raw,
        request_id=invocation.ids["request_id"],
        invocation=invocation,
        method=http["method"],
        path=http["path"],
        caller=caller,
        left_ms=left_ms,
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
    plain = {"error": error.sentence, "code": error.code, **error.facts, "request_id": request_id}
    return Answer(orjson.dumps(plain), status, _advice(error, status))


def _advice(error: HeadraceError, status: int) -> dict[str, str]:
    """Return the headers that tell a client what to do next, without reading the body."""
    if status in (429, 503):
        return {"retry-after": str(error.facts.get("retry_after_s", 1))}
    return {}


def _failure(status: int, request_id: str) -> Answer:
    return json_answer(
        {
            "error": "Headrace failed to answer; the fault is not yours",
            "code": FAILURE,
            "request_id": request_id,
        },
        status,
    )
