"""AWS for the measurements, in a process of its own, so that its CPU time is not counted.

`python -m tests.benchmarks.aws_server` publishes the models, prints its URL and serves until its
input ends.
"""

import hashlib
import logging
import os
import sys

import boto3
import onnxruntime
from moto.server import ThreadedMotoServer

from headrace_runtime.access.key_facts import KeyFacts
from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws.keys import KeyBook
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.aws.registration import Registration
from headrace_runtime.inference.graph_signature import signature_of
from headrace_runtime.model.manifest import Manifest, Profile, StoredFile
from tests.benchmarks.models import MODELS
from tests.benchmarks.world import CREDENTIALS, KEY


def main() -> None:
    """Serve buckets and tables with every model of `models.py` as version 1."""
    os.environ |= CREDENTIALS
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for table in ("registry", "access"):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
    KeyBook("access", dynamodb=dynamodb).add(
        KeyFacts(KEY.key_id, "measurements", KEY.kept, "2026-11-23T00:00:00+00:00")
    )
    PolicyBook("access", dynamodb=dynamodb).put(
        Policy("measurements", (f"key:{KEY.key_id}",), frozenset({Action.INFER}), ("*",))
    )
    for model, graph in MODELS.items():
        digest = hashlib.sha256(graph).hexdigest()
        key = f"artifacts/{digest}/model.onnx"
        s3.put_object(Bucket="models", Key=key, Body=graph)
        manifest = Manifest(
            model=model,
            version=1,
            digest=digest,
            size_bytes=len(graph),
            origin="s3://models/test.onnx?versionId=1",
            signature=signature_of(onnxruntime.InferenceSession(graph)),
            files=(StoredFile(key, digest, len(graph)),),
            profile=Profile(1.0, 0.1, 1 << 20, onnxruntime.__version__, optimise=True),
            registered_at="2026-11-23T00:00:00+00:00",
        )
        Registration("registry", dynamodb=dynamodb).accept(model, lambda _, made=manifest: made)
    sys.stdout.write(os.environ["AWS_ENDPOINT_URL"] + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
