"""What one function may do with what it did not make: exact actions on exact things."""

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.aws.keyed_table import Index
from infra.aws.own_event import OwnEvent


def read_objects(who: iam.IRole, bucket: s3.IBucket, keys: str) -> None:
    """Let *who* get the objects of *bucket* at *keys*, in any version.

    A missing object then answers 403, not 404: S3 tells only those who may list.
    """
    _allow(who, bucket.arn_for_objects(keys), "s3:GetObject", "s3:GetObjectVersion")


def list_objects(who: iam.IRole, bucket: s3.IBucket) -> None:
    """Let *who* learn which objects *bucket* has, and so which are missing."""
    _allow(who, bucket.bucket_arn, "s3:ListBucket", "s3:ListBucketVersions")


def put_objects(who: iam.IRole, bucket: s3.IBucket, keys: str) -> None:
    """Let *who* put objects into *bucket* at *keys*, whole or in parts, or give parts up."""
    _allow(who, bucket.arn_for_objects(keys), "s3:PutObject", "s3:AbortMultipartUpload")


def delete_objects(who: iam.IRole, bucket: s3.IBucket, keys: str) -> None:
    """Let *who* hide the objects of *bucket* at *keys*; their versions stay for a while."""
    _allow(who, bucket.arn_for_objects(keys), "s3:DeleteObject")


def send_messages(who: iam.IRole, queue: sqs.IQueue) -> None:
    """Let *who* put messages into *queue*."""
    _allow(who, queue.queue_arn, "sqs:SendMessage")


def count_messages(who: iam.IRole, queue: sqs.IQueue) -> None:
    """Let *who* learn how many messages wait in *queue*, and none of them."""
    _allow(who, queue.queue_arn, "sqs:GetQueueAttributes")


def move_messages(who: iam.IRole, *, out_of: sqs.IQueue, to: sqs.IQueue) -> None:
    """Let *who* take messages out of one queue, and put messages into another."""
    _allow(
        who,
        out_of.queue_arn,
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    )
    send_messages(who, to)


def tell(who: iam.IRole, event: OwnEvent) -> None:
    """Let *who* put *event*, and no other, on the account's default bus."""
    bus = Stack.of(who).format_arn(service="events", resource="event-bus", resource_name="default")
    who.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus],
            # Of several events in one request each must be this: the keys hold as many values.
            conditions={
                "ForAllValues:StringEquals": {
                    "events:source": event.source,
                    "events:detail-type": event.kind,
                },
                "Null": {"events:source": "false", "events:detail-type": "false"},
            },
        )
    )


def read_items(who: iam.IRole, table: dynamodb.ITable) -> None:
    """Let *who* read single items of *table*, and queries of one partition."""
    _allow(who, table.table_arn, "dynamodb:GetItem", "dynamodb:Query")


def read_single_items(who: iam.IRole, table: dynamodb.ITable) -> None:
    """Let *who* read items of *table* whose keys it knows."""
    _allow(who, table.table_arn, "dynamodb:GetItem")


def look_up_items(who: iam.IRole, table: dynamodb.ITable) -> None:
    """Let *who* read items of *table*, many at a time, by their keys."""
    _allow(who, table.table_arn, "dynamodb:BatchGetItem")


def query_index(who: iam.IRole, table: dynamodb.ITable, index: Index) -> None:
    """Let *who* query *index* of *table*."""
    _allow(who, f"{table.table_arn}/index/{index.name}", "dynamodb:Query")


def write_items(who: iam.IRole, table: dynamodb.ITable) -> None:
    """Let *who* put and change items of *table*, alone or in transactions."""
    _allow(
        who,
        table.table_arn,
        "dynamodb:ConditionCheckItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    )


def read_metrics(who: iam.IRole) -> None:
    """Let *who* read every metric of the account: CloudWatch knows no resource to name here.

    It has no condition for a namespace either, where one reads; so the one function that has this
    has nothing else of worth.
    """
    _allow(who, "*", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics")


def in_partition(who: iam.IRole, table: dynamodb.ITable, partition: str, *verbs: str) -> None:
    """Let *who* do *verbs*, as `GetItem`, with items of *table* under *partition* alone.

    The partition is a key, with `*` for any characters.
    """
    who.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[f"dynamodb:{verb}" for verb in verbs],
            resources=[table.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [partition]}},
        )
    )


def _allow(who: iam.IRole, resource: str, *actions: str) -> None:
    who.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))
