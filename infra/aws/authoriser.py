"""Who is let in: `authorise` is asked at every call."""

from aws_cdk import Stack as Cloud
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction


class Authoriser(Construct):
    """API Gateway's authoriser of *api*: no answer is remembered, and no call spared.

    So a revoked key is refused at once, every call is counted, and a call without a key is
    refused by the same function as one with a wrong key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.HttpApi,
        authorise: HeadraceFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        cloud = Cloud.of(self)
        path = f"path/2015-03-31/functions/{authorise.live.function_arn}/invocations"
        authoriser = apigateway.CfnAuthorizer(
            self,
            "Authoriser",
            api_id=api.api_id,
            name="authorise",
            authorizer_type="REQUEST",
            authorizer_payload_format_version="2.0",
            enable_simple_responses=True,
            authorizer_result_ttl_in_seconds=0,
            authorizer_uri=(f"arn:{cloud.partition}:apigateway:{cloud.region}:lambda:{path}"),
        )
        self.authoriser_id = authoriser.ref
        authorise.live.add_permission(
            "WokenByHttp",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=cloud.format_arn(
                service="execute-api",
                resource=api.api_id,
                resource_name=f"authorizers/{authoriser.ref}",
            ),
        )
