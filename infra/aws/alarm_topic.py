"""Whom alarms tell."""

from aws_cdk import RemovalPolicy
from aws_cdk import Stack as Cloud
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

# Who tells: AWS's own key for topics would not let them.
_TELLERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")


class AlarmTopic(Construct):
    """A topic that alarms and budgets of this account alone write to, encrypted, by TLS alone.

    Args:
        email: an address that is told, once it has confirmed that it wants to be.
    """

    def __init__(self, scope: Construct, construct_id: str, *, email: str | None) -> None:
        super().__init__(scope, construct_id)
        tellers = [iam.ServicePrincipal(teller) for teller in _TELLERS]
        ours = {"StringEquals": {"aws:SourceAccount": Cloud.of(self).account}}
        key = kms.Key(
            self,
            "Key",
            description="Headrace: alarms",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # it keeps nothing, and costs while it stands
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                principals=tellers,
                resources=["*"],  # in a key's own policy: this key
                conditions=ours,
            )
        )
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=tellers,
                resources=[self.topic.topic_arn],
                conditions=ours,
            )
        )
        if email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
