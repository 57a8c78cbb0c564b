"""Who may call a route: what API Gateway asks before it calls the route's function."""

import json
import re
from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Any, Protocol

import orjson

from infra.local.http_answer import Answer, message
from infra.local.invocation import InvocationRefused, Outcome

# API Gateway's own.
AUTHORISER_TIMEOUT_S = 10.0

_FORBIDDEN = message(403, "Forbidden")
_UNAUTHORISED = message(401, "Unauthorized")
_FAILED = message(500, "Internal Server Error")
_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 .*?Credential=([^/, ]+)/")
# What an authoriser's event has of the call's: everything but the body.
_TOLD = (
    "routeKey",
    "rawPath",
    "rawQueryString",
    "cookies",
    "headers",
    "queryStringParameters",
    "requestContext",
    "pathParameters",
    "stageVariables",
)
_MAX_CACHED = 1000


class Refused(Exception):
    """The call goes no further; *answer* is what its caller gets."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Guard(Protocol):
    """What stands before a route."""

    def admit(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the event's `requestContext.authorizer` is to tell of the caller.

        Args:
            event: the call's, as its function would get it.

        Raises:
            Refused: the function is not called.
        """
        ...


class LambdaGuard:
    """A function decides: REQUEST authorisers, payload 2.0, with simple responses.

    Args:
        invoke: calls the function.
        route_arn_prefix: of the API and its stage.
        identity_sources: as `$request.header.Authorization`; a call that lacks one is a 401.
        ttl_s: for how long a decision holds for the same identity; 0 asks each time.
    """

    def __init__(
        self,
        invoke: Callable[[bytes], Outcome],
        *,
        route_arn_prefix: str,
        identity_sources: tuple[str, ...] = (),
        ttl_s: float = 0,
    ) -> None:
        self._invoke = invoke
        self._route_arn_prefix = route_arn_prefix
        self._sources = identity_sources
        self._ttl_s = ttl_s
        self._lock = Lock()
        self._decided: dict[tuple[str, ...], tuple[float, dict[str, Any]]] = {}

    def admit(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the context that the function gave, under `lambda`."""
        identity = tuple(_identity(source, event) for source in self._sources)
        if not all(identity):
            raise Refused(_UNAUTHORISED)
        decision = self._remembered(identity) or self._decide(event, identity)
        if not decision["isAuthorized"]:
            raise Refused(_FORBIDDEN)
        return {"lambda": decision.get("context") or {}}

    def _decide(self, event: Mapping[str, Any], identity: tuple[str, ...]) -> dict[str, Any]:
        http = event["requestContext"]["http"]
        asked = {
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": f"{self._route_arn_prefix}/{http['method']}{http['path']}",
            "identitySource": list(identity) or None,
            **{name: event[name] for name in _TOLD if name in event},
        }
        try:
            outcome = self._invoke(orjson.dumps(asked))
            decision = {} if outcome.failed else json.loads(outcome.payload)
        except (InvocationRefused, TimeoutError, ValueError):
            decision = {}
        if not isinstance(decision, dict) or not isinstance(decision.get("isAuthorized"), bool):
            raise Refused(_FAILED)
        self._remember(identity, decision)
        return decision

    def _remembered(self, identity: tuple[str, ...]) -> dict[str, Any] | None:
        with self._lock:
            until, decision = self._decided.get(identity, (0.0, {}))
        return decision if monotonic() < until else None

    def _remember(self, identity: tuple[str, ...], decision: dict[str, Any]) -> None:
        if not self._ttl_s or not identity:
            return
        with self._lock:
            if len(self._decided) >= _MAX_CACHED:
                self._decided.clear()
            self._decided[identity] = monotonic() + self._ttl_s, decision


class SignatureGuard:
    """IAM decides, on AWS. Here whoever signs is let in.

    Neither the signature nor what the signer may do is checked: only that the call names an
    access key, as a signed one does.
    """

    def __init__(self, account: str) -> None:
        self._account = account

    def admit(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the caller's access key, as that of a user of its name, under `iam`."""
        signed = _CREDENTIAL.match(event["headers"].get("authorization", ""))
        if signed is None:
            raise Refused(_FORBIDDEN)
        access_key = signed.group(1)
        return {
            "iam": {
                "accessKey": access_key,
                "accountId": self._account,
                "callerId": access_key,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": f"arn:aws:iam::{self._account}:user/{access_key}",
                "userId": access_key,
            }
        }


def _identity(source: str, event: Mapping[str, Any]) -> str:
    place, _, name = source.removeprefix("$request.").partition(".")
    if place == "header":
        return str(event["headers"].get(name.lower(), ""))
    if place == "querystring":
        return str(event.get("queryStringParameters", {}).get(name, ""))
    if place == "$stageVariables":
        return str(event.get("stageVariables", {}).get(name, ""))
    found: Any = event["requestContext"]  # $context.routeKey, $context.http.path
    for part in name.split("."):
        found = found.get(part, "") if isinstance(found, Mapping) else ""
    return str(found)
