"""The CloudFormation types that moto lacks or deploys poorly, all of them."""

from collections.abc import Mapping

from infra.local.moto_internals.plug_ins import Deployed, Properties, ResourceType, plug_in
from infra.local.resource_types import alarms, buckets, functions, http_api

# Accepted and remembered, and nothing more: what it would do has no meaning here.
INERT: Mapping[str, str] = {
    "AWS::ApiGatewayV2::ApiMapping": "one API answers on this machine, by its own address",
    "AWS::ApiGatewayV2::DomainName": "one API answers on this machine, by its own address",
    "AWS::ApplicationAutoScaling::ScalableTarget": "processes are started as calls come",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "processes are started as calls come",
    "AWS::Budgets::Budget": "nothing costs anything",
    "AWS::CloudWatch::CompositeAlarm": "moto evaluates no alarm",
    "AWS::CodeDeploy::Application": "an alias moves at once: the one caller is its own canary",
    "AWS::CodeDeploy::DeploymentConfig": "an alias moves at once",
    "AWS::CodeDeploy::DeploymentGroup": "an alias moves at once",
    "AWS::KMS::Key": "nothing is encrypted here; moto's own takes no tags from a template",
    "AWS::Logs::QueryDefinition": "a console's convenience",
    # moto's deny statements ignore their conditions: "deny without TLS" would deny everything.
    "AWS::S3::BucketPolicy": "moto would deny every write",
}


class _AnyAttribute(dict[str, str]):
    """Attributes of what is not there: each is the resource's own name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __missing__(self, _: str) -> str:
        return self._name


def plug_in_types(front_url: str) -> None:
    """Make the types known to moto's CloudFormation.

    Args:
        front_url: where HTTP APIs are served, told as their `ApiEndpoint`.
    """
    for known in (
        http_api.http_api(front_url),
        *http_api.PARTS,
        *functions.TYPES,
        *buckets.TYPES,
        *alarms.TYPES,
        *(ResourceType(name, _remember, update=_keep) for name in INERT),
    ):
        plug_in(known)


def _remember(name: str, _: Properties) -> Deployed:
    return Deployed(name, _AnyAttribute(name))


def _keep(deployed: Deployed, _: Properties) -> Deployed:
    return deployed
