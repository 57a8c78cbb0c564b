"""Who calls: credential → key or token → principal and subjects, or why not. Never what they may.

Nothing is remembered of a key: one that is revoked is refused from the next call on.
"""

import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from headrace_runtime.access.api_key import SecretHash, parts_of
from headrace_runtime.access.denials import Unauthenticated
from headrace_runtime.access.rate_windows import windows
from headrace_runtime.access.token_subjects import subjects_of
from headrace_runtime.aws.call_counts import CallCounts
from headrace_runtime.aws.keys import Keys
from headrace_runtime.aws.light_clients import LightDynamoDB
from headrace_runtime.edge.authoriser import credential_of, known, looks_like_token, turned_away
from headrace_runtime.errors import Unavailable
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import AuthoriseSettings

if TYPE_CHECKING:
    from headrace_runtime.edge.tokens import Tokens

settings = AuthoriseSettings.from_env(os.environ)
invocations = watch("authorise", os.environ, light=True)
dynamodb = LightDynamoDB()
keys = Keys(settings.access_table, dynamodb=dynamodb)
counts = CallCounts(settings.access_table, dynamodb=dynamodb)

# Compared where there is no key of that id, so that it takes as long as where there is one.
NO_KEY = SecretHash("00" * 16, "00" * 32)


@cache
def tokens() -> "Tokens":
    """Return what reads tokens; made for the first one, as most callers send an API key."""
    from headrace_runtime.edge.signing_keys import SigningKeys  # noqa: PLC0415 - see above
    from headrace_runtime.edge.tokens import Tokens  # noqa: PLC0415

    keys = SigningKeys(settings.jwt_issuer, clock=time.monotonic)
    return Tokens(settings.jwt_issuer, settings.jwt_audience, keys=keys)


def of_token(token: str) -> dict[str, Any]:
    """Answer for the bearer of a token."""
    claims = tokens().claims(token)
    return known(f"sub:{claims['sub']}", subjects_of(claims))


def of_key(text: str, now: datetime) -> dict[str, Any]:
    """Answer for the holder of an API key, and count the call where the key has limits."""
    key_id, secret = parts_of(text) or ("", "")
    key = keys.find(key_id) if key_id else None
    right = (key.kept if key else NO_KEY).is_of(secret)
    if key is None or not right or not key.good_at(now):
        raise Unauthenticated
    limits = windows(now, rate_per_s=key.rate_per_s, daily_quota=key.daily_quota)
    full = counts.exceeded(key_id, limits)
    if full is not None:
        return turned_away(full.refusal, f"key:{key_id}", full.retry_after_s)
    return known(f"key:{key_id}", [f"key:{key_id}"])


def caller(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Answer for whoever sent *event* at *now*."""
    credential = credential_of(event)
    try:
        if settings.jwt_issuer and looks_like_token(credential):
            return of_token(credential)
        return of_key(credential, now)
    except Unauthenticated as error:
        return turned_away(error.code)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway's question."""
    with invocations.begin(context.aws_request_id) as invocation:
        invocation.ids["request_id"] = event.get("requestContext", {}).get("requestId", "")
        invocation.count("Requests")
        try:
            answer = caller(event, datetime.now(UTC))
        except Unavailable as error:
            # Here and not above: what is seldom needed would cost every start.
            from headrace_runtime.edge.failure_log import log_failure  # noqa: PLC0415

            log_failure(error, invocation.ids)
            invocation.count("Faults")
            answer = turned_away(error.code)
        refused = answer["context"]["refused"]
        if refused:
            invocation.refused("Errors", refused)
        return answer
