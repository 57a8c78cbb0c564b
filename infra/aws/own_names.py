"""How the names begin of all that is SageMaker's and ours."""

from aws_cdk import Stack
from constructs import IConstruct

from infra.aws.stage import Stage


def name_prefix(stage: Stage) -> str:
    """Return `hr-<stage>`: of models, endpoints, their configs and alarms, and transform jobs."""
    return f"hr-{stage.name}"


def own_arns(scope: IConstruct, stage: Stage, *kinds: str) -> list[str]:
    """Return the ARNs of all that is SageMaker's and *stage*'s, of *kinds* as `endpoint`."""
    return [
        Stack.of(scope).format_arn(
            service="sagemaker", resource=kind, resource_name=f"{name_prefix(stage)}-*"
        )
        for kind in kinds
    ]
