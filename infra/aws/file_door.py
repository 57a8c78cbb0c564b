"""A file that is dropped, on its way to its results."""

from constructs import Construct

from headrace_runtime import settings
from infra.aws import grants
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.layers import Layers
from infra.aws.limits import MODELS_DISK_MB, models_memory_mb, whole_cpus
from infra.aws.object_events import ObjectEvents
from infra.aws.stage import Stage
from infra.aws.state_stack import ARTIFACTS, StateStack
from infra.aws.work_queue import WorkQueue


class FileDoor(Construct):
    """Inbox → queue → `intake` → shards → `batch` → results."""

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
        self.batch = self._batch()
        self.shards = WorkQueue(
            self, "Shards", consumer=self.batch, batch_size=1, max_concurrency=10
        )
        self.intake = self._intake()
        self.queue = WorkQueue(
            self, "Files", consumer=self.intake, batch_size=10, max_concurrency=5
        )
        ObjectEvents(self, "Dropped", bucket=state.inbox, queue=self.queue)

    def _batch(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        disk_mb = max(MODELS_DISK_MB, 3 * stage.max_model_mb)
        batch = HeadraceFunction(
            self,
            "Batch",
            stage=stage,
            source="batch",
            settings=settings.BatchSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                batch_rows=4096,
                models_memory_mb=models_memory_mb(stage.memory.batch, disk_mb=disk_mb, stage=stage),
                threads=whole_cpus(stage.memory.batch),
            ),
            layers=[layers.runtime, layers.essentials, layers.inference, layers.files],
            memory_mb=stage.memory.batch,
            timeout_s=900,
            disk_mb=disk_mb,
        )
        grants.list_objects(batch.role, state.inbox)
        grants.read_objects(batch.role, state.inbox, "*")
        grants.read_objects(batch.role, state.models, ARTIFACTS)
        grants.put_objects(batch.role, state.results, "*")
        # Whether a job's manifest stands already is asked by reading it.
        grants.read_objects(batch.role, state.results, "*")
        grants.list_objects(batch.role, state.results)
        grants.read_items(batch.role, state.registry)
        grants.read_items(batch.role, state.jobs)
        grants.write_items(batch.role, state.jobs)
        return batch

    def _intake(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        intake = HeadraceFunction(
            self,
            "Intake",
            stage=stage,
            source="intake",
            settings=settings.IntakeSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                shards_queue_url=self.shards.queue.queue_url,
            ),
            layers=[layers.runtime, layers.essentials, layers.files],
            memory_mb=stage.memory.intake,
            timeout_s=60,
        )
        grants.list_objects(intake.role, state.inbox)
        grants.read_objects(intake.role, state.inbox, "*")
        grants.put_objects(intake.role, state.results, "*")
        grants.read_objects(intake.role, state.results, "*")
        grants.list_objects(intake.role, state.results)
        grants.read_items(intake.role, state.registry)
        grants.read_items(intake.role, state.jobs)
        grants.write_items(intake.role, state.jobs)
        grants.send_messages(intake.role, self.shards.queue)
        return intake
