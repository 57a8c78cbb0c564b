"""The control API: models and what became of them, uploads, aliases.

Request → names checked → caller's rights → registry → answer. Nothing here loads a model.
Rights come before what stands anywhere: of what one may not see, nothing is told, not even by
another error.
"""

import os
import time
import uuid
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.access.policy import Action
from headrace_runtime.access.rights import Access
from headrace_runtime.aws.models_bucket import SIGNED_UPLOADS, ModelsBucket
from headrace_runtime.aws.policies import Policies
from headrace_runtime.aws.registration import Registration
from headrace_runtime.aws.version_events import VersionEvents
from headrace_runtime.edge import control_api as api
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, json_answer, respond
from headrace_runtime.model.names import alias_name, model_name
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import ManageSettings

settings = ManageSettings.from_env(os.environ)
invocations = watch("manage", os.environ)
dynamodb = boto3.client("dynamodb")
registry = Registration(settings.registry_table, dynamodb=dynamodb)
policies = Policies(
    settings.access_table, dynamodb=dynamodb, ttl_s=settings.policies_ttl_s, clock=time.monotonic
)
s3 = boto3.client("s3", config=SIGNED_UPLOADS)
bucket = ModelsBucket(settings.models_bucket, s3=s3)
version_events = VersionEvents(events=boto3.client("events"))


def rights(request: Request) -> Access:
    """Return what the caller may do."""
    return policies.access(request.caller.subjects)


def models(request: Request) -> Answer:
    """List the models that the caller may see."""
    sees = rights(request).sees
    return api.models_answer({n: v for n, v in registry.latest_versions().items() if sees(n)})


def model(request: Request) -> Answer:
    """Show a model: versions, aliases, refusals."""
    name = model_name(request.parameters["model"])
    rights(request).check_seen(name)
    return api.model_answer(
        name,
        registry.latest(name),
        manifests=registry.manifests(name),
        aliases=registry.aliases(name),
        refusals=registry.refusals(name),
    )


def upload(request: Request) -> Answer:
    """Give a presigned upload; what is uploaded there is registered as anything dropped is."""
    name = model_name(request.parameters["model"])
    rights(request).check(Action.PUBLISH, name)
    said = api.chosen_acceleration(request.body).to_text()
    given = bucket.upload(name, uuid.uuid4().hex, said, max_bytes=settings.max_model_bytes)
    return json_answer(given, 201)


def alias(request: Request) -> Answer:
    """Show where an alias points."""
    name, which = _alias_names(request)
    rights(request).check_seen(name)
    return api.alias_answer(name, registry.alias(name, which))


def move_alias(request: Request) -> Answer:
    """Move an alias, or make it."""
    name, which = _alias_names(request)
    rights(request).check(Action.PROMOTE, name)
    move = api.alias_move(request.body)
    moved = registry.change(name, which, partial(move.apply, which))
    version_events.moved(name)
    return api.alias_answer(name, moved)


def _alias_names(request: Request) -> tuple[str, str]:
    return model_name(request.parameters["model"]), alias_name(request.parameters["alias"])


ROUTES: dict[str, Route] = {
    "GET /models": models,
    "GET /models/{model}": model,
    "POST /models/{model}/versions": upload,
    "GET /models/{model}/aliases/{alias}": alias,
    "PUT /models/{model}/aliases/{alias}": move_alias,
}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event."""
    with invocations.begin(context.aws_request_id) as invocation:
        on_failure = partial(log_failure, ids=invocation.ids)
        return respond(event, ROUTES, invocation, on_failure=on_failure, auth=settings.auth)
