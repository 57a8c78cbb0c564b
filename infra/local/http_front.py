"""The HTTP API's address: calls in, events to functions, responses out."""

import logging
import socket
import uuid
from collections.abc import Mapping
from threading import Thread

import orjson

from infra.local.function_runtime import FunctionRuntime
from infra.local.http_answer import Answer, message, translate
from infra.local.http_event import Gateway, http_event
from infra.local.http_guards import Refused
from infra.local.http_routes import Match, RouteTable
from infra.local.invocation import RequestTooLarge, Throttled
from infra.local.patient_calls import PatientCalls
from infra.local.wire import Connection, Request, WireError

# API Gateway's figures for HTTP APIs.
_MAX_BODY_BYTES = 10 << 20
_MAX_HEAD_BYTES = 10_240
_IDLE_S = 60.0

_NOT_FOUND = message(404, "Not Found")
_TOO_LARGE = message(413, "Request Too Long")
_UNAVAILABLE = message(503, "Service Unavailable")
_INTERNAL = message(500, "Internal Server Error")

_log = logging.getLogger(__name__)


class HttpFront:
    """A server on 127.0.0.1, with a thread for each connection.

    Args:
        port: 0 for any that is free.

    Raises:
        OSError: the port is in use.
    """

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._routes = RouteTable(())
        self._functions: Mapping[str, FunctionRuntime] = {}
        self._gateway: Gateway | None = None
        self.calls = PatientCalls()

    def serve(
        self, routes: RouteTable, functions: Mapping[str, FunctionRuntime], gateway: Gateway
    ) -> None:
        """Take calls, in the background; those that came before waited."""
        self._routes, self._functions, self._gateway = routes, functions, gateway
        Thread(target=self._accept, name="http-front", daemon=True).start()

    def stop(self) -> None:
        """Take no more calls."""
        self._listener.close()
        self.calls.stop()

    def _accept(self) -> None:
        while True:
            try:
                accepted, peer = self._listener.accept()
            except OSError:  # closed
                return
            Thread(target=self._converse, args=(accepted, peer[0]), daemon=True).start()

    def _converse(self, accepted: socket.socket, source_ip: str) -> None:
        connection = Connection(accepted, max_head_bytes=_MAX_HEAD_BYTES)
        accepted.settimeout(_IDLE_S)
        try:
            while (request := connection.read_request(max_body_bytes=_MAX_BODY_BYTES)) is not None:
                answer = self._answer(request, source_ip)
                _send(connection, answer, request)
                if not request.keep_alive:
                    break
        except WireError as error:
            _refuse(connection, error)
        except OSError:  # the caller left, or was silent for a minute
            pass
        connection.close()

    def _answer(self, request: Request, source_ip: str) -> Answer:
        gateway, origin = self._gateway, request.header("origin")
        if gateway is None:
            return _NOT_FOUND
        match = self._routes.match(request.method, request.target.partition("?")[0])
        if gateway.cors is None or origin is None:
            return self._routed(request, match, gateway, source_ip)
        if not gateway.cors.asked(request.method, request.headers):
            return gateway.cors.on(self._routed(request, match, gateway, source_ip), origin)
        # Answered by the gateway itself, but not in place of a route's guard.
        preflight = gateway.cors.preflight(origin)
        if match is None or match.route.guard is None:
            return preflight
        try:
            match.route.guard.admit(
                http_event(request, match, gateway=gateway, source_ip=source_ip)
            )
        except Refused as refusal:
            return gateway.cors.on(refusal.answer, origin)
        return preflight

    def _routed(
        self, request: Request, match: Match | None, gateway: Gateway, source_ip: str
    ) -> Answer:
        if match is None:
            return _NOT_FOUND
        event = http_event(request, match, gateway=gateway, source_ip=source_ip)
        try:
            if match.route.guard is not None:
                event["requestContext"]["authorizer"] = match.route.guard.admit(event)
            function, timeout_s = self._functions[match.route.function], match.route.timeout_s
            return translate(self.calls.invoke(function, orjson.dumps(event), timeout_s))
        except Refused as refusal:
            return refusal.answer
        except (TimeoutError, Throttled):
            return _UNAVAILABLE
        except RequestTooLarge:
            return _TOO_LARGE
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            _log.exception("the gateway failed on %s %s", request.method, request.target)
            return _INTERNAL


def _send(connection: Connection, answer: Answer, request: Request) -> None:
    headers = [*answer.headers, ("apigw-requestid", uuid.uuid4().hex[:15] + "=")]
    if not request.keep_alive:
        headers.append(("connection", "close"))
    elif request.protocol == "HTTP/1.0":
        headers.append(("connection", "keep-alive"))
    connection.respond(answer.status, headers, answer.body, send_body=request.method != "HEAD")


def _refuse(connection: Connection, error: WireError) -> None:
    answer = _TOO_LARGE if error.status == 413 else message(error.status, error.status.phrase)
    try:
        connection.respond(answer.status, [*answer.headers, ("connection", "close")], answer.body)
    except OSError:
        return
    connection.close(drain=True)
