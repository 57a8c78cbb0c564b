"""A call as the event that a function gets of it: HTTP APIs' payload format 2.0."""

import base64
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.local.http_cors import Cors
from infra.local.http_routes import Match
from infra.local.wire import Request

_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})


@dataclass(frozen=True, slots=True)
class Gateway:
    """What an event tells of the API itself."""

    account: str
    api_id: str
    stage: str
    stage_variables: dict[str, str]
    port: int
    cors: Cors | None = None


def http_event(
    request: Request, match: Match, *, gateway: Gateway, source_ip: str
) -> dict[str, Any]:
    """Return the event of a call that *match* chose a route for."""
    raw_path, _, query = request.target.partition("?")
    headers = _joined(request, gateway, source_ip)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": unquote(raw_path),
        "rawQueryString": query,
    }
    cookies = headers.pop("cookie", "")
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.replace(";", ",").split(",")]
    event["headers"] = headers
    if query:
        event["queryStringParameters"] = _query_parameters(query)
    event["requestContext"] = _context(request, match, headers, gateway, source_ip)
    if match.parameters:
        event["pathParameters"] = match.parameters
    if gateway.stage_variables:
        event["stageVariables"] = gateway.stage_variables
    event["isBase64Encoded"] = False
    if request.body:
        if _is_text(headers):
            event["body"] = request.body.decode("utf-8", "replace")
        else:
            event["body"] = base64.b64encode(request.body).decode("ascii")
            event["isBase64Encoded"] = True
    return event


def _joined(request: Request, gateway: Gateway, source_ip: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    for dropped in ("connection", "expect", "keep-alive", "transfer-encoding", "te", "upgrade"):
        headers.pop(dropped, None)
    headers["content-length"] = str(len(request.body))
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded}, {source_ip}" if forwarded else source_ip
    headers["x-forwarded-port"] = str(gateway.port)
    headers["x-forwarded-proto"] = "http"
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}")
    return headers


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _context(
    request: Request, match: Match, headers: dict[str, str], gateway: Gateway, source_ip: str
) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": gateway.account,
        "apiId": gateway.api_id,
        "domainName": headers.get("host", "").partition(":")[0],
        "domainPrefix": gateway.api_id,
        "http": {
            "method": request.method,
            "path": unquote(request.target.partition("?")[0]),
            "protocol": request.protocol,
            "sourceIp": source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": uuid.uuid4().hex[:15] + "=",
        "routeKey": match.route.key,
        "stage": gateway.stage,
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def _is_text(headers: dict[str, str]) -> bool:
    if headers.get("content-encoding", "identity").lower() != "identity":
        return False
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return content_type.startswith("text/") or content_type in _TEXT_TYPES
