"""Who calls, as API Gateway says it: from `authorise`, or from a signature that it checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from headrace_runtime.access.denials import QuotaExceeded, RateExceeded, Unauthenticated
from headrace_runtime.errors import HeadraceError, Unavailable


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        principal: one name for logs: `key:<id>`, `sub:<subject>`, `iam:<arn>`.
        subjects: every name by which policies may mean them.
    """

    principal: str
    subjects: tuple[str, ...]


NOBODY = Caller("", ())


def caller_of(event: Mapping[str, Any], auth: str) -> Caller:
    """Return who calls.

    Args:
        event: an HTTP API event, payload format 2.0.
        auth: `keys` where `authorise` says who calls, `iam` where API Gateway itself does.

    Raises:
        Unauthenticated: nobody whom the door knows.
        RateExceeded, QuotaExceeded: their calls are used up for now.
        Unavailable: it could not be found out.
    """
    said = event.get("requestContext", {}).get("authorizer") or {}
    return _READERS[auth](said)


def _of_authorise(said: Mapping[str, Any]) -> Caller:
    context = said.get("lambda") or {}
    refused = context.get("refused", "")
    if refused:
        raise _REFUSALS[refused](int(context.get("retry_after_s") or 1))
    if not context.get("principal"):
        raise Unauthenticated
    return Caller(context["principal"], tuple(orjson.loads(context["subjects"])))


def _of_gateway(said: Mapping[str, Any]) -> Caller:
    arn = (said.get("iam") or {}).get("userArn")
    if not arn:
        raise Unauthenticated
    role, _, _ = arn.partition(":assumed-role/")[2].partition("/")
    # Whoever assumes a role is named anew each time, so policies may name the role itself, too.
    roles = (f"iam:{arn.rpartition('/')[0]}",) if role else ()
    return Caller(f"iam:{arn}", (f"iam:{arn}", *roles))


_READERS: dict[str, Callable[[Mapping[str, Any]], Caller]] = {
    "keys": _of_authorise,
    "iam": _of_gateway,
}

_REFUSALS: dict[str, Callable[[int], HeadraceError]] = {
    "UNAUTHENTICATED": lambda _: Unauthenticated(),
    "RATE_EXCEEDED": RateExceeded,
    "QUOTA_EXCEEDED": QuotaExceeded,
    "UNAVAILABLE": lambda _: Unavailable("who calls could not be found out: try again"),
}
