"""The role that SageMaker works with: of all models, their endpoints and transform jobs."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws import grants
from infra.aws.serving_image import ServingImage
from infra.aws.state_stack import ARTIFACTS, BODIES, FAILURES, MANIFESTS, OUTPUTS, StateStack

# What containers and instances tell of themselves, in logs and in metrics.
_LOGS = "/aws/sagemaker/*"
_NAMESPACES = ("AWS/SageMaker", "/aws/sagemaker/*")


class SageMakerRole(Construct):
    """May read archives and bodies, write outputs, tell of both, and pull its one image.

    Args:
        topics: that are told of invocations.

    Attributes:
        role: taken on by SageMaker for this account, and by nobody else.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state: StateStack,
        image: ServingImage,
        topics: Sequence[sns.ITopic],
    ) -> None:
        super().__init__(scope, construct_id)
        ours = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com", conditions=ours),
        )
        self._allow(state.models.arn_for_objects(ARTIFACTS), "s3:GetObject")
        under = {"StringLike": {"s3:prefix": ARTIFACTS}}
        self._allow(state.models.bucket_arn, "s3:ListBucket", conditions=under)
        self._allow(state.staging.bucket_arn, "s3:ListBucket")
        for keys in (BODIES, MANIFESTS):
            self._allow(state.staging.arn_for_objects(keys), "s3:GetObject")
        for keys in (OUTPUTS, FAILURES):
            grants.put_objects(self.role, state.staging, keys)
        for topic in topics:
            self._allow(topic.topic_arn, "sns:Publish")
        self._pull(image)
        self._tell_of_itself()

    def _pull(self, image: ServingImage) -> None:
        verbs = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        self._allow(image.repository_arn, *(f"ecr:{verb}" for verb in verbs))
        self._allow("*", "ecr:GetAuthorizationToken")  # it knows no resource

    def _tell_of_itself(self) -> None:
        logs = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=_LOGS,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        verbs = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        self._allow(logs, *(f"logs:{verb}" for verb in verbs))
        namespaces = {"StringLike": {"cloudwatch:namespace": list(_NAMESPACES)}}
        self._allow("*", "cloudwatch:PutMetricData", conditions=namespaces)

    def _allow(
        self, resource: str, *actions: str, conditions: Mapping[str, object] | None = None
    ) -> None:
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=[resource], conditions=conditions)
        )
