"""What SageMaker is asked for, as botocore would send it, and what it is called."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.endpoint_requests import EndpointRequests
from headrace_runtime.batch.gpu_need import Need
from headrace_runtime.work_settings import ProvisionSettings
from tests.conftest import SETTINGS

NEED = Need("wine", 3, "artifacts/d1/model.tar.gz", realtime=True)
IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-tritonserver:26.05-py3"
NAME = "hr-test-wine-3-0a1b2c3d"


def requests(**changed: Any) -> EndpointRequests:
    return EndpointRequests(ProvisionSettings(**SETTINGS["provision"].__dict__ | changed))


def sent(operation: str, request: dict[str, Any]) -> Any:
    """Return the body that botocore would send, once it has found the request to be well-formed."""

    class Sent(Exception):
        pass

    def stop(params: dict[str, Any], **_: Any) -> None:
        raise Sent(params["body"])

    client = boto3.client("sagemaker")
    client.meta.events.register("before-call", stop)
    with pytest.raises(Sent) as caught:
        getattr(client, operation)(**request)
    return json.loads(caught.value.args[0])


def test_a_sagemaker_model_is_the_archive_in_a_container_without_network() -> None:
    assert sent("create_model", requests().model(NAME, NEED)) == {
        "ModelName": NAME,
        "PrimaryContainer": {
            "Image": IMAGE,
            "ModelDataUrl": "s3://models/artifacts/d1/model.tar.gz",
            "Environment": {
                "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "model",
                "SAGEMAKER_TRITON_LOG_VERBOSE": "0",
            },
        },
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/sagemaker",
        "EnableNetworkIsolation": True,
    }


def test_where_there_are_several_instance_types_they_are_pools_best_first() -> None:
    pooled = requests(gpu_instance_types="ml.g6.xlarge,ml.g5.xlarge")

    body = sent("create_endpoint_config", pooled.config(NAME, NEED, realtime=False))

    assert body == {
        "EndpointConfigName": NAME,
        "ProductionVariants": [
            {
                "VariantName": "AllTraffic",
                "ModelName": NAME,
                "InitialInstanceCount": 1,
                "InferenceAmiVersion": "al2023-ami-sagemaker-inference-gpu-4-1",
                "ModelDataDownloadTimeoutInSeconds": 1200,
                "ContainerStartupHealthCheckTimeoutInSeconds": 600,
                "InstancePools": [
                    {"InstanceType": "ml.g6.xlarge", "Priority": 1},
                    {"InstanceType": "ml.g5.xlarge", "Priority": 2},
                ],
            }
        ],
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
            "OutputConfig": {
                "S3OutputPath": "s3://staging/out/",
                "S3FailurePath": "s3://staging/failed/",
                "NotificationConfig": {
                    "SuccessTopic": "arn:aws:sns:eu-west-1:123456789012:succeeded",
                    "ErrorTopic": "arn:aws:sns:eu-west-1:123456789012:failed",
                },
            },
        },
    }


def test_the_config_of_an_endpoint_that_answers_at_once_has_one_type_and_no_queue() -> None:
    body = sent("create_endpoint_config", requests().config(NAME, NEED, realtime=True))

    assert body["EndpointConfigName"] == f"{NAME}-rt"
    assert body["ProductionVariants"][0]["InstanceType"] == "ml.g4dn.xlarge"
    assert body["ProductionVariants"][0]["ModelName"] == NAME
    assert "AsyncInferenceConfig" not in body


def test_tensorrt_has_half_an_hour_to_compile() -> None:
    config = requests().config(NAME, replace(NEED, tensorrt=True), realtime=False)

    variant = config["ProductionVariants"][0]
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 1800


@pytest.mark.parametrize(
    "changed",
    [
        {"image": "another"},
        {"gpu_instance_types": "ml.g5.xlarge"},
        {"role_arn": "arn:aws:iam::123456789012:role/other"},
        {"staging_bucket": "other"},
        {"success_topic": "arn:aws:sns:eu-west-1:123456789012:other"},
    ],
)
def test_what_would_be_made_otherwise_is_called_otherwise(changed: dict[str, str]) -> None:
    assert requests(**changed).name(NEED) != requests().name(NEED)


def test_what_is_no_part_of_a_request_is_no_part_of_its_name() -> None:
    same = requests(gpu_max_instances=9, gpu_monthly_usd=1.0, alarm_topic="", jobs_table="j")

    assert same.name(replace(NEED, oldest_job="2026-11-26T00:00:00+00:00")) == requests().name(NEED)


def test_the_longest_name_has_63_characters() -> None:
    longest = requests(name_prefix="hr-abcdefghijklmnop")

    name = longest.name(replace(NEED, model="m" * 63, version=999_999_999))

    assert name.startswith(f"hr-abcdefghijklmnop-{'m' * 20}-999999999-")
    assert len(f"{name}-rt") == 62
