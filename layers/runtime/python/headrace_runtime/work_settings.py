"""What the functions read that are fed by queues, or woken by the clock."""

from headrace_runtime.settings import Settings


class RegisterSettings(Settings):
    """What `register` needs.

    Attributes:
        max_model_bytes: a larger model is refused.
        trial_timeout_s: wall-clock seconds that loading and running a model on trial may take.
        trial_memory_mb: address space that the trial's process may take.
    """

    models_bucket: str
    registry_table: str
    max_model_bytes: int
    trial_timeout_s: int
    trial_memory_mb: int


class IntakeSettings(Settings):
    """What `intake` needs to turn a dropped file into a job.

    Attributes:
        files_queue_url: its own queue, where the rest of a long cutting waits.
        hand_off_queue_url: where shards wait for a GPU; empty where the stage has none.
        shard_bytes: of a file, uncompressed, that one shard holds, at most.
        max_concurrency, batch_memory_mb: what `batch` works with, by which jobs are placed.
        gpu_instance_type: the stage's first choice, `ml.g6.xlarge`; empty where it has no GPU.
        gpu_max_instances: of an endpoint, at a time.
        gpu_cpu_limit_s: vCPU seconds of a model from which on a job goes to a GPU by itself.
        gpu_monthly_usd: what GPUs may cost in a month; then no job is given to one any more.
    """

    inbox_bucket: str
    results_bucket: str
    registry_table: str
    jobs_table: str
    files_queue_url: str
    shards_queue_url: str
    parquet_queue_url: str
    hand_off_queue_url: str
    shard_bytes: int
    max_concurrency: int
    batch_memory_mb: int
    gpu_instance_type: str
    gpu_max_instances: int
    gpu_cpu_limit_s: float
    gpu_monthly_usd: float


class BatchSettings(Settings):
    """What `batch` and `batch_parquet` need to work a shard.

    Attributes:
        queue_url: its own queue, where the rest of a shard waits that takes more than one run.
        hand_off_queue_url: as for `IntakeSettings`.
        shard_bytes: as for `IntakeSettings`; `batch_parquet` cuts its files itself.
        batch_rows: records that run through the model together.
        threads: threads of one run; the vCPUs that the function really owns (1 a 1,769 MB).
    """

    inbox_bucket: str
    results_bucket: str
    models_bucket: str
    registry_table: str
    jobs_table: str
    queue_url: str
    hand_off_queue_url: str
    shard_bytes: int
    batch_rows: int
    models_memory_mb: int
    threads: int


class SweepSettings(Settings):
    """What `sweep` needs to find what was lost.

    Attributes:
        files_queue_url, shards_queue_url, parquet_queue_url: where work is queued again.
        hand_off_queue_url, collect_queue_url: the same, of work on GPUs; empty where there is none.
        patience_s: for how long nothing is missed.
    """

    inbox_bucket: str
    results_bucket: str
    jobs_table: str
    files_queue_url: str
    shards_queue_url: str
    parquet_queue_url: str
    hand_off_queue_url: str
    collect_queue_url: str
    patience_s: int


class NotifySettings(Settings):
    """What `notify` needs to call a webhook.

    Attributes:
        private_addresses: 1 where webhooks may lie on this machine or in its network, and be
            called over plain http; 0 everywhere but on a laptop.
    """

    jobs_table: str
    private_addresses: int


class HeavySettings(Settings):
    """What `hand_off` and `collect` need to have a shard answered by SageMaker.

    Attributes:
        hand_off_queue_url, collect_queue_url: what feeds them.
        shards_queue_url, parquet_queue_url: of `batch` and `batch_parquet`, where a shard goes that
            SageMaker could not answer.
        name_prefix: how the names of all that is SageMaker's begin, `hr-<stage>`.
        gpu_instance_types: as for `ProvisionSettings`; transform jobs try them in turn.
        gpu_max_instances: as for `IntakeSettings`; of transform jobs, too.
        gpu_on_failure: `cpu` or `fail`: what becomes of a shard that failed again and again.
        endpoint_wait_s: for how long an endpoint is waited for that is not there yet.
        invocation_timeout_s: of one body's run. 1 to 3,600, SageMaker's own limit.
        request_ttl_s: for how long a body may wait for an instance. 60 to 21,600.
    """

    inbox_bucket: str
    results_bucket: str
    staging_bucket: str
    registry_table: str
    jobs_table: str
    hand_off_queue_url: str
    collect_queue_url: str
    shards_queue_url: str
    parquet_queue_url: str
    name_prefix: str
    gpu_instance_types: str
    gpu_max_instances: int
    gpu_on_failure: str
    endpoint_wait_s: int
    invocation_timeout_s: int
    request_ttl_s: int


class ProvisionSettings(Settings):
    """What `provision` needs to let endpoints follow the registry.

    Attributes:
        role_arn: what SageMaker works with.
        image: URI of the container that serves, of this region.
        success_topic, failure_topic: ARNs of those that are told of each invocation's end.
        name_prefix: as for `HeavySettings`.
        gpu_instance_types: the stage's, best first, joined by commas.
        gpu_max_instances: of an endpoint, at a time; the least is 0.
        gpu_monthly_usd: as for `IntakeSettings`.
        alarm_topic: ARN of the topic that is told where work waits at an endpoint for very long.
    """

    models_bucket: str
    staging_bucket: str
    registry_table: str
    jobs_table: str
    role_arn: str
    image: str
    success_topic: str
    failure_topic: str
    name_prefix: str
    gpu_instance_types: str
    gpu_max_instances: int
    gpu_monthly_usd: float
    alarm_topic: str
