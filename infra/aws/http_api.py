"""The HTTPS door: which call wakes which function, and who is let in."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Stack as Cloud
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.api_domain import ApiDomain
from infra.aws.api_stage import ApiStage
from infra.aws.authoriser import Authoriser
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.routes import OPEN, PREFLIGHTS, ROUTES
from infra.aws.stage import Stage

# What a page in a browser may send, and may read of an answer.
_SENT = [
    "authorization",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "inference-header-content-length",
    "x-api-key",
]
_SENT_SIGNED = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]
_READ = ["inference-header-content-length", "retry-after"]


@dataclass(frozen=True, slots=True)
class _Guard:
    """What a route says of who may call it."""

    authorisation: str
    authoriser_id: str | None


_OPEN = _Guard("NONE", None)


class HeadraceApi(Construct):
    """An HTTP API (payload 2.0) with the explicit routes of `ROUTES`, deployed as they change.

    Every route but those of `OPEN` is behind the stage's authorisation.

    Args:
        functions: those that `ROUTES` names.
        authorise: who says whose call it is; left out, AWS does, by the call's signature.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        functions: Mapping[str, HeadraceFunction],
        authorise: HeadraceFunction | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.api = apigateway.HttpApi(
            self,
            "Api",
            api_name=f"headrace-{stage.name}",
            create_default_stage=False,
            cors_preflight=_cors(stage),
            # The one address that is told is the one whose certificate is the user's.
            disable_execute_api_endpoint=stage.domain is not None,
        )
        guard = self._guard(authorise)
        for name, routes in ROUTES.items():
            target = self._integration(name, functions[name])
            for route in routes:
                self._route(route, target, _OPEN if route in OPEN else guard)
            if "$default" in routes and stage.cors_origins:
                self._route(PREFLIGHTS, target, _OPEN)
        front = ApiStage(self, "Stage", stage=stage, api=self.api)
        if stage.domain is None:
            self.url = self.api.api_endpoint
        else:
            ApiDomain(self, "Domain", domain=stage.domain, api=self.api).node.add_dependency(front)
            self.url = f"https://{stage.domain.name}"

    def _guard(self, authorise: HeadraceFunction | None) -> _Guard:
        if authorise is None:
            return _Guard("AWS_IAM", None)
        authoriser = Authoriser(self, "Authoriser", api=self.api, authorise=authorise)
        return _Guard("CUSTOM", authoriser.authoriser_id)

    def _route(self, route: str, target: str, guard: _Guard) -> None:
        apigateway.CfnRoute(
            self,
            _id(route),
            api_id=self.api.api_id,
            route_key=route,
            target=target,
            authorization_type=guard.authorisation,
            authorizer_id=guard.authoriser_id,
        )

    def _integration(self, name: str, woken: HeadraceFunction) -> str:
        """Let this API, and no other, wake *woken*; return what routes name as their target.

        Written out because the ready-made integration allows every route on its own, or all but
        `$default`: that one's ARN ends after its name, which stands where a method would.
        """
        woken.live.add_permission(
            "WokenByHttp",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=Cloud.of(self).format_arn(
                service="execute-api", resource=self.api.api_id, resource_name="*/*"
            ),
        )
        integration = apigateway.CfnIntegration(
            self,
            name.title(),
            api_id=self.api.api_id,
            integration_type="AWS_PROXY",
            integration_uri=woken.live.function_arn,
            payload_format_version="2.0",
        )
        return f"integrations/{integration.ref}"


def _cors(stage: Stage) -> apigateway.CorsPreflightOptions | None:
    if not stage.cors_origins:
        return None
    method = apigateway.CorsHttpMethod
    return apigateway.CorsPreflightOptions(
        allow_origins=list(stage.cors_origins),
        allow_methods=[method.GET, method.POST, method.PUT, method.DELETE],
        allow_headers=_SENT + (_SENT_SIGNED if stage.auth == "iam" else []),
        expose_headers=_READ,
    )


def _id(route: str) -> str:
    return route.replace("/", "|")
