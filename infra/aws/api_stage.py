"""How the API is run: how much it takes, and what it writes down."""

import json

from aws_cdk import aws_apigatewayv2 as apigateway
from constructs import Construct

from infra.aws.log_group import LogGroup
from infra.aws.stage import Stage

# One line a call. Nothing that a caller sent but method and route: no path, which may hold an
# id that is somebody's secret, no query string, no header, no body.
_FIELDS = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "source_ip": "$context.identity.sourceIp",
    "principal": "$context.authorizer.principal",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "answer_bytes": "$context.responseLength",
    "error": "$context.error.responseType",
    "integration_error": "$context.integration.error",
    "authoriser_error": "$context.authorizer.error",
}


class ApiStage(Construct):
    """The one stage of *api*: `$default`, deployed as its routes change, throttled, logged."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, api: apigateway.HttpApi
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = LogGroup(self, "Logs", stage=stage)
        apigateway.CfnStage(
            self,
            "Default",
            api_id=api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=json.dumps(_FIELDS)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=stage.throttle_rate_per_s,
                throttling_burst_limit=stage.throttle_burst,
                detailed_metrics_enabled=True,
            ),
        )
