"""Predictions over HTTPS: caller's rights → route alias to version → decode → infer → encode.

Cold start is a feature: everything that a prediction needs is imported here, nothing else is.
"""

import os
import random
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from headrace_runtime.access.policy import Action
from headrace_runtime.access.rights import Access
from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.aws.light_clients import LightDynamoDB, LightS3
from headrace_runtime.aws.model_sessions import model_sessions
from headrace_runtime.aws.policies import Policies
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.routing import Routing
from headrace_runtime.edge import open_inference_api as api
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, respond
from headrace_runtime.inference.predictor import predict, runs_here
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import PredictSettings

if TYPE_CHECKING:
    from headrace_runtime.aws.gpu_inference import GpuInference

settings = PredictSettings.from_env(os.environ)
invocations = watch("predict", os.environ)
dynamodb = LightDynamoDB()
registry = Registry(settings.registry_table, dynamodb=dynamodb)
policies = Policies(
    settings.access_table, dynamodb=dynamodb, ttl_s=settings.policies_ttl_s, clock=time.monotonic
)
routing = Routing(registry, alias_ttl_s=settings.alias_ttl_s, clock=time.monotonic)
s3 = LightS3()
sessions = model_sessions(
    Artifacts(settings.models_bucket, s3=s3),
    memory_mb=settings.models_memory_mb,
    threads=settings.threads,
)
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from headrace_runtime.aws.snapshot import warm_before_snapshot

    warm_before_snapshot(
        settings.warm_models,
        registry_table=settings.registry_table,
        sessions=sessions,
        s3=s3,
        on_failure=partial(log_failure, ids={"phase": "snapshot"}),
    )


def rights(request: Request) -> Access:
    """Return what the caller may do."""
    return policies.access(request.caller.subjects)


def seen_version(request: Request) -> tuple[str, int | str]:
    """Return the model and the version or alias that the path names, if the caller may see it."""
    model, version = api.asked_version(request)
    rights(request).check_seen(model)
    return model, version


def seen_models(request: Request) -> dict[str, int]:
    """Return the highest version of every model that the caller may see."""
    sees = rights(request).sees
    return {name: latest for name, latest in registry.latest_versions().items() if sees(name)}


@cache
def gpus() -> "GpuInference":
    """Return what has GPUs answer; most functions never ask for it."""
    from headrace_runtime.aws.gpu_inference import GpuInference  # noqa: PLC0415 - see above
    from headrace_runtime.aws.light_sagemaker import LightSageMaker  # noqa: PLC0415

    return GpuInference(routing, sagemaker=LightSageMaker())


def infer(request: Request) -> Answer:
    """Answer with the outputs of the version, or of the alias's version or canary."""
    seen, draw = request.invocation, random.random()  # noqa: S311 - decides a share, is no secret
    model, version = api.asked_version(request)
    rights(request).check(Action.INFER, model)
    manifest = routing.manifest(model, version, draw=draw)
    seen.routed(manifest.model, manifest.version)
    seen.lap("RouteMs")
    asked = api.infer_request(request, manifest.signature)
    seen.lap("DecodeMs")
    if runs_here(manifest, stage_has_gpus=settings.gpu == 1):
        outputs = predict(manifest, asked.tensors, asked.outputs, sessions=sessions)
    else:
        outputs = gpus().predict(manifest, asked.tensors, asked.outputs, left_ms=request.left_ms)
    seen.lap("InferMs")
    answer = api.infer_answer(request, asked, manifest, outputs)
    seen.lap("EncodeMs")
    return answer


def metadata(request: Request) -> Answer:
    """Answer with the signature; of an alias with a canary, the one that is not on trial."""
    manifest = routing.manifest(*seen_version(request), draw=1.0)
    return api.model_metadata(manifest, registry.latest(manifest.model))


def ready(request: Request) -> Answer:
    """Answer that the version can be called, without loading it."""
    manifest = routing.manifest(*seen_version(request), draw=1.0)
    if manifest.acceleration.realtime and not runs_here(manifest, stage_has_gpus=settings.gpu == 1):
        gpus().endpoint(manifest)
    return api.model_ready(manifest)


ROUTES: dict[str, Route] = {
    "GET /v2": lambda _: api.server_metadata(),
    "GET /v2/health/live": lambda _: api.server_ready(),
    "GET /v2/health/ready": lambda _: api.server_ready(),
    "GET /v2/models": lambda request: api.model_names(seen_models(request)),
    "GET /v2/models/{model}": metadata,
    "GET /v2/models/{model}/ready": ready,
    "POST /v2/models/{model}/infer": infer,
    "GET /v2/models/{model}/versions/{version}": metadata,
    "GET /v2/models/{model}/versions/{version}/ready": ready,
    "POST /v2/models/{model}/versions/{version}/infer": infer,
    "POST /v2/repository/index": lambda request: api.repository_index(
        request, seen_models(request)
    ),
    "$default": api.other_route,
}

OPEN_ROUTES = frozenset({"GET /v2/health/live", "GET /v2/health/ready"})


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one call of the HTTP API."""
    with invocations.begin(context.aws_request_id) as invocation:
        on_failure = partial(log_failure, ids=invocation.ids)
        return respond(
            event,
            ROUTES,
            invocation,
            on_failure=on_failure,
            auth=settings.auth,
            open_routes=OPEN_ROUTES,
            left_ms=context.get_remaining_time_in_millis,
        )
