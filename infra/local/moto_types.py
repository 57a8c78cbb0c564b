"""The CloudFormation types that moto lacks or deploys poorly, created by boto3's public calls."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3

from infra.local.moto_internals.resource_types import Creator, Deployed, plug_in

_MAPPING_PROPERTIES = (
    "FunctionName",
    "EventSourceArn",
    "FunctionResponseTypes",
    "FilterCriteria",
)
_INTEGRATION_PROPERTIES = (
    "ApiId",
    "IntegrationType",
    "IntegrationUri",
    "IntegrationMethod",
    "PayloadFormatVersion",
    "RequestParameters",
)


def plug_in_types(front_url: str) -> None:
    """Make the types known to moto's CloudFormation.

    Args:
        front_url: where HTTP APIs are served, told as their `ApiEndpoint`.
    """
    for resource_type, (name_property, create) in _TYPES.items():
        plug_in(resource_type, name_property, create)
    plug_in("AWS::ApiGatewayV2::Api", "", _api_at(front_url))


@cache
def _client(service: str) -> Any:
    # Making one takes longer than the call that it is made for.
    return boto3.client(service)


def _api_at(front_url: str) -> Creator:
    def create(name: str, properties: dict[str, Any]) -> Deployed:
        made = _client("apigatewayv2").create_api(
            Name=properties.get("Name", name),
            ProtocolType=properties.get("ProtocolType", "HTTP"),
            Description=properties.get("Description", ""),
        )
        return Deployed(made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": front_url})

    return create


def _integration(_: str, properties: dict[str, Any]) -> Deployed:
    wanted = {name: properties[name] for name in _INTEGRATION_PROPERTIES if name in properties}
    if "TimeoutInMillis" in properties:
        wanted["TimeoutInMillis"] = int(properties["TimeoutInMillis"])
    made = _client("apigatewayv2").create_integration(**wanted)
    return Deployed(made["IntegrationId"], {"IntegrationId": made["IntegrationId"]})


def _route(_: str, properties: dict[str, Any]) -> Deployed:
    made = _client("apigatewayv2").create_route(
        ApiId=properties["ApiId"],
        RouteKey=properties["RouteKey"],
        Target=properties["Target"],
    )
    return Deployed(made["RouteId"], {"RouteId": made["RouteId"]})


def _stage(_: str, properties: dict[str, Any]) -> Deployed:
    _client("apigatewayv2").create_stage(
        ApiId=properties["ApiId"],
        StageName=properties["StageName"],
        StageVariables=properties.get("StageVariables", {}),
    )
    return Deployed(properties["StageName"])


def _bucket(name: str, properties: dict[str, Any]) -> Deployed:
    s3 = _client("s3")
    region = s3.meta.region_name
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    if (versioning := properties.get("VersioningConfiguration")) is not None:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    notifications = properties.get("NotificationConfiguration", {})
    if str(_event_bridge_enabled(notifications)).lower() == "true":
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return Deployed(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        },
    )


def _event_bridge_enabled(notifications: dict[str, Any]) -> object:
    # Present without the member means enabled, as in CloudFormation.
    bridge = notifications.get("EventBridgeConfiguration")
    return False if bridge is None else bridge.get("EventBridgeEnabled", True)


def _event_source_mapping(_: str, properties: dict[str, Any]) -> Deployed:
    if str(properties.get("Enabled", True)).lower() == "false":
        return Deployed("disabled")
    wanted = {name: properties[name] for name in _MAPPING_PROPERTIES if name in properties}
    for name in ("BatchSize", "MaximumBatchingWindowInSeconds"):
        if name in properties:
            wanted[name] = int(properties[name])
    if scaling := properties.get("ScalingConfig"):
        wanted["ScalingConfig"] = {"MaximumConcurrency": int(scaling["MaximumConcurrency"])}
    # Disabled for moto, whose own poller delivers one message a call, with invented attributes,
    # and deletes it whatever comes of it.
    made = _client("lambda").create_event_source_mapping(Enabled=False, **wanted)
    return Deployed(made["UUID"], {"Id": made["UUID"]})


def _queue_policy(name: str, properties: dict[str, Any]) -> Deployed:
    sqs = _client("sqs")
    for queue in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    return Deployed(name)


def _not_enforced(name: str, _: dict[str, Any]) -> Deployed:
    return Deployed(name)


_TYPES: dict[str, tuple[str, Callable[[str, dict[str, Any]], Deployed]]] = {
    "AWS::ApiGatewayV2::Integration": ("", _integration),
    "AWS::ApiGatewayV2::Route": ("", _route),
    "AWS::ApiGatewayV2::Stage": ("", _stage),
    "AWS::Lambda::EventSourceMapping": ("", _event_source_mapping),
    "AWS::S3::Bucket": ("BucketName", _bucket),
    # moto's deny statements ignore their conditions: "deny without TLS" would deny everything.
    "AWS::S3::BucketPolicy": ("", _not_enforced),
    "AWS::SQS::QueuePolicy": ("", _queue_policy),
}
