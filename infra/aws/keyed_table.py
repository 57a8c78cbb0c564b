"""A table of items by partition key and sort key."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct


class KeyedTable(Construct):
    """Keys `pk` and `sk`; paid by request, restorable to any second; it outlives its stack.

    Args:
        expires_at: the attribute, in seconds since 1970, from which on an item may be removed;
            no item is, if left out.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, expires_at: str | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=expires_at,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
