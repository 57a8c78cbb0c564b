"""Buckets that tell EventBridge, and the policy of queues that let it send to them."""

import json
from typing import Any

from infra.local.moto_internals.plug_ins import Deployed, Properties, ResourceType
from infra.local.resource_types.calls import client


def _create_bucket(name: str, properties: Properties) -> Deployed:
    s3 = client("s3")
    region = s3.meta.region_name
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    bucket = Deployed(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        },
    )
    return _configure_bucket(bucket, properties)


def _configure_bucket(bucket: Deployed, properties: Properties) -> Deployed:
    s3, name = client("s3"), bucket.physical_id
    if (versioning := properties.get("VersioningConfiguration")) is not None:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    notifications = properties.get("NotificationConfiguration", {})
    if str(_event_bridge_enabled(notifications)).lower() == "true":
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return bucket


def _delete_bucket(bucket: Deployed, _: Properties) -> None:
    client("s3").delete_bucket(Bucket=bucket.physical_id)


def _event_bridge_enabled(notifications: dict[str, Any]) -> object:
    # Present without the member means enabled, as in CloudFormation.
    bridge = notifications.get("EventBridgeConfiguration")
    return False if bridge is None else bridge.get("EventBridgeEnabled", True)


def _create_queue_policy(name: str, properties: Properties) -> Deployed:
    return _set_queue_policy(Deployed(name), properties)


def _set_queue_policy(policy: Deployed, properties: Properties) -> Deployed:
    for queue in properties["Queues"]:
        document = json.dumps(properties["PolicyDocument"])
        client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})
    return policy


TYPES = (
    ResourceType(
        "AWS::S3::Bucket",
        _create_bucket,
        named_by="BucketName",
        update=_configure_bucket,
        delete=_delete_bucket,
    ),
    ResourceType("AWS::SQS::QueuePolicy", _create_queue_policy, update=_set_queue_policy),
)
