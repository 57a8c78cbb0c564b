"""Dead letters: how many there are, and back to their queues with them. For admins alone.

Request → caller's rights → messages received, sent to the queue that they came from, deleted.
"""

import os
import time
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.dead_letters import DeadLetters, queue_pairs
from headrace_runtime.aws.policies import Policies
from headrace_runtime.edge import dead_letters_api as api
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, respond
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import RedriveSettings

settings = RedriveSettings.from_env(os.environ)
invocations = watch("redrive", os.environ)
policies = Policies(
    settings.access_table,
    dynamodb=boto3.client("dynamodb"),
    ttl_s=settings.policies_ttl_s,
    clock=time.monotonic,
)
dead_letters = DeadLetters(queue_pairs(settings.queues), sqs=boto3.client("sqs"))


def waiting(request: Request) -> Answer:
    """Say how many messages lie there, by queue."""
    policies.access(request.caller.subjects).check_admin()
    return api.waiting_answer(dead_letters.waiting())


def redrive(context: LambdaContext, request: Request) -> Answer:
    """Send messages back to the queue that they came from."""
    policies.access(request.caller.subjects).check_admin()
    queue, most = request.parameters["queue"], api.most_asked(request.body)
    done = dead_letters.redrive(
        queue, most, left_s=lambda: context.get_remaining_time_in_millis() / 1000
    )
    request.invocation.count("Redriven", done.moved)
    return api.moved_answer(queue, done.moved, done.left)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event."""
    routes: dict[str, Route] = {
        "GET /dead-letters": waiting,
        "POST /dead-letters/{queue}": partial(redrive, context),
    }
    with invocations.begin(context.aws_request_id) as invocation:
        on_failure = partial(log_failure, ids=invocation.ids)
        return respond(event, routes, invocation, on_failure=on_failure, auth=settings.auth)
