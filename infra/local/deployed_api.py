"""The HTTP API that stands in the cloud, read from API Gateway's own calls."""

from collections.abc import Mapping
from typing import Any

import boto3

from infra.local.deployment import ACCOUNT
from infra.local.http_event import Gateway
from infra.local.http_routes import Route, RouteTable, function_of

_MAX_TIMEOUT_MS = 30_000


def read_api(session: boto3.Session, *, port: int) -> tuple[RouteTable, Gateway]:
    """Return the routes of the HTTP API, and what its events tell of it.

    With none deployed there are no routes. Of several the first is served.
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
    routes = [
        _route(one["RouteKey"], integrations[one["Target"]])
        for one in gateway.get_routes(ApiId=api_id)["Items"]
    ]
    stage = next(iter(gateway.get_stages(ApiId=api_id)["Items"]), None)
    name = stage["StageName"] if stage else "$default"
    variables = dict(stage.get("StageVariables") or {}) if stage else {}
    return RouteTable(routes), Gateway(ACCOUNT, api_id, name, variables, port)


def _route(key: str, integration: Mapping[str, Any]) -> Route:
    timeout_s = float(integration.get("TimeoutInMillis") or _MAX_TIMEOUT_MS) / 1000
    return Route(key, function_of(integration["IntegrationUri"]), timeout_s)
