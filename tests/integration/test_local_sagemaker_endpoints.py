"""Endpoints of the local cloud come up, change and go as on SageMaker."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sagemaker_world import World


def _described(world: World, name: str) -> dict[str, Any]:
    described: dict[str, Any] = world.sagemaker.describe_endpoint(EndpointName=name)
    return described


def _states(world: World, url: str) -> list[str]:
    """Return the statuses that were told, once there are any."""
    received = world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    events = [json.loads(message["Body"]) for message in received.get("Messages", [])]
    return [event["detail"]["EndpointStatus"] for event in events]


@pytest.fixture
def events(world: World) -> str:
    """A queue of the events of endpoints."""
    bus, url = world.client("events"), world.queue("states")
    bus.put_rule(
        Name="states",
        EventPattern=json.dumps(
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Endpoint State Change"],
            }
        ),
    )
    arn = "arn:aws:sqs:eu-west-1:123456789012:states"
    bus.put_targets(Rule="states", Targets=[{"Id": "1", "Arn": arn}])
    return url


def test_an_endpoint_is_in_service_once_an_instance_has_loaded_its_model(world, events):
    with world.playing(loads_first=True, wake_s=0.5):
        world.model("one")
        world.config("one", "one")

        world.make("endpoint", "one", EndpointConfigName="one")

        assert world.status("one") == "Creating"
        assert world.containers == []
        world.eventually(lambda: world.status("one") == "InService")
        described = _described(world, "one")
        variant = described["ProductionVariants"][0]
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
        assert variant["InstancePools"] == [
            {"InstanceType": "ml.g6.xlarge", "CurrentInstanceCount": 1},
            {"InstanceType": "ml.g5.xlarge", "CurrentInstanceCount": 0},
        ]
        assert described["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"] == "s3://pool/out/"
        assert world.running == 1
        assert _states(world, events) == ["IN_SERVICE"]


@pytest.mark.parametrize("asynchronous", [True, False])
def test_an_endpoint_whose_model_cannot_be_loaded_has_failed(world, events, asynchronous):
    with world.playing(loads_first=True):
        world.endpoint("one", member="broken", asynchronous=asynchronous, status="Failed")

        assert _described(world, "one")["FailureReason"] == (
            "The container did not pass the ping health check: failed to load 'model'"
        )
        assert _states(world, events) == ["FAILED"]
        with pytest.raises(ClientError, match="is Failed, not in service"):
            world.runtime.invoke_endpoint_async(EndpointName="one", Body=b"abc")


def test_an_endpoint_whose_archive_is_missing_has_failed_without_an_instance(world):
    with world.playing():
        world.model("one")
        world.config("one", "one")
        world.s3.delete_object(Bucket="pool", Key="one.tar.gz")

        world.make("endpoint", "one", EndpointConfigName="one")

        world.eventually(lambda: world.status("one") == "Failed")
        assert "s3://pool/one.tar.gz" in _described(world, "one")["FailureReason"]
        assert world.containers == []


def test_a_model_that_is_first_loaded_for_a_request_and_cannot_be_fails_the_endpoint(world):
    with world.playing():
        world.endpoint("one", member="broken")
        told = world.queue("told", "failed")

        world.runtime.invoke_endpoint_async(EndpointName="one", Body=b"abc")

        world.eventually(lambda: world.status("one") == "Failed")
        (message,) = world.eventually(
            lambda: world.sqs.receive_message(QueueUrl=told).get("Messages")
        )
        assert "failed to load 'model'" in json.loads(message["Body"])["failureReason"]


def test_an_endpoint_keeps_its_instance_unless_its_scaling_says_otherwise(world):
    with world.playing(loads_first=True, idle_s=0.2):
        world.model("one")
        world.config("one", "one")
        world.make("endpoint", "one", EndpointConfigName="one")
        world.eventually(lambda: world.instances("one") == 1)
        with pytest.raises(AssertionError, match="not in time"):
            world.eventually(lambda: world.instances("one") == 0, within_s=0.6)

        world.scaling("one", wakes=True, most=2)

        world.eventually(lambda: world.instances("one") == 0)


def test_an_endpoint_can_be_told_to_have_no_instance_until_there_is_work(world, events):
    with world.playing(loads_first=True, idle_s=30):
        world.endpoint("one")
        assert world.instances("one") == 1
        assert _states(world, events) == ["IN_SERVICE"]

        world.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="one",
            DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}],
        )

        assert world.status("one") == "Updating"
        world.eventually(lambda: world.status("one") == "InService")
        assert world.instances("one") == 0
        assert world.running == 0
        world.runtime.invoke_endpoint_async(EndpointName="one", Body=b"abc")
        world.eventually(lambda: world.instances("one") == 1)


def test_an_endpoint_that_was_told_to_have_no_instance_does_not_wake_where_nothing_scales(world):
    with world.playing(loads_first=True):
        world.model("one")
        world.config("one", "one")
        world.make("endpoint", "one", EndpointConfigName="one")
        world.eventually(lambda: world.status("one") == "InService")
        world.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="one",
            DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}],
        )
        world.eventually(lambda: world.status("one") == "InService")

        answer = world.runtime.invoke_endpoint_async(EndpointName="one", Body=b"abc")

        with pytest.raises(AssertionError, match="not in time"):
            world.eventually(lambda: world.running, within_s=0.5)
        world.scaling("one", wakes=True, most=1)
        assert world.eventually(lambda: world.read(answer["OutputLocation"])) == b"cba"


def test_an_endpoint_goes_over_to_another_model(world):
    with world.playing():
        world.endpoint("one", asynchronous=False)
        world.model("two")
        world.config("two", "two", asynchronous=False)

        world.sagemaker.update_endpoint(EndpointName="one", EndpointConfigName="two")

        assert world.status("one") == "Updating"
        world.runtime.invoke_endpoint(EndpointName="one", Body=b"meanwhile")
        world.eventually(lambda: world.status("one") == "InService")
        assert _described(world, "one")["EndpointConfigName"] == "two"
        world.eventually(lambda: world.running == 1)
        world.runtime.invoke_endpoint(EndpointName="one", Body=b"after")
        assert [container.bodies for container in world.containers] == [[b"meanwhile"], [b"after"]]


def test_an_endpoint_stays_as_it_was_if_the_other_model_cannot_be_loaded(world):
    with world.playing():
        world.endpoint("one", asynchronous=False)
        world.model("two", member="broken")
        world.config("two", "two", asynchronous=False)

        world.sagemaker.update_endpoint(EndpointName="one", EndpointConfigName="two")

        world.eventually(lambda: world.status("one") == "InService")
        assert _described(world, "one")["EndpointConfigName"] == "one"
        answer = world.runtime.invoke_endpoint(EndpointName="one", Body=b"abc")
        assert answer["Body"].read() == b"cba"


def test_an_endpoint_can_be_made_anew_under_its_name(world):
    with world.playing():
        world.endpoint("one", asynchronous=False)
        world.sagemaker.delete_endpoint(EndpointName="one")
        world.eventually(lambda: world.running == 0)

        world.make("endpoint", "one", EndpointConfigName="one")

        world.eventually(lambda: world.status("one") == "InService")
        world.runtime.invoke_endpoint(EndpointName="one", Body=b"abc")
        assert [container.bodies for container in world.containers] == [[], [b"abc"]]


def test_a_name_is_used_once_at_a_time(world):
    world.model("one")
    world.config("one", "one")
    world.make("endpoint", "one", EndpointConfigName="one")

    for make in (
        lambda: world.model("one"),
        lambda: world.config("one", "one"),
        lambda: world.make("endpoint", "one", EndpointConfigName="one"),
    ):
        with pytest.raises(ClientError, match="Cannot create already existing"):
            make()
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        world.sagemaker.update_endpoint(EndpointName="one", EndpointConfigName="one")


def test_endpoints_are_found_by_name_and_have_tags(world):
    world.model("hr-one")
    world.config("hr-one", "hr-one")
    tags = [{"Key": "made-by", "Value": "headrace"}]
    world.make("endpoint", "hr-one", EndpointConfigName="hr-one", Tags=tags)
    world.make("endpoint", "other", EndpointConfigName="hr-one")

    found = world.sagemaker.list_endpoints(NameContains="hr-")["Endpoints"]

    assert [one["EndpointName"] for one in found] == ["hr-one"]
    assert world.sagemaker.list_tags(ResourceArn=found[0]["EndpointArn"])["Tags"] == tags


@pytest.mark.parametrize(
    "instances",
    [
        {"InstanceType": "ml.g5.xlarge"},
        {"InstanceType": "ml.g6e.12xlarge"},
        {"InstanceType": "ml.p5.48xlarge"},
        {"InstancePools": [{"InstanceType": "ml.p4d.24xlarge", "Priority": 1}]},
    ],
)
def test_every_instance_type_that_sagemaker_has_is_taken(world, instances):
    world.model("one")
    variant = {"VariantName": "AllTraffic", "ModelName": "one", "InitialInstanceCount": 1}

    world.make("endpoint_config", "one", ProductionVariants=[variant | instances])

    described = world.sagemaker.describe_endpoint_config(EndpointConfigName="one")
    assert described["ProductionVariants"] == [variant | instances]


@pytest.mark.parametrize(
    "instances",
    [
        {"InstanceType": "ml.g99.xlarge"},
        {"InstancePools": [{"InstanceType": "ml.g99.xlarge", "Priority": 1}]},
        {"InstancePools": [{"InstanceType": "ml.g5.xlarge", "Priority": 1}] * 2},
        {
            "InstancePools": [
                {"InstanceType": "ml.g5.xlarge", "Priority": number % 5 + 1} for number in range(6)
            ]
        },
        {
            "InstanceType": "ml.g5.xlarge",
            "InstancePools": [{"InstanceType": "ml.g5.xlarge", "Priority": 1}],
        },
        {},
    ],
)
def test_instances_that_sagemaker_has_not_are_refused(world, instances):
    world.model("one")
    variant = {"VariantName": "AllTraffic", "ModelName": "one", "InitialInstanceCount": 1}

    with pytest.raises(ClientError, match="ValidationException"):
        world.make("endpoint_config", "one", ProductionVariants=[variant | instances])
