"""Keys and policies: who may call, and what they may do. For those alone who rule over both.

Request → caller's rights → key or policy read or written. No other function may write them.
"""

import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.access.api_key import DRAW_BYTES, NewKey
from headrace_runtime.access.key_facts import moment
from headrace_runtime.aws.keys import KeyBook
from headrace_runtime.aws.policies import Policies
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.edge import access_api as api
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, respond
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import GrantSettings

settings = GrantSettings.from_env(os.environ)
invocations = watch("grant", os.environ)
dynamodb = boto3.client("dynamodb")
keys = KeyBook(settings.access_table, dynamodb=dynamodb)
book = PolicyBook(settings.access_table, dynamodb=dynamodb)
# Not remembered: who was an admin a moment ago is none any more.
policies = Policies(
    settings.access_table, dynamodb=dynamodb, ttl_s=0.0, clock=time.monotonic, consistent=True
)


def create_key(request: Request) -> Answer:
    """Make a key and show it, this once."""
    new = NewKey.drawn(secrets.token_bytes(DRAW_BYTES))
    facts = api.key_facts(request.body, new, now=datetime.now(UTC))
    keys.add(facts)
    return api.new_key_answer(facts, new)


def revoke_key(request: Request) -> Answer:
    """Let a key be good no more."""
    revoked = keys.revoke(request.parameters["key"], revoked_at=moment(datetime.now(UTC)))
    return api.key_answer(revoked)


def put_policy(request: Request) -> Answer:
    """Write a policy whole."""
    policy = api.policy_put(request.parameters["policy"], request.body)
    book.put(policy)
    return api.policy_answer(policy)


def delete_policy(request: Request) -> Answer:
    """Remove a policy, and show what it was."""
    return api.policy_answer(book.delete(request.parameters["policy"]))


def _for_admins(route: Route) -> Callable[[Request], Answer]:
    def guarded(request: Request) -> Answer:
        policies.access(request.caller.subjects).check_admin()
        return route(request)

    return guarded


ROUTES: dict[str, Route] = {
    "POST /keys": _for_admins(create_key),
    "GET /keys": _for_admins(lambda _: api.keys_answer(keys.all())),
    "DELETE /keys/{key}": _for_admins(revoke_key),
    "GET /policies": _for_admins(lambda _: api.policies_answer(policies.all())),
    "GET /policies/{policy}": _for_admins(
        lambda request: api.policy_answer(book.get(request.parameters["policy"]))
    ),
    "PUT /policies/{policy}": _for_admins(put_policy),
    "DELETE /policies/{policy}": _for_admins(delete_policy),
}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event."""
    with invocations.begin(context.aws_request_id) as invocation:
        on_failure = partial(log_failure, ids=invocation.ids)
        return respond(event, ROUTES, invocation, on_failure=on_failure, auth=settings.auth)
