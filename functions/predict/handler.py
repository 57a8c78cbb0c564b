"""Predictions over HTTPS: decode → route alias to version → infer → encode.

Cold start is a feature: everything that a prediction needs is imported here, nothing else is.
"""

import os
import random
import time
from functools import partial
from typing import Any

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.aws.light_clients import LightDynamoDB, LightS3
from headrace_runtime.aws.model_sessions import model_sessions
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.routing import Routing
from headrace_runtime.edge import open_inference_api as api
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, respond
from headrace_runtime.inference.predictor import predict
from headrace_runtime.settings import PredictSettings

settings = PredictSettings.from_env(os.environ)
registry = Registry(settings.registry_table, dynamodb=LightDynamoDB())
routing = Routing(registry, alias_ttl_s=settings.alias_ttl_s, clock=time.monotonic)
sessions = model_sessions(
    Artifacts(settings.models_bucket, s3=LightS3()),
    memory_mb=settings.models_memory_mb,
    threads=settings.threads,
)


def infer(request: Request) -> Answer:
    """Answer with the outputs of the version, or of the alias's version or canary."""
    draw = random.random()  # noqa: S311 - decides a share, is no secret
    manifest = routing.manifest(*api.asked_version(request), draw=draw)
    asked = api.infer_request(request, manifest.signature)
    outputs = predict(manifest, asked.tensors, asked.outputs, sessions=sessions)
    return api.infer_answer(request, asked, manifest, outputs)


def metadata(request: Request) -> Answer:
    """Answer with the signature; of an alias with a canary, the one that is not on trial."""
    manifest = routing.manifest(*api.asked_version(request), draw=1.0)
    return api.model_metadata(manifest, registry.latest(manifest.model))


def ready(request: Request) -> Answer:
    """Answer that the version can be called, without loading it."""
    return api.model_ready(routing.manifest(*api.asked_version(request), draw=1.0))


ROUTES: dict[str, Route] = {
    "GET /v2": lambda _: api.server_metadata(),
    "GET /v2/health/live": lambda _: api.server_ready(),
    "GET /v2/health/ready": lambda _: api.server_ready(),
    "GET /v2/models": lambda _: api.model_names(registry.latest_versions()),
    "GET /v2/models/{model}": metadata,
    "GET /v2/models/{model}/ready": ready,
    "POST /v2/models/{model}/infer": infer,
    "GET /v2/models/{model}/versions/{version}": metadata,
    "GET /v2/models/{model}/versions/{version}/ready": ready,
    "POST /v2/models/{model}/versions/{version}/infer": infer,
    "POST /v2/repository/index": lambda r: api.repository_index(r, registry.latest_versions()),
    "$default": api.other_route,
}


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one call of the HTTP API."""
    on_failure = partial(log_failure, request_id=context.aws_request_id)
    return respond(event, ROUTES, on_failure=on_failure)
