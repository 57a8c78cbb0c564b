"""Endpoints follow the registry: what aliases and jobs need is made, what nobody needs goes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headrace_runtime.aws import provisioning
from headrace_runtime.batch.placement import Engine
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.alias import Canary
from headrace_runtime.model.endpoint import Endpoint, EndpointState
from tests.integration.endpoint_world import (
    NOTHING,
    REALTIME,
    World,
    asynchronous,
    end,
    move,
    publish,
    registered,
    standing,
    work,
)

WINE = "hr-test-wine-1-52e9ad0b"
BEER = "hr-test-beer-1-af7fa402"
VARIANT = "variant/AllTraffic"
ALARMS = "arn:aws:sns:eu-west-1:123456789012:alarms"
NO_ROOM = "Unable to provision requested ML compute capacity"
QUOTA = "The account-level service limit 'ml.g4dn.xlarge for endpoint usage' is 0 Instances"


def refusal(code: str, message: str, operation: str) -> ClientError:
    metadata: Any = {"HTTPStatusCode": 400}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation
    )


@pytest.fixture
def world(aws: None) -> World:
    """A stage without endpoints."""
    return World()


def test_what_live_points_to_has_an_endpoint_that_sleeps(world: World) -> None:
    publish()

    world.run()

    assert asynchronous() == Endpoint(WINE, EndpointState.READY)
    assert standing() == {
        "models": [WINE],
        "configs": [WINE],
        "endpoints": [WINE],
        "targets": [f"endpoint/{WINE}/{VARIANT} 0-2"],
        "policies": [
            f"endpoint/{WINE}/{VARIANT} track-backlog",
            f"endpoint/{WINE}/{VARIANT} wake",
        ],
        "alarms": [f"{WINE}-waits", f"{WINE}-wake"],
    }


def test_scaling_is_as_aws_would_have_it_for_an_endpoint_that_sleeps(world: World) -> None:
    publish()
    world.settle()

    policies = {
        policy["PolicyName"]: policy
        for policy in boto3.client("application-autoscaling").describe_scaling_policies(
            ServiceNamespace="sagemaker"
        )["ScalingPolicies"]
    }
    assert policies["track-backlog"]["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 5.0,
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": [{"Name": "EndpointName", "Value": WINE}],
            "Statistic": "Average",
        },
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 300,
    }
    assert policies["wake"]["StepScalingPolicyConfiguration"] == {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": 600,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }
    alarms = {
        alarm["MetricName"]: (alarm["AlarmActions"], alarm["Threshold"], alarm["Period"])
        for alarm in boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    }
    assert alarms == {
        "HasBacklogWithoutCapacity": ([policies["wake"]["PolicyARN"]], 1, 60),
        "ApproximateAgeOfOldestRequest": ([ALARMS], 3600, 60),
    }


@pytest.mark.parametrize(("waits", "instances"), [(False, 0), (True, 1)])
def test_an_endpoint_for_which_no_job_waits_sleeps_from_the_beginning(
    waits: bool, instances: int, world: World
) -> None:
    publish(acceleration=REALTIME)
    if waits:
        work(1, at=world.now)

    world.run()

    sagemaker = boto3.client("sagemaker")
    counts = [
        sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0][
            "CurrentInstanceCount"
        ]
        for name in (WINE, f"{WINE}-rt")
    ]
    assert counts == [instances, 1]


def test_a_realtime_version_has_a_second_endpoint_that_never_sleeps(world: World) -> None:
    publish(acceleration=REALTIME)

    world.run()

    there = registered()
    assert there is not None
    assert there.realtime == Endpoint(f"{WINE}-rt", EndpointState.READY)
    assert there.asynchronous == Endpoint(WINE, EndpointState.READY)
    assert there.sagemaker_model == WINE
    assert f"endpoint/{WINE}-rt/{VARIANT} 1-2" in standing()["targets"]
    told = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName=f"{WINE}-rt")
    assert "AsyncInferenceConfig" not in told


@pytest.mark.parametrize(
    ("acceleration", "archive"),
    [(Acceleration(Accelerator.NEVER), True), (Acceleration(), False)],
)
def test_a_version_that_cannot_or_may_not_run_on_a_gpu_has_nothing(
    world: World, acceleration: Acceleration, archive: bool
) -> None:
    publish(acceleration=acceleration, archive=archive)

    world.run()

    assert registered() is None
    assert standing() == NOTHING


def test_while_a_canary_is_live_either_version_has_its_own(world: World) -> None:
    publish(versions=2)
    move(1, Canary(2, 0.1))

    world.run()

    assert [asynchronous(version).name for version in (1, 2)] == standing()["endpoints"]


def test_a_run_that_finds_nothing_to_do_writes_nothing(world: World) -> None:
    publish(acceleration=REALTIME)
    world.settle()
    world.calls.clear()

    assert not world.run(minutes=5).done

    writes = {"PutItem", "DeleteItem"} | {
        call for call in world.calls if call.startswith(("Create", "Delete", "Register"))
    }
    assert [call for call in world.calls if call in writes] == ["PutItem"]  # the meter's


def test_what_no_alias_points_to_any_more_goes_half_an_hour_later(world: World) -> None:
    publish(versions=2)
    world.settle()
    move(2)

    world.run(minutes=5)
    assert asynchronous(1).ready
    world.run(minutes=29)
    assert asynchronous(1).ready
    world.run(minutes=2)

    assert registered(1) is None
    assert standing()["endpoints"] == standing()["models"] == standing()["configs"]
    assert standing()["endpoints"] == [asynchronous(2).name]
    assert not any(WINE in name for names in standing().values() for name in names)


def test_an_alias_that_comes_back_soon_finds_its_endpoint_as_it_was(world: World) -> None:
    publish(versions=2)
    world.settle()
    for version in (2, 1, 2, 1):
        move(version)
        world.run(minutes=10)
    world.calls.clear()

    world.run(minutes=25)

    assert asynchronous(1).ready
    assert asynchronous(2).ready
    assert not {"CreateEndpoint", "DeleteEndpoint"} & set(world.calls)


def test_a_job_keeps_the_endpoint_that_it_is_worked_with(world: World) -> None:
    publish(versions=2)
    world.settle()
    work(1, at=world.now)
    move(2)

    world.run(minutes=300)
    assert asynchronous(1).ready
    end()
    world.run(minutes=5)
    assert asynchronous(1).ready
    world.run(minutes=31)

    assert registered(1) is None


def test_a_transform_job_needs_a_sagemaker_model_and_no_endpoint(world: World) -> None:
    publish(versions=2)
    move(2)
    work(1, Engine.TRANSFORM, at=world.now)

    world.settle()

    there = registered(1)
    assert there is not None
    assert there.sagemaker_model in standing()["models"]
    assert there.asynchronous is None
    assert standing()["endpoints"] == [asynchronous(2).name]
    end()
    world.run()
    assert registered(1) is None
    assert standing()["models"] == [asynchronous(2).name]


def test_a_job_on_lambda_needs_no_endpoint(world: World) -> None:
    publish(versions=2)
    move(2)
    work(1, Engine.LAMBDA_SHARDS, at=world.now)

    world.run()

    assert registered(1) is None


@pytest.mark.parametrize(
    "call", ["delete_endpoint", "delete_alarms", "delete_scaling_policy", "delete_model"]
)
def test_what_somebody_removed_by_hand_is_made_again(world: World, call: str) -> None:
    publish()
    world.settle()
    there = standing()
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{WINE}/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    by_hand: dict[str, Callable[[], Any]] = {
        "delete_endpoint": lambda: boto3.client("sagemaker").delete_endpoint(EndpointName=WINE),
        "delete_model": lambda: boto3.client("sagemaker").delete_model(ModelName=WINE),
        "delete_alarms": lambda: boto3.client("cloudwatch").delete_alarms(
            AlarmNames=[f"{WINE}-wake"]
        ),
        "delete_scaling_policy": lambda: boto3.client(
            "application-autoscaling"
        ).delete_scaling_policy(PolicyName="wake", **target),
    }
    by_hand[call]()
    assert standing() != there

    world.run(minutes=5)

    assert standing() == there
    assert asynchronous().ready


def test_another_ceiling_of_instances_is_that_of_endpoints_which_stand(world: World) -> None:
    publish()
    world.settle()

    World(gpu_max_instances=7).run()

    assert standing()["targets"] == [f"endpoint/{WINE}/{VARIANT} 0-7"]


def test_another_image_is_another_endpoint_and_the_old_one_serves_until_then(
    world: World,
) -> None:
    publish()
    world.settle()
    changed = World(image="763104351884.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-tritonserver:27")
    work(1, at=world.now)
    new = changed.provisioning.convergence.keeper.requests.name(
        changed.provisioning.versions.needs(["wine"])["wine", 1]
    )
    changed.told[new] = {"EndpointStatus": "Creating"}

    changed.run(minutes=60)
    assert asynchronous().name == WINE
    changed.told.clear()
    changed.run(minutes=5)
    assert asynchronous() == Endpoint(new, EndpointState.READY)
    changed.run(minutes=60)
    # The job was made before: what it has in the queue of the old one is answered there.
    assert standing()["endpoints"] == sorted([WINE, new])
    end()
    changed.run(minutes=5)

    assert standing()["endpoints"] == standing()["models"] == standing()["configs"] == [new]


def test_what_is_not_ours_is_not_touched(world: World) -> None:
    sagemaker = boto3.client("sagemaker")
    for name in ("somebodys", "hr-test2-wine-1-0a1b2c3d", "hr-test-by-hand"):
        variant: Any = {
            "VariantName": "v",
            "ModelName": name,
            "InstanceType": "ml.g4dn.xlarge",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    there = standing()

    world.run(minutes=600)

    assert standing() == there


def test_an_endpoint_that_fails_is_tried_again_the_later_the_more_often_it_failed(
    world: World,
) -> None:
    publish()
    tries: list[int] = []
    began = world.now

    def failed(parsed: dict[str, Any], **_: Any) -> None:
        at = began + timedelta(minutes=tries[-1])
        parsed.update(EndpointStatus="Failed", FailureReason=NO_ROOM, LastModifiedTime=at)

    world.clients["sagemaker"].meta.events.register("after-call.sagemaker.DescribeEndpoint", failed)
    world.clients["sagemaker"].meta.events.register(
        "before-call.sagemaker.CreateEndpoint", lambda **_: tries.append(minute)
    )

    for minute in range(0, 240, 5):
        report = world.run(minutes=5 if minute else 0)

    assert tries == [0, 15, 45, 105, 225]
    assert asynchronous() == Endpoint(WINE, EndpointState.FAILED, NO_ROOM)
    assert [one.failures for one in report.failed] == [5]


def test_what_sagemaker_refuses_to_make_is_told_with_its_reason(world: World) -> None:
    publish()
    world.refused["CreateEndpoint"] = refusal("ResourceLimitExceeded", QUOTA, "CreateEndpoint")

    report = world.run()

    assert asynchronous() == Endpoint(WINE, EndpointState.FAILED, QUOTA)
    assert [one.reason for one in report.failed] == [QUOTA]
    world.calls.clear()
    world.run(minutes=14)
    assert "CreateEndpoint" not in world.calls
    world.refused.clear()
    world.run(minutes=2)
    assert asynchronous() == Endpoint(WINE, EndpointState.READY)


def test_a_throttled_run_is_no_failure_of_an_endpoint(world: World) -> None:
    publish("wine")
    publish("beer")
    throttled = refusal("ThrottlingException", "Rate exceeded", "CreateEndpoint")
    world.refused["CreateEndpoint"] = throttled

    report = world.run()

    assert report.failed == ()
    assert world.errors == [throttled, throttled]
    assert asynchronous() == Endpoint(WINE, EndpointState.CREATING)
    world.refused.clear()
    world.run()
    assert asynchronous().ready


def test_an_endpoint_that_is_being_made_for_half_an_hour_is_told_of(world: World) -> None:
    publish()
    world.told[WINE] = {"EndpointStatus": "Creating"}

    assert world.run().stuck == 0
    assert asynchronous() == Endpoint(WINE, EndpointState.CREATING)
    assert world.run(minutes=31).stuck == 1
    assert not any("scal" in step for step in world.run().done)


def test_while_an_endpoint_changes_it_is_not_removed(world: World) -> None:
    publish(versions=2)
    world.settle()
    move(2)
    world.run()
    world.told[WINE] = {"EndpointStatus": "Updating"}

    world.run(minutes=60)
    assert WINE in standing()["endpoints"]
    world.told.clear()
    world.run()

    assert WINE not in standing()["endpoints"]


def test_no_more_endpoints_are_made_than_a_stage_may_have(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning, "MOST_ENDPOINTS", 1)
    publish("beer")
    publish("wine")
    work(1, at=world.now)

    report = world.run()

    # Those come first that a job waits for.
    assert standing()["endpoints"] == [WINE]
    assert (report.withheld, report.why) == (1, "there are 1 endpoints: no more are made")
    beer = registered(1, "beer")
    assert beer is not None
    assert beer.asynchronous is not None
    # It is no failure: a job that comes for it waits, so that room is made.
    assert beer.asynchronous.state is EndpointState.CREATING
    assert beer.asynchronous.reason == "there are 1 endpoints: no more are made"


def test_where_all_endpoints_are_awaited_a_job_for_another_does_not_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning, "MOST_ENDPOINTS", 1)
    publish(versions=2)
    work(1, at=world.now, job_id="first")
    world.settle()
    work(2, at=world.now, job_id="second")

    report = world.run()

    why = "there are 1 endpoints: no more are made"
    assert (report.withheld, report.why) == (1, why)
    assert asynchronous(1).ready
    assert (asynchronous(2).state, asynchronous(2).reason) == (EndpointState.FAILED, why)


def test_at_the_end_of_the_months_budget_no_endpoint_is_made(aws: None) -> None:
    world = World(gpu_monthly_usd=0.5)
    publish("wine")
    world.now = datetime(2026, 6, 15, tzinfo=UTC)
    work(1, at=world.now)
    world.settle()
    world.run(minutes=30)
    publish("beer")

    report = world.run(minutes=30)

    assert report.spent_usd == pytest.approx(0.7364)  # of one instance, awake for an hour
    why = (
        "what GPUs may cost in a month, 0.5 USD, is spent: no endpoint is made before the next one"
    )
    assert (report.withheld, report.why) == (1, why)
    assert standing()["endpoints"] == [WINE]
    beer = registered(1, "beer")
    assert beer is not None
    assert beer.asynchronous == Endpoint(BEER, EndpointState.FAILED, why)
    assert asynchronous().ready
    # Of another month half an hour is known.
    assert world.run(minutes=16 * 24 * 60).spent_usd == pytest.approx(0.3682)
    assert standing()["endpoints"] == [BEER, WINE]


def test_instances_of_transform_jobs_are_paid_too(world: World) -> None:
    world.run()
    boto3.client("sagemaker").create_transform_job(
        TransformJobName="hr-test-job-1",
        ModelName="any",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://staging/in/"}}
        },
        TransformOutput={"S3OutputPath": "s3://staging/out/"},
        TransformResources={"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2},
    )

    def running(parsed: dict[str, Any], **_: Any) -> None:  # moto's are completed at once
        parsed["TransformJobSummaries"] = [{"TransformJobName": "hr-test-job-1"}]

    events = world.clients["sagemaker"].meta.events
    events.register("after-call.sagemaker.ListTransformJobs", running)

    assert world.run(minutes=15).spent_usd == pytest.approx(0.3682)


def test_two_runs_at_once_do_no_harm(world: World) -> None:
    """The second looks at everything while the first is about to note something."""
    publish(versions=2, acceleration=REALTIME)
    second = World()
    once = iter([second.run])

    def run_once(**_: Any) -> None:
        if run := next(once, None):
            run()

    world.clients["dynamodb"].meta.events.register("before-call.dynamodb.PutItem", run_once)

    world.run()
    world.settle()

    assert (world.errors, second.errors) == ([], [])
    assert standing()["endpoints"] == [WINE, f"{WINE}-rt"]
    assert asynchronous().ready


def test_a_fault_about_one_version_keeps_no_other_from_its_endpoint(world: World) -> None:
    publish("beer")
    publish("wine")
    faults = iter([refusal("InternalFailure", "An internal failure", "CreateModel")])

    def break_once(**_: Any) -> None:
        if fault := next(faults, None):
            raise fault

    world.clients["sagemaker"].meta.events.register("before-call.sagemaker.CreateModel", break_once)

    world.run()

    assert len(world.errors) == 1
    assert standing()["endpoints"] == [WINE]


@pytest.mark.parametrize("case", ["schedule", "versions_moved", "endpoint_changed"])
def test_whatever_wakes_it_it_looks_at_everything(
    case: str,
    function: Callable[..., ModuleType],
    event: Callable[..., dict[str, Any]],
    context: Any,
    capfd: pytest.CaptureFixture[str],
) -> None:
    publish(acceleration=REALTIME)
    handler = function("provision")
    context.get_remaining_time_in_millis = lambda: 100_000
    capfd.readouterr()

    assert handler.lambda_handler(event(f"provision.{case}"), context) == {"batchItemFailures": []}
    assert asynchronous().ready
    printed = capfd.readouterr().out
    assert '"GpuSpentUsd":' in printed
    assert '"Endpoints":2' in printed
    assert '"EndpointsFailed":0' in printed
