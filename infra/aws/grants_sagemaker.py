"""What one function may do with SageMaker: exact actions on what is its stage's own."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam

from infra.aws.own_names import name_prefix, own_arns
from infra.aws.stage import Stage

_BY_COLONS = ArnFormat.COLON_RESOURCE_NAME
_SCALING = "sagemaker.application-autoscaling.amazonaws.com"


def call_endpoints(who: iam.IRole, stage: Stage) -> None:
    """Let *who* have requests answered by *stage*'s endpoints while it waits."""
    _on_ours(who, stage, ["endpoint"], "InvokeEndpoint")


def queue_at_endpoints(who: iam.IRole, stage: Stage) -> None:
    """Let *who* leave requests with *stage*'s endpoints, to be answered later."""
    _on_ours(who, stage, ["endpoint"], "InvokeEndpointAsync")


def start_transform_jobs(who: iam.IRole, stage: Stage) -> None:
    """Let *who* start *stage*'s transform jobs, of *stage*'s models alone."""
    who.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["sagemaker:CreateTransformJob"],
            resources=own_arns(who, stage, "transform-job"),
            conditions={"ArnLike": {"sagemaker:ModelArn": own_arns(who, stage, "model")}},
        )
    )


def stop_transform_jobs(who: iam.IRole, stage: Stage) -> None:
    """Let *who* look at *stage*'s transform jobs, and end them early."""
    _on_ours(who, stage, ["transform-job"], "DescribeTransformJob", "StopTransformJob")


def keep_endpoints(who: iam.IRole, stage: Stage) -> None:
    """Let *who* make and remove *stage*'s models, endpoints and their configs.

    It may look at them, and at transform jobs: those cost, too.
    """
    _on_ours(who, stage, ["model"], "CreateModel", "DeleteModel")
    verbs = ("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig")
    _on_ours(who, stage, ["endpoint-config"], *verbs)
    # It asks for both: the endpoint, and the config that it is to have.
    _on_ours(who, stage, ["endpoint", "endpoint-config"], "CreateEndpoint")
    _on_ours(who, stage, ["endpoint"], "DescribeEndpoint", "DeleteEndpoint")
    _on_ours(who, stage, ["transform-job"], "DescribeTransformJob")
    # Lists know no resource.
    lists = ("Models", "Endpoints", "EndpointConfigs", "TransformJobs")
    _allow(who, ["*"], *(f"sagemaker:List{kinds}" for kinds in lists))


def hand_on(who: iam.IRole, role: iam.IRole) -> None:
    """Let *who* give *role* to SageMaker, and to nobody else."""
    who.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
    )


def keep_scaling(who: iam.IRole, stage: Stage) -> None:
    """Let *who* say how *stage*'s endpoints scale, and keep the alarms that scaling follows.

    Application Auto Scaling tries with its caller's permissions whether he could do himself what
    it will do for him.
    """
    stack = Stack.of(who)
    verbs = ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy")
    who.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[f"application-autoscaling:{verb}" for verb in (*verbs, "DeleteScalingPolicy")],
            # A target's id is chosen by AWS.
            resources=[
                stack.format_arn(
                    service="application-autoscaling", resource="scalable-target", resource_name="*"
                )
            ],
            conditions={"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        )
    )
    lists = ("DescribeScalableTargets", "DescribeScalingPolicies")
    _allow(who, ["*"], *(f"application-autoscaling:{verb}" for verb in lists))
    _on_ours(who, stage, ["endpoint"], "UpdateEndpointWeightsAndCapacities")
    ours = f"{name_prefix(stage)}-*"
    alarms = [
        stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name=name, arn_format=_BY_COLONS
        )
        for name in (ours, f"TargetTracking-endpoint/{ours}")  # ours, and those of AWS's scaling
    ]
    verbs = ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")
    _allow(who, alarms, *(f"cloudwatch:{verb}" for verb in verbs))
    role = f"{_SCALING}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    who.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[
                f"arn:{Aws.PARTITION}:iam::{stack.account}:role/aws-service-role/{role}",
            ],
            conditions={"StringEquals": {"iam:AWSServiceName": _SCALING}},
        )
    )


def _on_ours(who: iam.IRole, stage: Stage, kinds: Sequence[str], *verbs: str) -> None:
    arns = [arn for kind in kinds for arn in own_arns(who, stage, kind)]
    _allow(who, arns, *(f"sagemaker:{verb}" for verb in verbs))


def _allow(who: iam.IRole, resources: Sequence[str], *actions: str) -> None:
    who.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources))
    )
