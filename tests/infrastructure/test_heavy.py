"""Work on GPUs: what there is where a stage has them, and nothing of it where it has none."""

import re
from fnmatch import fnmatchcase

import botocore.session
import pytest

from headrace_runtime.aws.version_events import KIND, SOURCE
from headrace_runtime.batch.handed import body_key, folder
from infra.aws.gpu_work import GpuWork
from infra.aws.stage import Stage
from infra.aws.stages import STAGES
from infra.aws.triton_images import TRITON
from tests.infrastructure.cloud import ROOT, Cloud
from tests.infrastructure.everything import IMAGE as OWN_IMAGE
from tests.infrastructure.permissions import IMAGE, MAY, of_account, on, put

GPU_ONLY = {"hand_off", "collect", "provision"}


def test_only_the_stage_of_a_laptop_has_gpus_by_itself():
    assert [name for name, stage in STAGES.items() if stage.gpu is not None] == ["local"]


@pytest.mark.parametrize("stage", ["light", "signed"])
def test_without_gpus_nothing_is_made_for_them(request: pytest.FixtureRequest, stage: str):
    cloud: Cloud = request.getfixturevalue(stage)
    service = {key for key, r in cloud.resources.items() if "Staging" not in key}
    assert not [key for key in service if re.search("heavy|gpu|sagemaker", key, re.IGNORECASE)]
    assert not GPU_ONLY & set(cloud.functions)
    assert not {"handoff", "collected", "provision"} & set(cloud.queues())
    assert len(cloud.of_type("AWS::SNS::Topic")) == 1
    for function in cloud.functions:
        told = {n: v for n, v in cloud.environment(function).items() if "GPU" in n}
        assert set(told.values()) <= {"", "0", "0.0"}
    for function in ("intake", "batch", "batch_parquet", "sweep"):
        assert cloud.environment(function)["HEADRACE_HAND_OFF_QUEUE_URL"] == ""
    for function in ("submit", "sweep"):
        assert cloud.environment(function)["HEADRACE_COLLECT_QUEUE_URL"] == ""


@pytest.mark.parametrize("function", sorted(set(MAY) - GPU_ONLY))
def test_without_gpus_a_function_may_do_the_same_but_for_what_is_not_there(
    light: Cloud, function: str
):
    gone = re.compile(r"(dead-)?(handoff|collected|provision)|.*:sagemaker:.*")
    assert light.may(function) == {one for one in MAY[function] if not gone.fullmatch(one[1])}


def test_sagemaker_may_do_what_answering_needs_and_nothing_else(cloud: Cloud):
    logs = of_account("logs", "log-group:/aws/sagemaker/*")
    assert cloud.granted("sagemaker") == (
        on("models/artifacts/*", "s3", "GetObject")
        | on("models[artifacts/*]", "s3", "ListBucket")
        | on("staging", "s3", "ListBucket")
        | on("staging/in/*", "s3", "GetObject")
        | on("staging/manifests/*", "s3", "GetObject")
        | put("staging/out/*")
        | put("staging/failed/*")
        | on("succeeded", "sns", "Publish")
        | on("failed", "sns", "Publish")
        | on("*", "ecr", "GetAuthorizationToken")
        | on(IMAGE, "ecr", "BatchCheckLayerAvailability", "BatchGetImage")
        | on(IMAGE, "ecr", "GetDownloadUrlForLayer")
        | on(logs, "logs", "CreateLogGroup", "CreateLogStream")
        | on(logs, "logs", "DescribeLogStreams", "PutLogEvents")
        | on("*[AWS/SageMaker,/aws/sagemaker/*]", "cloudwatch", "PutMetricData")
    )


def test_only_sagemaker_for_this_account_takes_its_role_on(cloud: Cloud):
    (role,) = [
        role
        for key, role in cloud.of_type("AWS::IAM::Role").items()
        if cloud.told({"Ref": key}) == "sagemaker"
    ]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_only_provision_hands_a_role_on_and_that_is_sagemakers_to_sagemaker(
    cloud: Cloud, light: Cloud
):
    handed = [s for s in cloud.statements() if "iam:PassRole" in s["Action"]]
    assert [statement["Condition"] for statement in handed] == [
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    ]
    assert {f for f in cloud.functions for a, _ in cloud.may(f) if a == "iam:PassRole"} == {
        "provision"
    }
    assert not [s for s in light.statements() if "iam:PassRole" in s["Action"]]


@pytest.mark.parametrize("function", ["intake", "submit"])
def test_who_places_jobs_is_told_what_the_stage_has(cloud: Cloud, function: str):
    told = cloud.environment(function)
    assert told["HEADRACE_GPU_INSTANCE_TYPE"] == "ml.g6.xlarge"
    assert told["HEADRACE_GPU_MAX_INSTANCES"] == "2"
    assert told["HEADRACE_GPU_CPU_LIMIT_S"] == "7200.0"
    assert told["HEADRACE_GPU_MONTHLY_USD"] == "100.0"


def test_who_works_with_sagemaker_is_told_all_instance_types_and_how_names_begin(cloud: Cloud):
    for function in GPU_ONLY:
        told = cloud.environment(function)
        assert told["HEADRACE_GPU_INSTANCE_TYPES"] == "ml.g6.xlarge,ml.g5.xlarge"
        assert cloud.environment(function)["HEADRACE_NAME_PREFIX"] == "hr-dev"


def test_every_instance_type_that_a_stage_may_name_serves_endpoints_and_transform_jobs():
    model = botocore.session.get_session().get_service_model("sagemaker")
    hosting = set(model.shape_for("ProductionVariantInstanceType").enum)
    transform = set(model.shape_for("TransformInstanceType").enum)
    families = ("g4dn", "g5", "g6", "g6e")
    both = {name for name in hosting & transform if name.split(".")[1] in families}
    assert both == {name for name in hosting | transform if _accepted(name)}


def _accepted(instance_type: str) -> bool:
    try:
        GpuWork(instance_types=(instance_type,))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("topic", ["succeeded", "failed"])
def test_what_sagemaker_tells_of_invocations_comes_to_collect_as_it_was_told(
    cloud: Cloud, topic: str
):
    (subscription,) = [
        one
        for one in cloud.of_type("AWS::SNS::Subscription").values()
        if cloud.told(one["TopicArn"]) == topic
    ]
    assert subscription["Protocol"] == "sqs"
    assert subscription["RawMessageDelivery"] is True
    assert cloud.told(subscription["Endpoint"]) == "collected"
    redrive = subscription["RedrivePolicy"]
    assert cloud.told(redrive["deadLetterTargetArn"]) == "dead-collected"
    assert cloud.queue_of("collect") == cloud.queues()["collected"]


def test_a_queue_takes_notices_from_the_topics_alone(cloud: Cloud):
    takers = [
        (cloud.told(statement["Resource"]), cloud.told(statement["Condition"]["ArnEquals"]))
        for statement in cloud.statements()
        if statement.get("Principal") == {"Service": "sns.amazonaws.com"}
    ]
    assert {queue for queue, _ in takers} == {"collected", "dead-collected"}
    assert len(takers) == 4  # of each topic, for each queue


@pytest.mark.parametrize("topic", ["succeeded", "failed"])
def test_a_topic_is_encrypted_and_takes_what_comes_by_tls_from_whom_a_policy_lets(
    cloud: Cloud, topic: str
):
    topics = cloud.of_type("AWS::SNS::Topic")
    (key,) = [key for key in topics if cloud.told({"Ref": key}) == topic]
    assert cloud.told(topics[key]["KmsMasterKeyId"]).endswith(":alias/aws/sns")
    (policy,) = [
        policy
        for policy in cloud.of_type("AWS::SNS::TopicPolicy").values()
        if policy["Topics"] == [{"Ref": key}]
    ]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def told_of(name: str, detail: str, **more: str) -> dict:
    return {
        "source": "aws.sagemaker",
        "detail-type": f"SageMaker {detail} State Change",
        "detail": {"TransformJobName": name, "EndpointName": name, **more},
    }


def ended_on(engine: str) -> dict:
    """Return what is told of a job's end."""
    return {"source": "headrace", "detail-type": "Job Ended", "detail": {"engine": engine}}


# As register and manage tell it.
MOVED = {"source": SOURCE, "detail-type": KIND, "detail": {"model": "digits"}}


@pytest.mark.parametrize(
    ("event", "woken"),
    [
        (told_of("hr-dev-0123-1", "Transform Job", TransformJobStatus="Completed"), ["collect"]),
        (told_of("hr-dev-0123-1", "Transform Job", TransformJobStatus="Failed"), ["collect"]),
        (told_of("hr-dev-0123-1", "Transform Job", TransformJobStatus="Stopped"), ["collect"]),
        (told_of("hr-dev-0123-1", "Transform Job", TransformJobStatus="InProgress"), []),
        (told_of("hr-prod-0123-1", "Transform Job", TransformJobStatus="Completed"), []),
        (told_of("theirs", "Transform Job", TransformJobStatus="Completed"), []),
        (ended_on("sagemaker-async"), ["collect"]),
        (ended_on("sagemaker-transform"), ["collect"]),
        (ended_on("lambda"), []),
        (told_of("hr-dev-digits-3-0a1b2c3d", "Endpoint"), ["provision"]),
        (told_of("hr-prod-digits-3-0a1b2c3d", "Endpoint"), []),
        (MOVED, ["provision"]),
    ],
)
def test_an_event_wakes_the_function_that_it_is_for(cloud: Cloud, event: dict, woken: list[str]):
    fed = {cloud.queue_of(function): function for function in ("collect", "provision")}
    matching = [
        fed[target["Arn"]["Fn::GetAtt"][0]]
        for rule in cloud.of_type("AWS::Events::Rule").values()
        if _matches(rule.get("EventPattern", {"source": []}), event)
        for target in rule["Targets"]
    ]
    assert matching == woken


def _matches(pattern: dict, event: dict) -> bool:
    return all(
        _matches(wanted, event.get(name, {}))
        if isinstance(wanted, dict)
        else any(_fits(one, str(event.get(name))) for one in wanted)
        for name, wanted in pattern.items()
    )


def _fits(wanted: object, value: str) -> bool:
    if isinstance(wanted, dict):
        return "prefix" in wanted and value.startswith(wanted["prefix"])
    return value == wanted


def test_the_image_is_aws_own_of_the_region_that_is_deployed_to(cloud: Cloud):
    assert cloud.environment("provision")["HEADRACE_IMAGE"] == (
        "account of AWS::Region.dkr.ecr.AWS::Region.amazonaws.com/sagemaker-tritonserver:26.05-py3"
    )
    (accounts,) = cloud.mappings.values()
    assert accounts == {region: {"account": owner} for region, owner in TRITON.accounts.items()}
    assert accounts["eu-west-1"] == {"account": "763104351884"}


def test_a_stage_may_have_an_image_of_its_own(full: Cloud):
    assert full.environment("provision")["HEADRACE_IMAGE"] == OWN_IMAGE
    assert not full.mappings
    pulled = {thing for action, thing in full.granted("sagemaker") if action == "ecr:BatchGetImage"}
    assert pulled == {"arn:AWS::Partition:ecr:eu-west-1:111122223333:repository/our/triton"}


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_a_region_without_the_image_is_refused_unless_the_stage_has_one(region: str):
    with pytest.raises(ValueError, match=f"no image of its own, is '{region}'; valid is one of af"):
        Stage(name="test", region=region, gpu=GpuWork())
    assert Stage(name="test", region=region, gpu=GpuWork(image=OWN_IMAGE)).gpu
    assert Stage(name="test", region=region).gpu is None


def test_the_code_puts_bodies_where_sagemaker_may_read_them(cloud: Cloud):
    key = body_key(folder("0123", 7, 1), 3)
    readable = {
        thing.removeprefix("staging/")
        for action, thing in cloud.granted("sagemaker")
        if action == "s3:GetObject" and thing.startswith("staging/")
    }
    assert any(fnmatchcase(key, pattern) for pattern in readable)


def test_functions_may_ask_of_sagemaker_what_the_code_asks_and_nothing_else(cloud: Cloud):
    services = {
        "sagemaker": "sagemaker",
        "runtime": "sagemaker",
        "autoscaling": "application-autoscaling",
        "cloudwatch": "cloudwatch",
    }
    asked = set()
    for path in (ROOT / "layers/runtime/python/headrace_runtime/aws").glob("*.py"):
        text = path.read_text()
        calls = re.findall(rf"_({'|'.join(services)})\.(\w+)\(", text)
        calls += re.findall(rf'_({"|".join(services)})\.get_paginator\("(\w+)"\)', text)
        calls += [("sagemaker", name) for name in re.findall(r'_names\(\s*"(list_\w+)"', text)]
        asked |= {
            f"{services[client]}:{''.join(word.title() for word in operation.split('_'))}"
            for client, operation in calls
            if operation != "get_paginator"
        }
    granted = {
        action
        for function in cloud.functions
        for action, _ in cloud.may(function)
        if action.split(":")[0] in services.values()
    }
    assert granted == asked
