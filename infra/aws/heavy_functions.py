"""The functions that have shards answered by SageMaker."""

from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants, grants_sagemaker
from infra.aws.file_door import FileDoor
from infra.aws.gpu_work import GpuWork
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_queues import TIMEOUT_S, HeavyQueues
from infra.aws.layers import Layers
from infra.aws.own_event import JOB_ENDED, VERSIONS_MOVED
from infra.aws.own_names import name_prefix
from infra.aws.shard_functions import ARROW
from infra.aws.stage import Stage
from infra.aws.state_stack import BODIES, FAILURES, MANIFESTS, OUTPUTS, PARTS, StateStack


class HeavyFunctions:
    """Makes `hand_off` and `collect` in *scope*, each fed by its queue of *queues*."""

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        gpu: GpuWork,
        state: StateStack,
        layers: Layers,
        files: FileDoor,
        queues: HeavyQueues,
    ) -> None:
        self._scope = scope
        self._stage, self._gpu, self._state, self._layers = stage, gpu, state, layers
        self._files, self._queues = files, queues

    def hand_off(self) -> HeadraceFunction:
        """Return `hand_off`, which gives shards to SageMaker."""
        hand_off = self._function("HandOff", "hand_off", self._stage.memory.hand_off)
        role = hand_off.role
        grants.tell(role, VERSIONS_MOVED)
        for keys in (BODIES, MANIFESTS):
            grants.put_objects(role, self._state.staging, keys)
        grants_sagemaker.queue_at_endpoints(role, self._stage)
        grants_sagemaker.start_transform_jobs(role, self._stage)
        at_a_time = self._stage.max_concurrency
        self._queues.hand_off.feed(hand_off, batch_size=1, max_concurrency=at_a_time)
        return hand_off

    def collect(self) -> HeadraceFunction:
        """Return `collect`, which makes parts of what SageMaker answered, and closes jobs."""
        collect = self._function("Collect", "collect", self._stage.memory.collect)
        role, state = collect.role, self._state
        grants.tell(role, JOB_ENDED)
        grants.read_objects(role, state.staging, OUTPUTS)
        grants.put_objects(role, state.staging, FAILURES)
        for keys in (BODIES, OUTPUTS):
            grants.delete_objects(role, state.staging, keys)
        grants.put_objects(role, state.results, "*")
        grants.read_objects(role, state.results, "*")
        grants.list_objects(role, state.results)
        grants.delete_objects(role, state.results, f"{PARTS}*")
        # Most notices end with a look at what their shard lacks, but the last takes a whole run.
        at_a_time = self._stage.max_concurrency
        self._queues.collected.feed(collect, batch_size=1, max_concurrency=at_a_time)
        return collect

    def _function(self, construct_id: str, source: str, memory_mb: int) -> HeadraceFunction:
        layers = self._layers
        function = HeadraceFunction(
            self._scope,
            construct_id,
            stage=self._stage,
            source=source,
            settings=self._settings(),
            layers=[layers.runtime, layers.essentials, layers.files, layers.parquet],
            memory_mb=memory_mb,
            timeout_s=TIMEOUT_S,
            environment=ARROW,
            wakes_itself=True,
        )
        state, role = self._state, function.role
        grants.list_objects(role, state.inbox)
        grants.read_objects(role, state.inbox, "*")
        grants.list_objects(role, state.staging)
        grants.read_items(role, state.registry)
        grants.read_items(role, state.jobs)
        grants.write_items(role, state.jobs)
        files, queues = self._files, self._queues
        # What SageMaker cannot answer goes back to Lambda.
        for queue in (queues.hand_off, queues.collected, files.shards, files.parquet_shards):
            grants.send_messages(role, queue.queue)
        grants_sagemaker.stop_transform_jobs(role, self._stage)
        return function

    def _settings(self) -> work_settings.HeavySettings:
        state, gpu = self._state, self._gpu
        return work_settings.HeavySettings(
            inbox_bucket=state.inbox.bucket_name,
            results_bucket=state.results.bucket_name,
            staging_bucket=state.staging.bucket_name,
            registry_table=state.registry.table_name,
            jobs_table=state.jobs.table_name,
            hand_off_queue_url=self._queues.hand_off.queue.queue_url,
            collect_queue_url=self._queues.collected.queue.queue_url,
            shards_queue_url=self._files.shards.queue.queue_url,
            parquet_queue_url=self._files.parquet_shards.queue.queue_url,
            name_prefix=name_prefix(self._stage),
            gpu_instance_types=",".join(gpu.instance_types),
            gpu_max_instances=gpu.max_instances,
            gpu_on_failure=gpu.on_failure,
            endpoint_wait_s=gpu.endpoint_wait_s,
            invocation_timeout_s=gpu.invocation_timeout_s,
            request_ttl_s=gpu.request_ttl_s,
        )
