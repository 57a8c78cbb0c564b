"""The HTTPS door: which call wakes which function."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
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
        "POST /jobs",
        "GET /jobs/{job}",
        "GET /jobs/{job}/results",
        "GET /jobs/{job}/errors",
        "GET /jobs/{job}/manifest",
    ),
}


class HeadraceApi(Construct):
    """An HTTP API (payload 2.0) with the explicit routes of `ROUTES`, deployed as they change.

    Args:
        functions: those that `ROUTES` names.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, functions: Mapping[str, HeadraceFunction]
    ) -> None:
        super().__init__(scope, construct_id)
        self.api = apigateway.HttpApi(self, "Api", api_name="headrace")
        for name, routes in ROUTES.items():
            target = self._integration(name, functions[name].function)
            for route in routes:
                apigateway.CfnRoute(
                    self, _id(route), api_id=self.api.api_id, route_key=route, target=target
                )

    def _integration(self, name: str, function: lambda_.IFunction) -> str:
        """Let this API, and no other, wake *function*; return what routes name as their target.

        Written out because the ready-made integration allows every route on its own, or all but
        `$default`: that one's ARN ends after its name, which stands where a method would.
        """
        function.add_permission(
            "WokenByHttp",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=Stack.of(self).format_arn(
                service="execute-api", resource=self.api.api_id, resource_name="*/*"
            ),
        )
        integration = apigateway.CfnIntegration(
            self,
            name.title(),
            api_id=self.api.api_id,
            integration_type="AWS_PROXY",
            integration_uri=function.function_arn,
            payload_format_version="2.0",
        )
        return f"integrations/{integration.ref}"


def _id(route: str) -> str:
    return route.replace("/", "|")
