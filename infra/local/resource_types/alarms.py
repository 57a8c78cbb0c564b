"""Alarms, and the topics that they tell."""

import json

from infra.local.moto_internals.plug_ins import Deployed, Properties, ResourceType
from infra.local.resource_types.calls import arguments, client


def _create_alarm(name: str, properties: Properties) -> Deployed:
    return _put_alarm(Deployed(name), properties)


def _put_alarm(alarm: Deployed, properties: Properties) -> Deployed:
    cloudwatch, name = client("cloudwatch"), alarm.physical_id
    wanted = properties | {"AlarmName": name}
    cloudwatch.put_metric_alarm(**arguments("cloudwatch", "PutMetricAlarm", wanted))
    account, region = "123456789012", cloudwatch.meta.region_name
    return Deployed(name, {"Arn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"})


def _delete_alarm(alarm: Deployed, _: Properties) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=[alarm.physical_id])


def _create_topic_policy(name: str, properties: Properties) -> Deployed:
    return _set_topic_policy(Deployed(name), properties)


def _set_topic_policy(policy: Deployed, properties: Properties) -> Deployed:
    document = json.dumps(properties["PolicyDocument"])
    for topic in properties["Topics"]:
        client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=document
        )
    return policy


def _create_subscription(_: str, properties: Properties) -> Deployed:
    made = client("sns").subscribe(**arguments("sns", "Subscribe", properties))
    if (raw := properties.get("RawMessageDelivery")) is not None:  # no argument of the API's call
        client("sns").set_subscription_attributes(
            SubscriptionArn=made["SubscriptionArn"],
            AttributeName="RawMessageDelivery",
            AttributeValue=str(raw).lower(),
        )
    return Deployed(made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]})


def _delete_subscription(subscription: Deployed, _: Properties) -> None:
    client("sns").unsubscribe(SubscriptionArn=subscription.physical_id)


TYPES = (
    ResourceType(
        "AWS::CloudWatch::Alarm",
        _create_alarm,
        named_by="AlarmName",
        update=_put_alarm,
        delete=_delete_alarm,
    ),
    ResourceType("AWS::SNS::TopicPolicy", _create_topic_policy, update=_set_topic_policy),
    ResourceType("AWS::SNS::Subscription", _create_subscription, delete=_delete_subscription),
)
