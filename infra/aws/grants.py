"""What one function may do with what it did not make: exact actions on exact things."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs


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


def send_messages(who: iam.IRole, queue: sqs.IQueue) -> None:
    """Let *who* put messages into *queue*."""
    _allow(who, queue.queue_arn, "sqs:SendMessage")


def read_items(who: iam.IRole, table: dynamodb.ITable) -> None:
    """Let *who* read single items of *table*, and queries of one partition."""
    _allow(who, table.table_arn, "dynamodb:GetItem", "dynamodb:Query")


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
