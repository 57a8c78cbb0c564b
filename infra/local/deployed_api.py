"""The HTTP API that stands in the cloud, read from API Gateway's own calls."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3

from infra.local.deployment import ACCOUNT
from infra.local.function_runtime import FunctionRuntime
from infra.local.http_cors import Cors
from infra.local.http_event import Gateway
from infra.local.http_guards import AUTHORISER_TIMEOUT_S, Guard, LambdaGuard, SignatureGuard
from infra.local.http_routes import Route, RouteTable, function_of
from infra.local.invocation import Outcome
from infra.local.patient_calls import PatientCalls

_MAX_TIMEOUT_MS = 30_000


def read_api(
    session: boto3.Session,
    *,
    port: int,
    functions: Mapping[str, FunctionRuntime],
    calls: PatientCalls,
) -> tuple[RouteTable, Gateway]:
    """Return the routes of the HTTP API, and what its events tell of it.

    With none deployed there are no routes. Of several the first is served.

    Args:
        session: reaches the cloud.
        port: where the API is served.
        functions: by name; authorisers are among them.
        calls: with which authorisers are called.

    Raises:
        ValueError: an authoriser is of a kind that is not played here.
    """
    gateway = session.client("apigatewayv2")
    apis = gateway.get_apis()["Items"]
    if not apis:
        return RouteTable(()), Gateway(ACCOUNT, "", "$default", {}, port)
    api_id = apis[0]["ApiId"]
    integrations = {
        f"integrations/{one['IntegrationId']}": one
        for one in gateway.get_integrations(ApiId=api_id)["Items"]
    }
    stage = next(iter(gateway.get_stages(ApiId=api_id)["Items"]), None)
    name = stage["StageName"] if stage else "$default"
    variables = dict(stage.get("StageVariables") or {}) if stage else {}

    @cache  # its decisions hold for all of its routes
    def guard(authoriser_id: str) -> Guard:
        # moto lists no authorisers, but tells of each.
        authoriser = gateway.get_authorizer(ApiId=api_id, AuthorizerId=authoriser_id)
        prefix = f"arn:aws:execute-api:{session.region_name}:{ACCOUNT}:{api_id}/{name}"
        return _lambda_guard(dict(authoriser), functions, calls, prefix)

    routes = [
        _route(one, integrations[one["Target"]], guard)
        for one in gateway.get_routes(ApiId=api_id)["Items"]
    ]
    cors = apis[0].get("CorsConfiguration")
    told = Gateway(ACCOUNT, api_id, name, variables, port, Cors.read(cors) if cors else None)
    return RouteTable(routes), told


def _route(
    route: Mapping[str, Any], integration: Mapping[str, Any], guard_of: Callable[[str], Guard]
) -> Route:
    timeout_s = float(integration.get("TimeoutInMillis") or _MAX_TIMEOUT_MS) / 1000
    kind = route.get("AuthorizationType") or "NONE"
    guard: Guard | None = None
    if kind == "AWS_IAM":
        guard = SignatureGuard(ACCOUNT)
    elif kind != "NONE":
        guard = guard_of(route["AuthorizerId"])
    return Route(route["RouteKey"], function_of(integration["IntegrationUri"]), timeout_s, guard)


def _lambda_guard(
    authoriser: Mapping[str, Any],
    functions: Mapping[str, FunctionRuntime],
    calls: PatientCalls,
    route_arn_prefix: str,
) -> Guard:
    if authoriser["AuthorizerType"] != "REQUEST" or not authoriser.get("EnableSimpleResponses"):
        raise ValueError("Of authorisers only functions with simple responses are played here.")
    function = functions[function_of(authoriser["AuthorizerUri"])]

    def invoke(event: bytes) -> Outcome:
        return calls.invoke(function, event, AUTHORISER_TIMEOUT_S)

    return LambdaGuard(
        invoke,
        route_arn_prefix=route_arn_prefix,
        identity_sources=tuple(authoriser.get("IdentitySource") or ()),
        ttl_s=float(authoriser.get("AuthorizerResultTtlInSeconds") or 0),
    )
