"""Transform jobs of the local cloud, as boto3 finds them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sagemaker_world import World


def _create(world: World, name: str, **members: Any) -> None:
    source = members.pop("source", {"S3DataType": "S3Prefix", "S3Uri": "s3://pool/in/"})
    options = {
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
        "MaxConcurrentTransforms": 2,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "application/x;n=1024",
            "SplitType": "None",
        },
        "TransformOutput": {"S3OutputPath": "s3://pool/out/", "Accept": "application/y"},
        "TransformResources": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    }
    world.sagemaker.create_transform_job(
        **{"TransformJobName": name, "ModelName": "model"} | options | members
    )


def _described(world: World, name: str) -> dict[str, Any]:
    described: dict[str, Any] = world.sagemaker.describe_transform_job(TransformJobName=name)
    return described


def _ended(world: World, name: str) -> dict[str, Any]:
    world.eventually(
        lambda: _described(world, name)["TransformJobStatus"] not in {"InProgress", "Stopping"}
    )
    return _described(world, name)


def _outputs(world: World) -> dict[str, bytes]:
    listed = world.s3.list_objects_v2(Bucket="pool", Prefix="out/").get("Contents", [])
    return {
        entry["Key"]: world.s3.get_object(Bucket="pool", Key=entry["Key"])["Body"].read()
        for entry in listed
    }


@pytest.fixture
def events(world: World) -> str:
    """A queue of the events of transform jobs."""
    bus = world.client("events")
    url = world.queue("states")
    pattern = {"detail-type": ["SageMaker Transform Job State Change"]}
    bus.put_rule(Name="states", EventPattern=json.dumps(pattern))
    arn = "arn:aws:sqs:eu-west-1:123456789012:states"
    bus.put_targets(Rule="states", Targets=[{"Id": "1", "Arn": arn}])
    return url


def _received(world: World, url: str) -> list[dict[str, Any]]:
    found = []
    while messages := world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        found += [json.loads(one["Body"]) for one in messages]
        for one in messages:
            world.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


def test_each_object_of_a_prefix_is_transformed_to_an_object_beside_its_path(world, events):
    with world.playing():
        world.model("model")
        for path in ("a", "job/00001", "job/00002"):
            world.put(f"in/{path}", path.encode())

        _create(world, "every", Environment={"MORE": "1"})

        assert _described(world, "every")["TransformJobStatus"] == "InProgress"
        job = _ended(world, "every")
        assert job["TransformJobStatus"] == "Completed"
        assert "FailureReason" not in job
        assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
        assert _outputs(world) == {
            "out/a.out": b"a",
            "out/job/00001.out": b"10000/boj",
            "out/job/00002.out": b"20000/boj",
        }
        headers = world.containers[0].headers[0]
        assert headers["content-type"] == "application/x;n=1024"
        assert headers["accept"] == "application/y"
        assert world.containers[0].environment == {
            "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "model",
            "MORE": "1",
        }
        assert world.running == 0
        told = _received(world, events)
        assert [one["detail"]["TransformJobStatus"] for one in told] == ["InProgress", "Completed"]
        assert told[1]["source"] == "aws.sagemaker"
        assert told[1]["resources"] == [job["TransformJobArn"]]
        assert told[1]["detail"]["TransformJobName"] == "every"
        assert told[1]["detail"]["TransformOutput"]["S3OutputPath"] == "s3://pool/out/"


def test_a_manifest_names_the_objects(world):
    with world.playing():
        world.model("model")
        for path in ("j/1.1/0", "j/1.1/1", "j/2.1/0"):
            world.put(f"in/{path}", path.encode())
        manifest = [{"prefix": "s3://pool/in/"}, "j/1.1/0", "j/2.1/0"]
        url = world.put("manifests/j", json.dumps(manifest).encode())

        _create(world, "named", source={"S3DataType": "ManifestFile", "S3Uri": url})

        assert _ended(world, "named")["TransformJobStatus"] == "Completed"
        assert sorted(_outputs(world)) == ["out/j/1.1/0.out", "out/j/2.1/0.out"]


def test_one_object_that_fails_fails_the_job_and_leaves_what_was_written(world, events):
    with world.playing():
        world.model("model")
        world.put("in/1", b"good")
        world.put("in/2", b"fail 500")

        _create(world, "half", MaxConcurrentTransforms=1)

        job = _ended(world, "half")
        assert job["TransformJobStatus"] == "Failed"
        assert job["FailureReason"].startswith(
            "ClientError: s3://pool/in/2: the model answered 500"
        )
        assert _outputs(world) == {"out/1.out": b"doog"}
        assert world.bodies == [b"good", b"fail 500", b"fail 500"]
        assert _received(world, events)[-1]["detail"]["TransformJobStatus"] == "Failed"


def test_an_object_above_the_limit_fails_the_job(world):
    with world.playing():
        world.model("model")
        world.put("in/1", b"x" * ((1 << 20) + 1))

        _create(world, "large", MaxPayloadInMB=1)

        assert "MaxPayloadInMB" in _ended(world, "large")["FailureReason"]
        assert world.bodies == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"S3DataType": "S3Prefix", "S3Uri": "s3://pool/none/"}, "No S3 objects found"),
        ({"S3DataType": "ManifestFile", "S3Uri": "s3://pool/none"}, "is no manifest"),
    ],
)
def test_a_job_without_objects_fails(world, source, reason):
    with world.playing():
        world.model("model")

        _create(world, f"none-{source['S3DataType']}", source=source)

        assert reason in _ended(world, f"none-{source['S3DataType']}")["FailureReason"]


def test_a_model_that_cannot_be_loaded_fails_the_job(world):
    with world.playing():
        world.model("model", member="broken")
        world.put("in/1", b"good")

        _create(world, "unloaded")

        assert "failed to load 'model'" in _ended(world, "unloaded")["FailureReason"]


def test_a_job_can_be_stopped_in_the_middle(world, events):
    with world.playing():
        world.model("model")
        world.put("in/1", b"good")
        world.put("in/2", b"sleep 5")
        _create(world, "long", MaxConcurrentTransforms=1)
        world.eventually(lambda: world.bodies == [b"good", b"sleep 5"])

        world.sagemaker.stop_transform_job(TransformJobName="long")

        assert _ended(world, "long")["TransformJobStatus"] == "Stopped"
        assert world.running == 0
        assert [one["detail"]["TransformJobStatus"] for one in _received(world, events)] == [
            "InProgress",
            "Stopped",
        ]
        with pytest.raises(ClientError, match="is in status Stopped"):
            world.sagemaker.stop_transform_job(TransformJobName="long")


def test_a_name_is_used_once(world):
    with world.playing():
        world.model("model")
        world.put("in/1", b"good")
        _create(world, "twice")

        with pytest.raises(world.sagemaker.exceptions.ResourceInUse, match="already exists"):
            _create(world, "twice")

        _ended(world, "twice")
        assert world.bodies == [b"good"]


def test_requests_at_once_are_as_many_as_asked(world):
    with world.playing():
        world.model("model")
        for number in range(6):
            world.put(f"in/{number}", b"sleep 0.1")

        _create(world, "three", MaxConcurrentTransforms=3)

        assert _ended(world, "three")["TransformJobStatus"] == "Completed"
        assert world.containers[0].most_at_once == 3


def test_what_sagemaker_would_refuse_is_refused(world):
    with world.playing():
        world.model("model")

        with pytest.raises(ClientError, match="Could not find model"):
            _create(world, "unknown", ModelName="other")
        with pytest.raises(ClientError, match="at most 100"):
            _create(world, "wide", MaxPayloadInMB=60)
        resources = {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1}
        with pytest.raises(ClientError, match="Transform jobs run on one of"):
            _create(world, "huge", TransformResources=resources)
        with pytest.raises(ClientError, match="Could not find transform job"):
            world.sagemaker.stop_transform_job(TransformJobName="none")
