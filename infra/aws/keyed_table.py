"""A table of items by partition key and sort key."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct


@dataclass(frozen=True, slots=True)
class Index:
    """Whole items by two of their attributes, both text; an item without them is not in it."""

    name: str
    hash_key: str
    range_key: str


class KeyedTable(Construct):
    """Keys `pk` and `sk`; paid by request, restorable to any second; it outlives its stack.

    Args:
        expires_at: the attribute, in seconds since 1970, from which on an item may be removed;
            no item is, if left out.
        indexes: how items are found beside their own keys. Of a table that stands already, AWS
            takes one new index a deployment.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expires_at: str | None = None,
        indexes: Sequence[Index] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=expires_at,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for index in indexes:
            self.table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.hash_key),
                sort_key=_text(index.range_key),
                projection_type=dynamodb.ProjectionType.ALL,
            )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
