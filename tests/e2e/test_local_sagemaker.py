"""The whole local cloud hosts an archive as SageMaker does, with Triton where it runs."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headrace_runtime.aws.triton_archive import write_archive
from headrace_runtime.codec.triton_body import content_type, decode_output, encode_body
from headrace_runtime.model.triton_config import MODEL_FOLDER, config_pbtxt
from headrace_runtime.tensor import Datatype, Tensor
from infra.local.process_family import family
from tests.e2e.conftest import Cloud, alive, eventually, start_cloud
from tests.integration.sagemaker_world import World
from tests.onnx_models import linear, linear_signature

ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)
ANSWER = [[14.0, 9.0, 4.0], [38.0, 17.0, -4.0]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model.tar.gz of `y = x W + b`."""
    folder = tmp_path_factory.mktemp("archive")
    graph = folder / "model.onnx"
    graph.write_bytes(linear())
    config = config_pbtxt(MODEL_FOLDER, linear_signature(), rows_at_once=64, tensorrt=False)
    return write_archive(graph, config, folder).read_bytes()


@pytest.fixture
def world(probe: Cloud) -> Iterator[World]:
    """SageMaker in the running cloud, with a bucket `work`; what a test made of it goes."""
    made = World(probe.env["AWS_ENDPOINT_URL"])
    made.runtime = probe.client("sagemaker-runtime")
    made.s3.create_bucket(
        Bucket="pool", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    yield made
    for endpoint in made.sagemaker.list_endpoints()["Endpoints"]:
        made.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    for entry in made.s3.list_objects_v2(Bucket="pool").get("Contents", []):
        made.s3.delete_object(Bucket="pool", Key=entry["Key"])
    made.s3.delete_bucket(Bucket="pool")


def _body() -> bytes:
    return encode_body([Tensor("x", Datatype.FP32, ROWS)], ["y"], 1024)


def _outcome(body: bytes, kind: str) -> list[list[float]]:
    (output,) = decode_output(body, kind, linear_signature().outputs)
    return np.asarray(output.array).tolist()


def test_bodies_through_s3_come_back_inferred(world: World, archive: bytes) -> None:
    world.endpoint("later", archive=archive)
    told = world.queue("told", "succeeded", "failed")
    source = world.put("in/job/1", _body())

    answer = world.runtime.invoke_endpoint_async(
        EndpointName="later", InputLocation=source, ContentType=content_type(1024)
    )

    assert eventually(
        lambda: world.read(answer["OutputLocation"]), within_s=20, what="the output is there"
    )
    (message,) = eventually(
        lambda: world.sqs.receive_message(QueueUrl=told).get("Messages"),
        within_s=5,
        what="a notice",
    )
    notice = json.loads(message["Body"])
    assert notice["invocationStatus"] == "Completed"
    output = world.s3.get_object(
        Bucket="pool", Key=answer["OutputLocation"].removeprefix("s3://pool/")
    )
    assert output["ContentType"] == notice["responseParameters"]["contentType"]
    assert _outcome(output["Body"].read(), output["ContentType"]) == ANSWER


def test_a_call_comes_back_inferred(world: World, archive: bytes) -> None:
    world.endpoint("now", asynchronous=False, archive=archive)

    answer = world.runtime.invoke_endpoint(
        EndpointName="now", Body=_body(), ContentType=content_type(1024)
    )

    assert _outcome(answer["Body"].read(), answer["ContentType"]) == ANSWER


def test_objects_of_a_transform_job_come_back_inferred(world: World, archive: bytes) -> None:
    world.model("batch", archive=archive)
    for number in range(3):
        world.put(f"in/job/{number}", _body())

    world.sagemaker.create_transform_job(
        TransformJobName="e2e",
        ModelName="batch",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://pool/in/"}},
            "ContentType": content_type(1024),
        },
        TransformOutput={"S3OutputPath": "s3://pool/out/"},
        TransformResources={"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    )

    def ended() -> str:
        job = world.sagemaker.describe_transform_job(TransformJobName="e2e")
        return "" if job["TransformJobStatus"] == "InProgress" else job["TransformJobStatus"]

    assert eventually(ended, within_s=30, what="the job ends") == "Completed"
    for number in range(3):
        output = world.s3.get_object(Bucket="pool", Key=f"out/job/{number}.out")
        assert _outcome(output["Body"].read(), output["ContentType"]) == ANSWER


def test_a_model_that_cannot_be_loaded_fails_its_endpoint_with_the_servers_own_words(
    world: World,
) -> None:
    world.endpoint("broken", status="Failed")

    described = world.sagemaker.describe_endpoint(EndpointName="broken")
    assert "model/1/model.onnx" in described["FailureReason"]


def test_kill_9_of_the_cloud_leaves_no_server(
    probe_sources: Path, tmp_path: Path, archive: bytes
) -> None:
    cloud = start_cloud(tmp_path / "home", HEADRACE_ASSEMBLY=str(probe_sources / "assembly"))
    world = World(cloud.env["AWS_ENDPOINT_URL"])
    world.s3.create_bucket(
        Bucket="pool", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    before = set(family(cloud.process.pid))
    world.endpoint("now", asynchronous=False, archive=archive)
    servers = set(family(cloud.process.pid)) - before
    assert servers

    os.kill(cloud.process.pid, signal.SIGKILL)

    cloud.process.wait()
    eventually(lambda: not any(map(alive, servers)), within_s=5, what="no server is left")
