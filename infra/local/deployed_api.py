"""The HTTP API that stands in the cloud, read from API Gateway's own calls."""

import boto3

from infra.local.deployment import ACCOUNT
from infra.local.http_event import Gateway
from infra.local.http_routes import Route, RouteTable, function_of


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
        f"integrations/{one['IntegrationId']}": function_of(one["IntegrationUri"])
        for one in gateway.get_integrations(ApiId=api_id)["Items"]
    }
    routes = [
        Route(one["RouteKey"], integrations[one["Target"]])
        for one in gateway.get_routes(ApiId=api_id)["Items"]
    ]
    stages = gateway.get_stages(ApiId=api_id)["Items"]
    stage = next((one for one in stages), {"StageName": "$default"})
    variables = stage.get("StageVariables") or {}
    return RouteTable(routes), Gateway(ACCOUNT, api_id, stage["StageName"], dict(variables), port)
