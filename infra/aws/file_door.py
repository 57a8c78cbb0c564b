"""A file that is dropped, on its way to its shards."""

from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants
from infra.aws.gpu_work import GpuMeans
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_queues import HeavyQueues
from infra.aws.layers import Layers
from infra.aws.limits import SHARD_BYTES
from infra.aws.object_events import ObjectEvents
from infra.aws.own_event import JOB_ENDED
from infra.aws.shard_functions import ShardFunctions
from infra.aws.stage import Stage
from infra.aws.state_stack import StateStack
from infra.aws.work_queue import WorkQueue

# A long file is cut for as long as a function may run; what is left waits in the same queue.
_TIMEOUT_S = 900


class FileDoor(Construct):
    """Inbox → queue → `intake` → shards → `batch`, `batch_parquet` → results.

    Args:
        heavy: where shards go that are given to SageMaker; None where there are no GPUs.

    Attributes:
        queue: of dropped files.
        shards, parquet_shards: of parts of jobs, for `batch` and for `batch_parquet`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        state: StateStack,
        layers: Layers,
        heavy: HeavyQueues | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = WorkQueue(self, "Files", timeout_s=_TIMEOUT_S)
        self.shards = WorkQueue(self, "Shards", timeout_s=_TIMEOUT_S)
        self.parquet_shards = WorkQueue(self, "ParquetShards", timeout_s=_TIMEOUT_S)
        working = ShardFunctions(self, stage=stage, state=state, layers=layers, heavy=heavy)
        self.batch = working.batch(self.shards)
        self.batch_parquet = working.batch_parquet(self.parquet_shards)
        self.intake = self._intake(stage, state, layers, heavy)
        self.queue.feed(self.intake, batch_size=10, max_concurrency=5)
        ObjectEvents(self, "Dropped", bucket=state.inbox, queue=self.queue)

    def _intake(
        self, stage: Stage, state: StateStack, layers: Layers, heavy: HeavyQueues | None
    ) -> HeadraceFunction:
        means = GpuMeans.of(stage.gpu)
        intake = HeadraceFunction(
            self,
            "Intake",
            stage=stage,
            source="intake",
            settings=work_settings.IntakeSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                files_queue_url=self.queue.queue.queue_url,
                shards_queue_url=self.shards.queue.queue_url,
                parquet_queue_url=self.parquet_shards.queue.queue_url,
                hand_off_queue_url=heavy.hand_off.queue.queue_url if heavy else "",
                shard_bytes=SHARD_BYTES,
                max_concurrency=stage.max_concurrency,
                batch_memory_mb=stage.memory.batch,
                gpu_instance_type=means.instance_type,
                gpu_max_instances=means.max_instances,
                gpu_cpu_limit_s=means.cpu_limit_s,
                gpu_monthly_usd=means.monthly_usd,
            ),
            layers=[layers.runtime, layers.essentials, layers.files],
            memory_mb=stage.memory.intake,
            timeout_s=_TIMEOUT_S,
            wakes_itself=True,
        )
        role = intake.role
        grants.list_objects(role, state.inbox)
        grants.read_objects(role, state.inbox, "*")
        grants.put_objects(role, state.results, "*")
        grants.read_objects(role, state.results, "*")
        grants.list_objects(role, state.results)
        grants.read_items(role, state.registry)
        grants.read_items(role, state.jobs)
        grants.write_items(role, state.jobs)
        queues = [self.queue, self.shards, self.parquet_shards]
        for queue in [*queues, *([heavy.hand_off] if heavy else [])]:
            grants.send_messages(role, queue.queue)
        grants.tell(role, JOB_ENDED)
        return intake
