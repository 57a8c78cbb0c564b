"""The world as AWS has it before anything happens: buckets, tables, registered models."""

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from headrace_runtime.aws.models_bucket import ModelsBucket
from headrace_runtime.aws.registration import Registration
from headrace_runtime.aws.triton_archive import write_archive
from headrace_runtime.model.acceleration import UNCHOSEN, Acceleration
from headrace_runtime.model.manifest import (
    OLDER_THAN_ARCHIVES,
    Archive,
    Manifest,
    Profile,
    StoredFile,
)
from headrace_runtime.model.record_rows import rows_at_once
from headrace_runtime.model.signature import Signature
from headrace_runtime.model.triton_config import MODEL_FOLDER, config_pbtxt

REGION = "eu-west-1"
# By which keys jobs are found beside their own: an index's hash and range key.
JOBS_INDEXES = {"by_day": ("day", "created"), "unfinished": ("unfinished", "changed_at")}
PROFILE = Profile(1.0, 0.1, 1 << 20, "1.32.0", optimise=True)


def client(service: str) -> Any:
    """Return a client that all worlds at one address share: making one takes longer than a world.

    Nothing is to be hung on it.
    """
    return _client(service, os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _client(service: str, _url: str | None) -> Any:
    return boto3.client(service)


def make() -> None:
    """Make the buckets `models inbox results staging` and the tables `registry jobs access`.

    Buckets are versioned; jobs have the indexes that they have in CDK.
    """
    s3 = client("s3")
    for bucket in ("models", "inbox", "results", "staging"):
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
    archive: bool = False,
    profile: Profile = PROFILE,
) -> Manifest:
    """Register model bytes as `register` would once they passed, with a known signature.

    With *archive* there is one for Triton, as `register` would have stored it.
    """
    digest = hashlib.sha256(graph).hexdigest()
    key = f"artifacts/{digest}/model.onnx"
    client("s3").put_object(Bucket="models", Key=key, Body=graph)
    stored = _archive(digest, graph, signature, acceleration) if archive else None

    def made(version: int) -> Manifest:
        return Manifest(
            model=model,
            version=version,
            digest=digest,
            size_bytes=len(graph),
            origin=f"s3://models/models/{model}/test.onnx?versionId=1",
            signature=signature,
            files=(StoredFile(key, digest, len(graph)),),
            profile=profile,
            registered_at="2026-11-23T00:00:00+00:00",
            acceleration=acceleration,
            archive=stored,
            unfit_for_gpu="" if archive else OLDER_THAN_ARCHIVES,
        )

    return Registration("registry", dynamodb=client("dynamodb")).accept(model, made)


def _archive(
    digest: str, graph: bytes, signature: Signature, acceleration: Acceleration
) -> Archive:
    rows = rows_at_once(signature, PROFILE, together=True)
    config = config_pbtxt(
        MODEL_FOLDER, signature, rows_at_once=rows, tensorrt=acceleration.tensorrt
    )
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.onnx")
        file.write_bytes(graph)
        archive = write_archive(file, config, file.parent)
        (stored,) = ModelsBucket("models", s3=client("s3")).store(digest, [archive])
    return Archive(stored, rows)


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
    client("dynamodb").create_table(
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
