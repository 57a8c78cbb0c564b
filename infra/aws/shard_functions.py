"""The functions that work shards."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_queues import HeavyQueues
from infra.aws.layers import Layers
from infra.aws.limits import MODELS_DISK_MB, SHARD_BYTES, models_memory_mb, whole_cpus
from infra.aws.own_event import JOB_ENDED
from infra.aws.stage import Stage
from infra.aws.state_stack import ARTIFACTS, PARTS, StateStack
from infra.aws.work_queue import WorkQueue

_TIMEOUT_S = 900
# Arrow's own allocator reserves a gigabyte at its start and takes from it without asking, past the
# bound that keeps a stranger's file from taking all of the memory.
ARROW = {"ARROW_DEFAULT_MEMORY_POOL": "system"}


class ShardFunctions:
    """Makes `batch` and `batch_parquet` in *scope*: one work, by different layers.

    What reading Parquet takes in code and memory no other format pays for.

    Args:
        heavy: where shards go that Lambda cannot get done with; None where there are no GPUs.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        state: StateStack,
        layers: Layers,
        heavy: HeavyQueues | None,
    ) -> None:
        self._scope, self._heavy = scope, heavy
        self._stage, self._state, self._layers = stage, state, layers

    def batch(self, queue: WorkQueue) -> HeadraceFunction:
        """Return `batch`, fed by *queue*."""
        return self._function(
            "Batch", "batch", queue, memory_mb=self._stage.memory.batch, layers=[]
        )

    def batch_parquet(self, queue: WorkQueue) -> HeadraceFunction:
        """Return `batch_parquet`, fed by *queue*."""
        return self._function(
            "BatchParquet",
            "batch_parquet",
            queue,
            memory_mb=self._stage.memory.batch_parquet,
            layers=[self._layers.parquet],
            environment=ARROW,
        )

    def _function(
        self,
        construct_id: str,
        source: str,
        queue: WorkQueue,
        *,
        memory_mb: int,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str] | None = None,
    ) -> HeadraceFunction:
        stage, state, ours = self._stage, self._state, self._layers
        disk_mb = max(MODELS_DISK_MB, 3 * stage.max_model_mb)
        function = HeadraceFunction(
            self._scope,
            construct_id,
            stage=stage,
            source=source,
            settings=work_settings.BatchSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                queue_url=queue.queue.queue_url,
                hand_off_queue_url=self._heavy.hand_off.queue.queue_url if self._heavy else "",
                shard_bytes=SHARD_BYTES,
                batch_rows=8192,
                models_memory_mb=models_memory_mb(memory_mb, disk_mb=disk_mb, stage=stage),
                threads=whole_cpus(memory_mb),
            ),
            layers=[ours.runtime, ours.essentials, ours.inference, ours.files, *layers],
            memory_mb=memory_mb,
            timeout_s=_TIMEOUT_S,
            environment=environment,
            disk_mb=disk_mb,
            wakes_itself=True,
        )
        self._grant(function, queue)
        queue.feed(function, batch_size=1, max_concurrency=stage.max_concurrency)
        return function

    def _grant(self, function: HeadraceFunction, queue: WorkQueue) -> None:
        state, role = self._state, function.role
        grants.list_objects(role, state.inbox)
        grants.read_objects(role, state.inbox, "*")
        grants.read_objects(role, state.models, ARTIFACTS)
        grants.put_objects(role, state.results, "*")
        # Parts are read to be joined, by S3 itself where they are large enough; and whether a
        # job's manifest stands already is asked by reading it.
        grants.read_objects(role, state.results, "*")
        grants.list_objects(role, state.results)
        grants.delete_objects(role, state.results, f"{PARTS}*")
        grants.read_items(role, state.registry)
        grants.read_items(role, state.jobs)
        grants.write_items(role, state.jobs)
        for put_into in [queue, *([self._heavy.hand_off] if self._heavy else [])]:
            grants.send_messages(role, put_into.queue)
        grants.tell(role, JOB_ENDED)
