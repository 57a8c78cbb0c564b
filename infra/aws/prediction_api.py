"""The HTTPS door: which call wakes which function."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction

# By function; API Gateway itself matches them, and hands the route's text to the handler.
ROUTES: Mapping[str, Sequence[str]] = {
    "predict": (
        "GET /v2",
        "GET /v2/health/live",
        "GET /v2/health/ready",
        "GET /v2/models",
        "GET /v2/models/{model}",
        "GET /v2/models/{model}/ready",
        "POST /v2/models/{model}/infer",
        "GET /v2/models/{model}/versions/{version}",
        "GET /v2/models/{model}/versions/{version}/ready",
        "POST /v2/models/{model}/versions/{version}/infer",
        "POST /v2/repository/index",
        "$default",
    ),
    "manage": (
        "GET /models",
        "GET /models/{model}",
        "POST /models/{model}/versions",
        "GET /models/{model}/aliases/{alias}",
        "PUT /models/{model}/aliases/{alias}",
        "GET /jobs/{job}",
    ),
}


class PredictionApi(Construct):
    """An HTTP API (payload 2.0) with the explicit routes of `ROUTES`, deployed as they change.

    Args:
        functions: those that `ROUTES` names.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, functions: Mapping[str, HeadraceFunction]
    ) -> None:
        super().__init__(scope, construct_id)
        api = apigateway.HttpApi(self, "Api", description="Headrace")
        for name, routes in ROUTES.items():
            integration = HttpLambdaIntegration(
                name.title(),
                functions[name].function,
                # One permission a function, for this API alone; else there is one a route.
                scope_permission_to_route=False,
            )
            for route in routes:
                apigateway.HttpRoute(
                    self,
                    route.replace("/", "|"),
                    http_api=api,
                    route_key=_route_key(route),
                    integration=integration,
                )
        self.url = api.api_endpoint


def _route_key(route: str) -> apigateway.HttpRouteKey:
    method, _, path = route.partition(" ")
    if not path:
        return apigateway.HttpRouteKey.DEFAULT
    return apigateway.HttpRouteKey.with_(path, apigateway.HttpMethod(method))
