"""A shard that is too heavy for Lambda, on its way through SageMaker."""

from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws.file_door import FileDoor
from infra.aws.gpu_work import GpuWork
from infra.aws.heavy_functions import HeavyFunctions
from infra.aws.heavy_notices import HeavyNotices
from infra.aws.heavy_queues import HeavyQueues
from infra.aws.layers import Layers
from infra.aws.provisioner import Provisioner
from infra.aws.sagemaker_role import SageMakerRole
from infra.aws.serving_image import ServingImage
from infra.aws.stage import Stage
from infra.aws.state_stack import StateStack


class HeavyDoor(Construct):
    """Queue → `hand_off` → SageMaker → notices → queue → `collect` → results.

    Args:
        queues: of both functions.
        told: the topic that alarms tell.

    Attributes:
        hand_off, collect: give shards to SageMaker, and make parts of what it answered.
        provision, provision_queue: keeps the endpoints that answer, and what wakes it.
        gpu: what the stage allows.
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
        files: FileDoor,
        queues: HeavyQueues,
        told: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.gpu = gpu
        notices = HeavyNotices(self, "Notices", stage=stage, queue=queues.collected)
        working = HeavyFunctions(
            self, stage=stage, gpu=gpu, state=state, layers=layers, files=files, queues=queues
        )
        self.hand_off = working.hand_off()
        self.collect = working.collect()
        image = ServingImage(self, "Image", gpu=gpu)
        role = SageMakerRole(
            self,
            "SageMaker",
            state=state,
            image=image,
            topics=[notices.succeeded, notices.failed],
        ).role
        provisioner = Provisioner(
            self,
            "Provisioner",
            stage=stage,
            gpu=gpu,
            state=state,
            layers=layers,
            image=image,
            role=role,
            notices=notices,
            told=told,
        )
        self.provision, self.provision_queue = provisioner.provision, provisioner.queue
