"""The functions that answer calls."""

from constructs import Construct

from headrace_runtime import settings
from infra.aws import grants
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.layers import Layers
from infra.aws.limits import models_memory_mb, whole_cpus
from infra.aws.stage import Stage
from infra.aws.stage_parts import ProvisionedConcurrency, SnapStart
from infra.aws.state_stack import ARTIFACTS, DROPPED, StateStack


class HttpFunctions(Construct):
    """`predict` and `manage`, each with what its work needs of *state*."""

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
        self._stage, self._state, self._layers = stage, state, layers
        self.predict = self._predict()
        self.manage = self._manage()
        self.authorise: HeadraceFunction | None = None

    @property
    def all(self) -> list[HeadraceFunction]:
        """All of them."""
        asked = [self.predict, self.manage, self.authorise]
        return [function for function in asked if function is not None]

    def _predict(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        warm = stage.warm
        predict = HeadraceFunction(
            self,
            "Predict",
            stage=stage,
            source="predict",
            settings=settings.PredictSettings(
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                alias_ttl_s=5.0,
                models_memory_mb=models_memory_mb(
                    stage.memory.predict, disk_mb=stage.predict_disk_mb, stage=stage
                ),
                threads=whole_cpus(stage.memory.predict),
                access_table=state.access.table_name,
            ),
            layers=[layers.runtime, layers.essentials, layers.inference],
            memory_mb=stage.memory.predict,
            timeout_s=29,
            disk_mb=stage.predict_disk_mb,
            snapshot=isinstance(warm, SnapStart),
            sandboxes=warm.sandboxes if isinstance(warm, ProvisionedConcurrency) else 0,
        )
        grants.read_objects(predict.role, state.models, ARTIFACTS)
        grants.read_items(predict.role, state.registry)
        return predict

    def _manage(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        manage = HeadraceFunction(
            self,
            "Manage",
            stage=stage,
            source="manage",
            settings=settings.ManageSettings(
                models_bucket=state.models.bucket_name,
                inbox_bucket=state.inbox.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                max_model_bytes=stage.max_model_mb << 20,
                access_table=state.access.table_name,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.manage,
            timeout_s=29,
        )
        # It moves no bytes itself: what it signed is done with its permission.
        grants.put_objects(manage.role, state.models, DROPPED)
        grants.put_objects(manage.role, state.inbox, "inbox/*")
        grants.read_objects(manage.role, state.inbox, "inbox/*")
        grants.read_objects(manage.role, state.results, "*")
        grants.read_items(manage.role, state.registry)
        grants.write_items(manage.role, state.registry)
        grants.read_items(manage.role, state.jobs)
        return manage
