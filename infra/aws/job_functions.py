"""The functions that answer calls about jobs, and about messages that no job got done with."""

from collections.abc import Mapping

from constructs import Construct

from headrace_runtime import settings
from infra.aws import grants
from infra.aws.file_door import FileDoor
from infra.aws.gpu_work import GpuMeans
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_queues import HeavyQueues
from infra.aws.http_functions import POLICIES, POLICIES_TTL_S
from infra.aws.layers import Layers
from infra.aws.limits import SHARD_BYTES
from infra.aws.stage import Stage
from infra.aws.state_stack import BY_DAY, StateStack
from infra.aws.work_queue import WorkQueue


class JobFunctions(Construct):
    """Each with what its work needs.

    Args:
        queues: all of them, by the names that callers use.
        heavy: of work on GPUs; None where there are none.

    Attributes:
        submit: takes files in, plans, tells of jobs and cancels them.
        redrive: sends dead letters back; it alone takes messages out of queues that do not feed
            it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        state: StateStack,
        layers: Layers,
        files: FileDoor,
        queues: Mapping[str, WorkQueue],
        heavy: HeavyQueues | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage, self._state, self._layers = stage, state, layers
        self.submit = self._submit(files, heavy)
        self.redrive = self._redrive(queues)

    @property
    def all(self) -> list[HeadraceFunction]:
        """All of them."""
        return [self.submit, self.redrive]

    def _submit(self, files: FileDoor, heavy: HeavyQueues | None) -> HeadraceFunction:
        means = GpuMeans.of(self._stage.gpu)
        stage, state, layers = self._stage, self._state, self._layers
        shards, parquet_shards = files.shards.queue, files.parquet_shards.queue
        submit = HeadraceFunction(
            self,
            "Submit",
            stage=stage,
            source="submit",
            settings=settings.SubmitSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                shards_queue_url=shards.queue_url,
                parquet_queue_url=parquet_shards.queue_url,
                collect_queue_url=heavy.collected.queue.queue_url if heavy else "",
                shard_bytes=SHARD_BYTES,
                max_concurrency=stage.max_concurrency,
                batch_memory_mb=stage.memory.batch,
                gpu_instance_type=means.instance_type,
                gpu_max_instances=means.max_instances,
                gpu_cpu_limit_s=means.cpu_limit_s,
                gpu_monthly_usd=means.monthly_usd,
                access_table=state.access.table_name,
                policies_ttl_s=POLICIES_TTL_S,
                auth=stage.auth,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.submit,
            timeout_s=29,
        )
        role = submit.role
        # What it signed is done with its permission, and what it copies S3 itself copies.
        grants.put_objects(role, state.inbox, "inbox/*")
        for bucket in (state.inbox, state.results):
            grants.read_objects(role, bucket, "*")
        grants.read_items(role, state.registry)
        grants.read_items(role, state.jobs)
        grants.write_items(role, state.jobs)
        grants.query_index(role, state.jobs, BY_DAY)
        for queue in [shards, parquet_shards, *([heavy.collected.queue] if heavy else [])]:
            grants.send_messages(role, queue)
        grants.in_partition(role, state.access, POLICIES, "Query")
        return submit

    def _redrive(self, queues: Mapping[str, WorkQueue]) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        told = {
            name: f"{queue.queue.queue_url},{queue.dead_letters.queue_url}"
            for name, queue in queues.items()
        }
        redrive = HeadraceFunction(
            self,
            "Redrive",
            stage=stage,
            source="redrive",
            settings=settings.RedriveSettings(
                queues=" ".join(f"{name}={urls}" for name, urls in told.items()),
                access_table=state.access.table_name,
                policies_ttl_s=POLICIES_TTL_S,
                auth=stage.auth,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.redrive,
            timeout_s=29,
        )
        for queue in queues.values():
            grants.move_messages(redrive.role, out_of=queue.dead_letters, to=queue.queue)
        grants.in_partition(redrive.role, state.access, POLICIES, "Query")
        return redrive
