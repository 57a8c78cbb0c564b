"""How the service fares: requests, errors, latencies, rows and cost of the last hours.

Request → time and model checked → CloudWatch → the figures that the caller may see → answer.
"""

import os
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.access.denials import Forbidden
from headrace_runtime.access.rights import Access
from headrace_runtime.aws.metrics import Metrics
from headrace_runtime.aws.policies import Policies
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, respond
from headrace_runtime.edge.metrics_api import metrics_answer, metrics_asked, visible
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import ObserveSettings

settings = ObserveSettings.from_env(os.environ)
invocations = watch("observe", os.environ)
policies = Policies(
    settings.access_table,
    dynamodb=boto3.client("dynamodb"),
    ttl_s=settings.policies_ttl_s,
    clock=time.monotonic,
)
metrics = Metrics(invocations.namespace, cloudwatch=boto3.client("cloudwatch"))


def figures(request: Request) -> Answer:
    """Give the figures of one model, or of all that the caller may see and of the functions."""
    asked, access = metrics_asked(request), policies.access(request.caller.subjects)
    if asked.model is not None:
        access.check_seen(asked.model)
    now = datetime.now(UTC)
    values = metrics.read(asked.since_s, now, model=asked.model)
    shown = visible(values, sees=access.sees, everything=rules(access))
    return metrics_answer(asked, shown, now)


def rules(access: Access) -> bool:
    """Return whether the caller may see the totals over all models."""
    try:
        access.check_admin()
    except Forbidden:
        return False
    return True


ROUTES: dict[str, Route] = {"GET /metrics": figures}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event."""
    with invocations.begin(context.aws_request_id) as invocation:
        on_failure = partial(log_failure, ids=invocation.ids)
        return respond(event, ROUTES, invocation, on_failure=on_failure, auth=settings.auth)
