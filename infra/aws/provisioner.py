"""Endpoints that follow the registry."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants, grants_sagemaker
from infra.aws.clock import wake_by_the_clock
from infra.aws.gpu_work import GpuWork
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_notices import HeavyNotices
from infra.aws.layers import Layers
from infra.aws.own_event import VERSIONS_MOVED
from infra.aws.own_names import name_prefix
from infra.aws.serving_image import ServingImage
from infra.aws.stage import Stage
from infra.aws.state_stack import UNFINISHED, StateStack
from infra.aws.work_queue import WorkQueue

_TIMEOUT_S = 120
# Partitions: of the registry those of models, of the table of jobs what GPUs cost in a month, and
# which run is at it.
_MODELS = "MODEL#*"
_GPUS = "GPU#*"


class Provisioner(Construct):
    """Clock, moved versions, endpoints that changed → `provision` → endpoints as they should be.

    An event only says that it is worth a look: each look takes in all there is, so that any event
    may be lost or doubled.

    Args:
        role: what SageMaker works with.
        told: the topic that alarms tell.

    Attributes:
        queue: of events.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        gpu: GpuWork,
        state: StateStack,
        layers: Layers,
        image: ServingImage,
        role: iam.IRole,
        notices: HeavyNotices,
        told: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = WorkQueue(self, "Provision", timeout_s=_TIMEOUT_S)
        self.provision = HeadraceFunction(
            self,
            "Function",
            stage=stage,
            source="provision",
            settings=work_settings.ProvisionSettings(
                models_bucket=state.models.bucket_name,
                staging_bucket=state.staging.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                role_arn=role.role_arn,
                image=image.uri,
                success_topic=notices.succeeded.topic_arn,
                failure_topic=notices.failed.topic_arn,
                name_prefix=name_prefix(stage),
                gpu_instance_types=",".join(gpu.instance_types),
                gpu_max_instances=gpu.max_instances,
                gpu_monthly_usd=float(gpu.monthly_budget_usd),
                alarm_topic=told.topic_arn,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.provision,
            timeout_s=_TIMEOUT_S,
        )
        self._grant(stage, state, role)
        self.queue.feed(self.provision, batch_size=10, max_concurrency=2)
        wake_by_the_clock(self, self.provision)
        self._wake_by_events(stage)

    def _grant(self, stage: Stage, state: StateStack, handed_on: iam.IRole) -> None:
        role = self.provision.role
        grants.read_items(role, state.registry)
        grants.in_partition(role, state.registry, _MODELS, "PutItem", "DeleteItem")
        grants.query_index(role, state.jobs, UNFINISHED)
        grants.in_partition(role, state.jobs, _GPUS, "GetItem", "PutItem")
        grants_sagemaker.keep_endpoints(role, stage)
        grants_sagemaker.keep_scaling(role, stage)
        grants_sagemaker.hand_on(role, handed_on)

    def _wake_by_events(self, stage: Stage) -> None:
        ours = events.Match.prefix(f"{name_prefix(stage)}-")
        patterns = {
            "Moved": events.EventPattern(
                source=[VERSIONS_MOVED.source], detail_type=[VERSIONS_MOVED.kind]
            ),
            "Changed": events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Endpoint State Change"],
                detail={"EndpointName": ours},
            ),
        }
        for name, pattern in patterns.items():
            events.Rule(
                self,
                name,
                event_pattern=pattern,
                targets=[
                    targets.SqsQueue(self.queue.queue, dead_letter_queue=self.queue.dead_letters)
                ],
            )
