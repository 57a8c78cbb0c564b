"""The world as AWS has it before anything happens: buckets, tables, registered models."""

import hashlib
from collections.abc import Mapping

import boto3

from headrace_runtime.aws.registration import Registration
from headrace_runtime.model.acceleration import UNCHOSEN, Acceleration
from headrace_runtime.model.manifest import Archive, Manifest, Profile, StoredFile
from headrace_runtime.model.signature import Signature

REGION = "eu-west-1"
# By which keys jobs are found beside their own: an index's hash and range key.
JOBS_INDEXES = {"by_day": ("day", "created"), "unfinished": ("unfinished", "changed_at")}


def make() -> None:
    """Make the buckets `models inbox results` (versioned), the tables `registry jobs access`.

    Jobs have the indexes that they have in CDK.
    """
    s3 = boto3.client("s3")
    for bucket in ("models", "inbox", "results"):
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for table in ("registry", "jobs", "access"):
        _make_table(table, JOBS_INDEXES if table == "jobs" else {})


def publish(
    model: str,
    graph: bytes,
    signature: Signature,
    *,
    acceleration: Acceleration = UNCHOSEN,
    archive: Archive | None = None,
) -> Manifest:
    """Register model bytes as `register` would once they passed, with a known signature."""
    digest = hashlib.sha256(graph).hexdigest()
    key = f"artifacts/{digest}/model.onnx"
    boto3.client("s3").put_object(Bucket="models", Key=key, Body=graph)

    def made(version: int) -> Manifest:
        return Manifest(
            model=model,
            version=version,
            digest=digest,
            size_bytes=len(graph),
            origin=f"s3://models/models/{model}/test.onnx?versionId=1",
            signature=signature,
            files=(StoredFile(key, digest, len(graph)),),
            profile=Profile(1.0, 0.1, 1 << 20, "1.32.0", optimise=True),
            registered_at="2026-11-23T00:00:00+00:00",
            acceleration=acceleration,
            archive=archive,
        )

    return Registration("registry", dynamodb=boto3.client("dynamodb")).accept(model, made)


def _make_table(name: str, indexes: Mapping[str, tuple[str, str]]) -> None:
    all_keys = {"table": ("pk", "sk"), **indexes}
    schemas = {
        index: [
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
        ]
        for index, keys in all_keys.items()
    }
    secondary = [
        {"IndexName": index, "KeySchema": schemas[index], "Projection": {"ProjectionType": "ALL"}}
        for index in indexes
    ]
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"}
            for keys in all_keys.values()
            for key in keys
        ],
        KeySchema=schemas["table"],
        **({"GlobalSecondaryIndexes": secondary} if secondary else {}),
    )
