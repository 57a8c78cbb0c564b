"""What gives shards to SageMaker and takes its answers, put together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headrace_runtime.aws.announcing import Announcing
from headrace_runtime.aws.any_format import AnyFormat
from headrace_runtime.aws.async_endpoint import AsyncEndpoint
from headrace_runtime.aws.gpu_fallback import GpuFallback
from headrace_runtime.aws.hand_off import HandOff
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.job_closing import JobClosing
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.output_reading import output_runs
from headrace_runtime.aws.part_join import PartJoin
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.sending import Sending
from headrace_runtime.aws.settling import Settling
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shard_work import ShardWork
from headrace_runtime.aws.shard_writing import ShardWriting
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging import Staging
from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.aws.transforms import Transforms
from headrace_runtime.aws.version_events import VersionEvents
from headrace_runtime.batch.gpu_prices import gpu_instance
from headrace_runtime.work_settings import HeavySettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuWorker:
    """Builds both halves from the same settings and clients."""

    settings: HeavySettings
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    sqs: "SQSClient"
    sagemaker: "SageMakerClient"
    runtime: "SageMakerRuntimeClient"

    def hand_off(self, *, events: "EventBridgeClient") -> HandOff:
        """Return what gives shards to SageMaker.

        Args:
            events: is told of versions that lack an endpoint.
        """
        return HandOff(
            jobs=self._jobs,
            shards=self._shards,
            registry=self._registry,
            staging=Staging(bucket=self._staging, opener=self._files.open),
            sending=self._sending,
            fallback=self._fallback,
            queue=self._queue,
            version_events=VersionEvents(events=events),
            usd_per_gpu_s=gpu_instance(self._instance_types[0]).usd_per_s,
            wait_s=self.settings.endpoint_wait_s,
        )

    def settling(self, *, events: "EventBridgeClient", price: Callable[[int], float]) -> Settling:
        """Return what takes SageMaker's answers.

        Args:
            events: is told of jobs that end.
            price: says what so many nanoseconds of the function cost, in USD.
        """
        table, files = self.settings.jobs_table, self._files
        announcing = Announcing(table, dynamodb=self.dynamodb, events=events)
        work = ShardWork(
            jobs=self._jobs,
            shards=self._shards,
            registry=self._registry,
            quarantine=None,
            writing=ShardWriting(
                self._results, opener=files.open, runs_of=output_runs(self._staging)
            ),
            closing=JobClosing(
                jobs=self._jobs,
                shards=self._shards,
                results=self._results,
                assemble=files.assemble,
                join=PartJoin(self._results, s3=self.s3).join,
                announce=announcing.announce,
            ),
            queue=self._queue,
            price=price,
            collects=True,
        )
        return Settling(
            jobs=self._jobs,
            shards=self._shards,
            bucket=self._staging,
            sending=self._sending,
            transforms=self._transforms,
            fallback=self._fallback,
            queue=self._queue,
            work=work,
        )

    @property
    def _jobs(self) -> Jobs:
        return Jobs(self.settings.jobs_table, dynamodb=self.dynamodb)

    @property
    def _shards(self) -> Shards:
        return Shards(self.settings.jobs_table, dynamodb=self.dynamodb)

    @property
    def _registry(self) -> Registry:
        return Registry(self.settings.registry_table, dynamodb=self.dynamodb)

    @property
    def _results(self) -> ResultsBucket:
        return ResultsBucket(self.settings.results_bucket, s3=self.s3)

    @property
    def _staging(self) -> StagingBucket:
        return StagingBucket(self.settings.staging_bucket, s3=self.s3)

    @property
    def _files(self) -> AnyFormat:
        return AnyFormat(Inbox(s3=self.s3), self._results)

    @property
    def _queue(self) -> ShardQueue:
        settings = self.settings
        return ShardQueue(
            settings.shards_queue_url,
            settings.parquet_queue_url,
            hand_off_url=settings.hand_off_queue_url,
            collect_url=settings.collect_queue_url,
            sqs=self.sqs,
        )

    @property
    def _fallback(self) -> GpuFallback:
        to_cpu = self.settings.gpu_on_failure == "cpu"
        return GpuFallback(jobs=self._jobs, shards=self._shards, queue=self._queue, to_cpu=to_cpu)

    @property
    def _transforms(self) -> Transforms:
        settings = self.settings
        return Transforms(
            self._staging,
            self._jobs,
            self._shards,
            sagemaker=self.sagemaker,
            name_prefix=settings.name_prefix,
            instance_types=self._instance_types,
            max_instances=settings.gpu_max_instances,
            timeout_s=settings.invocation_timeout_s,
        )

    @property
    def _instance_types(self) -> list[str]:
        return self.settings.gpu_instance_types.split(",")

    @property
    def _sending(self) -> Sending:
        return Sending(
            registry=self._registry,
            shards=self._shards,
            bucket=self._staging,
            endpoint=AsyncEndpoint(
                self._staging,
                runtime=self.runtime,
                ttl_s=self.settings.request_ttl_s,
                timeout_s=self.settings.invocation_timeout_s,
            ),
            transforms=self._transforms,
        )
