"""A model that is dropped, on its way into the registry."""

from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.layers import Layers
from infra.aws.limits import MODELS_DISK_MB
from infra.aws.object_events import ObjectEvents
from infra.aws.own_event import VERSIONS_MOVED
from infra.aws.stage import Stage
from infra.aws.state_stack import ARTIFACTS, DROPPED, StateStack
from infra.aws.work_queue import WorkQueue

# Of the function's memory, what the trial's own process leaves to the one that watches it.
_BESIDE_TRIAL_MB = 960
_TIMEOUT_S = 120


class ModelDoor(Construct):
    """Models bucket → queue → `register` → registry."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        state: StateStack,
        layers: Layers,
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = WorkQueue(self, "Models", timeout_s=_TIMEOUT_S)
        self.register = HeadraceFunction(
            self,
            "Register",
            stage=stage,
            source="register",
            settings=work_settings.RegisterSettings(
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                max_model_bytes=stage.max_model_mb << 20,
                trial_timeout_s=20,
                trial_memory_mb=stage.memory.register - _BESIDE_TRIAL_MB,
            ),
            layers=[layers.runtime, layers.essentials, layers.inference, layers.onnx],
            memory_mb=stage.memory.register,
            timeout_s=_TIMEOUT_S,
            disk_mb=max(MODELS_DISK_MB, 3 * stage.max_model_mb),
        )
        self.queue.feed(self.register, batch_size=1, max_concurrency=2)
        ObjectEvents(self, "Dropped", bucket=state.models, key=f"{DROPPED}.onnx", queue=self.queue)
        role = self.register.role
        grants.list_objects(role, state.models)
        grants.read_objects(role, state.models, DROPPED)
        grants.read_objects(role, state.models, ARTIFACTS)
        grants.put_objects(role, state.models, ARTIFACTS)
        grants.read_items(role, state.registry)
        grants.write_items(role, state.registry)
        grants.tell(role, VERSIONS_MOVED)
